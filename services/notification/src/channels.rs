//! The ways by which reminders reach people, and what providers may answer.

mod guard;
mod mail;
pub(crate) mod target;
mod web_push;
mod webhook;

use std::time::Duration;

use reqwest::{Client, StatusCode, redirect};
use service_kit::telemetry::chain;

pub(crate) use guard::Guard;
pub(crate) use mail::{MailSettings, Mailer};
pub(crate) use target::{Kind, Target};
pub(crate) use web_push::{Push, VapidKey};
pub(crate) use webhook::{Webhook, new_secret};

use crate::message::Message;

/// Time that a provider has for a whole call.
pub(crate) const CALL_TIME: Duration = Duration::from_secs(8);
/// Time for a connection.
const CONNECT_TIME: Duration = Duration::from_secs(3);

/// What a provider said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It has the message.
    Accepted(String),
    /// Not now.
    Retry(String),
    /// Never this message.
    Failed(String),
    /// Never any message: the channel does not exist any more.
    Gone(String),
}

/// Every provider that is configured. Clones share connections.
#[derive(Clone, Debug)]
pub(crate) struct Providers {
    webhook: Webhook,
    mail: Option<Mailer>,
    push: Option<Push>,
    guard: Guard,
}

/// Why a provider cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetUpError {
    #[error("could not make a client for webhooks and push services")]
    Client(#[from] reqwest::Error),
    #[error("could not make a client for the mail server")]
    Mail(#[from] lettre::transport::smtp::Error),
}

impl Providers {
    pub(crate) fn new(guard: Guard, mail: Option<&MailSettings>, push: Option<VapidKey>) -> Result<Self, SetUpError> {
        // Every call leads where a person says, so none follows a redirect, and each name is resolved by the guard.
        let client = Client::builder()
            .connect_timeout(CONNECT_TIME)
            .timeout(CALL_TIME)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .dns_resolver(guard)
            .build()?;
        Ok(Self {
            webhook: Webhook::new(client.clone()),
            mail: mail.map(Mailer::new).transpose()?,
            push: push.map(|key| Push::new(client, key)),
            guard,
        })
    }

    /// Whether messages can be sent this way at all.
    pub(crate) fn offers(&self, kind: Kind) -> bool {
        match kind {
            Kind::InApp | Kind::Webhook => true,
            Kind::Email => self.mail.is_some(),
            Kind::WebPush => self.push.is_some(),
        }
    }

    /// The key that browsers subscribe with; `None` where Web Push is off.
    pub(crate) fn vapid_public_key(&self) -> Option<&str> {
        self.push.as_ref().map(Push::public_key)
    }

    /// What keeps addresses of people from leading inside.
    pub(crate) fn guard(&self) -> Guard {
        self.guard
    }

    /// Hands the message to its provider, in a bounded time.
    pub(crate) async fn send(&self, target: &Target, secret: Option<&str>, message: &Message) -> Answer {
        match target {
            Target::InApp {} => Answer::Accepted("it stands in the ledger".to_owned()),
            Target::Webhook { url } => match self.guard.check(url) {
                Ok(url) => self.webhook.send(url, secret.unwrap_or_default(), message).await,
                Err(refused) => Answer::Failed(refused.to_string()),
            },
            Target::Email { address } => match &self.mail {
                Some(mailer) => mailer.send(address, message).await,
                None => Answer::Retry("no mail server is configured".to_owned()),
            },
            Target::WebPush { endpoint, keys } => match (&self.push, self.guard.check(endpoint)) {
                (None, _) => Answer::Retry("Web Push is not configured".to_owned()),
                (_, Err(refused)) => Answer::Failed(refused.to_string()),
                (Some(push), Ok(endpoint)) => push.send(endpoint, keys, message).await,
            },
        }
    }
}

/// What the status of an HTTP answer means for a message.
fn meaning(status: StatusCode, gone: &[StatusCode]) -> Answer {
    let told = format!("answered {}", status.as_u16());
    if status.is_success() {
        Answer::Accepted(told)
    } else if gone.contains(&status) {
        Answer::Gone(told)
    } else if status.is_redirection() {
        Answer::Failed(format!("{told}; redirects are not followed"))
    } else if status.is_server_error()
        || [
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::TOO_EARLY,
            StatusCode::TOO_MANY_REQUESTS,
        ]
        .contains(&status)
    {
        Answer::Retry(told)
    } else {
        Answer::Failed(told)
    }
}

/// What a call without an answer means. The address of a person may be a secret, so it is not told.
fn no_answer(error: reqwest::Error) -> Answer {
    if error.is_timeout() {
        return Answer::Retry(format!("did not answer within {} s", CALL_TIME.as_secs()));
    }
    let text = chain(&error.without_url());
    // What the guard says comes through the client as the cause of a failed connection.
    if text.contains(guard::REFUSED) {
        Answer::Failed(guard::REFUSED.to_owned())
    } else {
        Answer::Retry(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_says_whether_to_try_again() {
        let gone = [StatusCode::GONE];
        let name = |status: u16| match meaning(StatusCode::from_u16(status).unwrap(), &gone) {
            Answer::Accepted(_) => "accepted",
            Answer::Retry(_) => "retry",
            Answer::Failed(_) => "failed",
            Answer::Gone(_) => "gone",
        };
        for (expected, statuses) in [
            ("accepted", &[200, 201, 204][..]),
            ("retry", &[408, 425, 429, 500, 502, 503, 504]),
            ("failed", &[301, 302, 307, 308, 400, 401, 403, 404, 413]),
            ("gone", &[410]),
        ] {
            for status in statuses {
                assert_eq!(name(*status), expected, "{status}");
            }
        }
    }
}
