//! Reminders by mail, to a server that speaks SMTP.

use catalogue::environment_variables::{
    TASKFLOW_MAIL_FROM, TASKFLOW_SMTP_HOST, TASKFLOW_SMTP_PASSWORD, TASKFLOW_SMTP_PORT, TASKFLOW_SMTP_USERNAME,
};
use serde_json::json;

use crate::{
    events::Task,
    smtp::MailServer,
    world::{Replica, World},
};

async fn start(trusts: bool) -> (World, Replica, MailServer) {
    let world = World::new().await;
    let server = MailServer::start().await;
    let (port, certificate) = (server.port.to_string(), server.certificate());
    let certificate = if trusts {
        certificate
    } else {
        std::path::PathBuf::from("/etc/ssl/certs/ca-certificates.crt")
    };
    let replica = world
        .start_with(&[
            (TASKFLOW_SMTP_HOST.name, "localhost"),
            (TASKFLOW_SMTP_PORT.name, &port),
            (TASKFLOW_SMTP_USERNAME.name, "taskflow"),
            (TASKFLOW_SMTP_PASSWORD.name, "secret"),
            (TASKFLOW_MAIL_FROM.name, "TaskFlow <reminders@example.org>"),
            ("SSL_CERT_FILE", certificate.to_str().unwrap()),
        ])
        .await;
    replica.becomes_ready().await;
    let target = json!({"kind": "email", "address": "ada@example.org"});
    world.channel(&replica, "ada", target).await;
    (world, replica, server)
}

const DELIVERED: &str = "select count(*) from notification.delivery where kind = 'email' and state = 'delivered'";

#[tokio::test]
async fn a_mail_is_sent_once_over_an_encrypted_connection() {
    let (world, replica, server) = start(true).await;
    server.replies(&["450 try again later"]);
    world.publish(&[Task::in_seconds("ada", 7, 2).is_saved()]).await;
    world.counts(DELIVERED, 1).await;
    let mails = server.mails();
    assert_eq!(mails.len(), 1, "{mails:#?}");
    let mail = &mails[0];
    assert!(
        mail.from.contains("<reminders@example.org>") && mail.to.contains("<ada@example.org>"),
        "{mail:?}"
    );
    assert!(mail.login.as_deref().unwrap().starts_with("PLAIN "), "{mail:?}");
    for part in [
        "Subject: Reminder: Water the plants",
        "https://tasks.example.org/tasks/7",
        "Message-ID: <",
    ] {
        assert!(mail.text.contains(part), "{part}: {}", mail.text);
    }
    let attempts = "select count(*) from notification.delivery_attempt where detail like '%450%' and outcome = 'retry'";
    assert_eq!(world.count(attempts).await, 1);
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn a_mailbox_that_is_refused_ends_the_delivery() {
    let (world, replica, server) = start(true).await;
    server.replies(&["550 no such mailbox"]);
    world.publish(&[Task::in_seconds("ada", 7, 2).is_saved()]).await;
    let failed = "select count(*) from notification.delivery where kind = 'email' and state = 'failed'";
    world.counts(failed, 1).await;
    assert_eq!(server.mails(), []);
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_nothing() {
    let (world, replica, server) = start(false).await;
    let mut task = Task::in_seconds("ada", 7, 2);
    world.publish(&[task.is_saved()]).await;
    let attempts = "select least(count(*), 1) from notification.delivery_attempt as it
        join notification.delivery on id = delivery_id where kind = 'email' and outcome = 'retry'";
    world.counts(attempts, 1).await;
    assert_eq!(server.mails(), []);
    world.publish(&[task.is_completed()]).await;
    world
        .counts(
            "select count(*) from notification.delivery where state = 'superseded'",
            1,
        )
        .await;
    replica.stop().await;
    world.assert_settled().await;
}
