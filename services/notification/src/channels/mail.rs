//! Mails, over SMTP that is always encrypted.

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor,
    message::{Mailbox, header},
    transport::smtp::{Error, authentication::Credentials},
};
use service_kit::{config::Secret, telemetry::chain};

use super::{Answer, CALL_TIME};
use crate::message::Message;

/// Where connections are encrypted from the first byte on; everywhere else `STARTTLS` is asked for, and needed.
const IMPLICIT_TLS_PORT: u16 = 465;

/// The mail server.
#[derive(Clone, Debug)]
pub(crate) struct MailSettings {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) login: Option<(String, Secret)>,
    pub(crate) from: Mailbox,
}

/// Sends mails.
#[derive(Clone, Debug)]
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    pub(crate) fn new(settings: &MailSettings) -> Result<Self, Error> {
        let builder = if settings.port == IMPLICIT_TLS_PORT {
            AsyncSmtpTransport::<Tokio1Executor>::relay(&settings.host)?
        } else {
            AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&settings.host)?
        };
        let builder = builder.port(settings.port).timeout(Some(CALL_TIME));
        let builder = match &settings.login {
            Some((user, password)) => builder.credentials(Credentials::new(user.clone(), password.expose().to_owned())),
            None => builder,
        };
        Ok(Self {
            transport: builder.build(),
            from: settings.from.clone(),
        })
    }

    pub(crate) async fn send(&self, address: &str, message: &Message) -> Answer {
        let Ok(address) = address.parse::<Address>() else {
            return Answer::Failed("the address is none".to_owned());
        };
        // The same mail has the same id, so that a mailbox can tell a repetition.
        let id = format!("<{}@{}>", message.id, self.from.email.domain());
        let mail = lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, address))
            .subject(message.subject())
            .message_id(Some(id))
            .header(header::ContentType::TEXT_PLAIN)
            .body(message.text());
        let mail = match mail {
            Ok(mail) => mail,
            Err(error) => return Answer::Failed(chain(&error)),
        };
        // The timeout of the transport is for each step; this one is for all of them.
        match tokio::time::timeout(CALL_TIME, self.transport.send(mail)).await {
            Ok(Ok(response)) => Answer::Accepted(format!("answered {}", response.code())),
            Ok(Err(error)) if error.is_permanent() => Answer::Failed(chain(&error)),
            Ok(Err(error)) => Answer::Retry(chain(&error)),
            Err(_) => Answer::Retry(format!("did not answer within {} s", CALL_TIME.as_secs())),
        }
    }
}
