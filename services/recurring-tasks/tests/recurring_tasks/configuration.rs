//! What the service is told, and what it says when that is wrong.

use catalogue::services::RECURRING_TASKS;
use recurring_tasks::Settings;
use service_kit::config::{Reader, ServiceSettings};
use test_kit::keys;

use crate::world::{PATIENCE, run};

fn variables() -> Vec<(&'static str, String)> {
    vec![
        (
            "TASKFLOW_DATABASE_URL",
            "postgres://role:sesame@host/taskflow".to_owned(),
        ),
        ("TASKFLOW_BUS", "kafka".to_owned()),
        ("TASKFLOW_KAFKA_BROKERS", "broker:9092".to_owned()),
        ("TASKFLOW_CHAT_API_INTERNAL_URL", "http://chat-api:8001/".to_owned()),
        ("TASKFLOW_SERVICE_TOKEN_PRIVATE_KEY", keys::ed25519().private),
    ]
}

/// What `check-config` says, and its exit code, with these variables in place of others.
async fn check(changes: &[(&'static str, &str)]) -> (Option<i32>, String) {
    let changes = changes.iter().map(|(name, value)| (*name, (*value).to_owned()));
    let mut check = run("check-config", variables().into_iter().chain(changes));
    let code = check.exit(PATIENCE).await.code();
    (code, check.lines().join("\n"))
}

#[tokio::test]
async fn a_valid_configuration_is_said_to_be_so() {
    let (code, said) = check(&[]).await;
    assert_eq!(said, "the configuration of recurring-tasks is valid");
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn every_problem_is_told_at_once_and_no_secret() {
    let (code, said) = check(&[
        ("TASKFLOW_KAFKA_BROKERS", "nowhere"),
        ("TASKFLOW_CHAT_API_INTERNAL_URL", "http://chat-api:8001/internal"),
        ("TASKFLOW_SERVICE_TOKEN_PRIVATE_KEY", "open sesame"),
    ])
    .await;
    assert_eq!(code, Some(2));
    for variable in [
        "`TASKFLOW_KAFKA_BROKERS` must be",
        "`TASKFLOW_CHAT_API_INTERNAL_URL` must be an http address without a path",
        "`TASKFLOW_SERVICE_TOKEN_PRIVATE_KEY` must be an Ed25519 key in PEM; it is not, and is not shown",
    ] {
        assert!(said.contains(variable), "no {variable} in\n{said}");
    }
    assert!(!said.contains("sesame"), "{said}");
}

#[tokio::test]
async fn behind_a_sidecar_its_tokens_are_needed_and_no_address_of_chat_api() {
    let dapr = [("TASKFLOW_BUS", "dapr"), ("TASKFLOW_CHAT_API_INTERNAL_URL", "")];
    let (code, said) = check(&dapr).await;
    assert_eq!(code, Some(2));
    for token in ["`DAPR_API_TOKEN`", "`APP_API_TOKEN`"] {
        assert!(said.contains(token), "{said}");
    }
    assert!(!said.contains("`TASKFLOW_CHAT_API_INTERNAL_URL`"), "{said}");

    let tokens = [("DAPR_API_TOKEN", "one"), ("APP_API_TOKEN", "two")];
    let (code, said) = check(&[&dapr[..], &tokens].concat()).await;
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn every_variable_of_the_catalogue_is_read() {
    let mut reader = Reader::new(&RECURRING_TASKS, variables());
    let settings = ServiceSettings::read(&mut reader).zip(Settings::read(&mut reader));
    assert_eq!(reader.unread(), [""; 0]);
    assert!(reader.finish(settings).is_ok());
}
