//! Tokens, with a real issuer on loopback and real sockets.

mod doors;
mod keys;
mod own_tokens;
mod tokens;

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use metrics::Metrics;
use reqwest::Client;
use serde_json::Value;
use service_kit::{
    auth::{AuthFailure, LocalIssuer, TokenChecker},
    config::TokenSettings,
    health::Health,
};
use test_kit::{Issuer, wait_until};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::app::{Answer, metrics};

const DEADLINE: Duration = Duration::from_secs(10);

/// A checker for the issuer, whose keys are read in the background.
struct Checking {
    checker: TokenChecker,
    health: Health,
    metrics: Metrics,
    _stop: DropGuard,
}

impl Checking {
    fn start(settings: TokenSettings, local: Option<LocalIssuer>) -> Self {
        let (metrics, stop) = (metrics(), CancellationToken::new());
        let health = Health::new(&metrics, CancellationToken::new());
        let checker = TokenChecker::new(settings, local, &health, &metrics);
        let (background, stopped) = (checker.clone(), stop.clone());
        tokio::spawn(async move { background.keep_keys_fresh(stopped).await });
        Self {
            checker,
            health,
            metrics,
            _stop: stop.drop_guard(),
        }
    }

    /// Finds the keys by the issuer's discovery document, and waits for them.
    async fn of(issuer: &Issuer) -> Self {
        let checking = Self::start(discovered(issuer), None);
        checking.is_ready().await;
        checking
    }

    async fn is_ready(&self) {
        wait_until("the keys are read", DEADLINE, async || {
            if self.health.is_ready() {
                Ok(())
            } else {
                Err("not ready")
            }
        })
        .await;
    }

    async fn user(&self, token: &str) -> Result<String, AuthFailure> {
        self.checker.check(token).await.map(|user| user.id().to_owned())
    }

    async fn refusal(&self, token: &str) -> AuthFailure {
        self.checker.check(token).await.expect_err("the token is refused")
    }
}

fn discovered(issuer: &Issuer) -> TokenSettings {
    TokenSettings {
        issuer: Some(issuer.url()),
        audience: "taskflow".to_owned(),
        jwks_url: None,
    }
}

/// Claims of the issuer, with one replaced.
fn claims_but(issuer: &Issuer, name: &str, value: Value) -> Value {
    let mut claims = issuer.claims_for("ada");
    claims[name] = value;
    claims
}

/// A token with this header and these claims; the signature is made of what stands before it.
fn forge(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let encode = |part: &Value| BASE64_URL_SAFE_NO_PAD.encode(part.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(message.as_bytes()));
    format!("{message}.{signature}")
}

/// The key that the issuer publishes.
async fn published(issuer: &Issuer) -> Value {
    Answer::to(Client::new().get(issuer.jwks_url())).await.json()["keys"][0].clone()
}
