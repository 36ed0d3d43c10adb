//! Calls of people's own servers, signed as <https://www.standardwebhooks.com> says: any library for it can verify them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use reqwest::{Client, StatusCode, Url};
use ring::hmac;

use super::{Answer, meaning, no_answer};
use crate::message::Message;

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// Bytes of a secret.
const SECRET_BYTES: usize = 32;

/// Calls webhooks.
#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    client: Client,
}

/// A secret for a new webhook, as it is shown to the person, once.
pub(crate) fn new_secret() -> String {
    let bytes: [u8; SECRET_BYTES] = rand::random();
    format!("{PREFIX}{}", BASE64_STANDARD.encode(bytes))
}

impl Webhook {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    pub(crate) async fn send(&self, url: Url, secret: &str, message: &Message) -> Answer {
        let id = message.id.to_string();
        let seconds = Timestamp::now().as_second().to_string();
        let body = message.to_json().to_string();
        let Some(signature) = sign(secret, &id, &seconds, &body) else {
            return Answer::Failed("the channel has no secret to sign with".to_owned());
        };
        let call = self
            .client
            .post(url)
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature)
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        match call.send().await {
            // Nothing of the body is read: the status is the answer.
            Ok(response) => meaning(response.status(), &[StatusCode::GONE]),
            Err(error) => no_answer(error),
        }
    }
}

/// The value of `webhook-signature`; `None` for a secret that is none.
fn sign(secret: &str, id: &str, seconds: &str, body: &str) -> Option<String> {
    let key = BASE64_STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let signature = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
    Some(format!("v1,{}", BASE64_STANDARD.encode(signature)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn a_call_is_signed_as_the_specification_says() {
        let signature = sign(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signature.as_deref(),
            Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
    }

    #[test]
    fn a_secret_is_new_every_time_and_can_sign() {
        let (first, second) = (new_secret(), new_secret());
        assert_ne!(first, second);
        assert!(sign(&first, "a", "1", "{}").is_some());
        assert_eq!(sign("whsec_?", "a", "1", "{}"), None);
        assert_eq!(sign("", "a", "1", "{}"), None);
    }
}
