use std::sync::Arc;

use catalogue::app_ids::RUST_SERVICES;
use jiff::Timestamp;
use metrics::Metrics;
use tokio_util::sync::CancellationToken;

use super::{
    AuthFailure, PublicKey, ServiceCaller, User,
    claims::Proof,
    issuer::Issuer,
    key_set::KeySet,
    token::Token,
    verified::{Verified, VerifiedTokens},
};
use crate::{config::TokenSettings, health::Health};

/// Checks the tokens of people. Clones share their keys.
#[derive(Clone, Debug)]
pub struct TokenChecker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    audience: String,
    /// The configured issuer.
    remote: Option<Issuer>,
    /// Built-in accounts: this process signs the tokens itself.
    local: Option<(LocalIssuer, Arc<KeySet>)>,
    verified: VerifiedTokens,
    metrics: Metrics,
}

/// An issuer whose key is at hand.
#[derive(Clone, Debug)]
pub struct LocalIssuer {
    /// `iss` of its tokens.
    pub name: String,
    /// Checks its tokens.
    pub key: PublicKey,
}

impl TokenChecker {
    /// A checker for the configured issuer, the built-in one, or both. It knows no keys of the configured one before
    /// [`keep_keys_fresh`](Self::keep_keys_fresh) has read them; so long the service is not ready.
    pub fn new(settings: TokenSettings, local: Option<LocalIssuer>, health: &Health, metrics: &Metrics) -> Self {
        let TokenSettings {
            issuer,
            audience,
            jwks_url,
        } = settings;
        let remote = issuer.map(|name| Issuer::new(name, jwks_url, health, metrics.clone()));
        let local = local.map(|local| {
            let keys = Arc::new(KeySet::of(local.key.clone()));
            (local, keys)
        });
        Self(Arc::new(Inner {
            audience,
            remote,
            local,
            verified: VerifiedTokens::default(),
            metrics: metrics.clone(),
        }))
    }

    /// Reads the configured issuer's keys, again and again, until it is told to stop; without such an issuer it only waits
    /// for that. While the issuer is away the last keys stay in use.
    pub async fn keep_keys_fresh(&self, stop: CancellationToken) {
        match &self.0.remote {
            Some(issuer) => issuer.keep_fresh(&stop).await,
            None => stop.cancelled().await,
        }
    }

    /// Whom the token is about. A failure is counted in `auth_failures_total`.
    pub async fn check(&self, token: &str) -> Result<User, AuthFailure> {
        let checked = self.0.check(token, Timestamp::now()).await;
        checked.inspect_err(|failure| failure.count(&self.0.metrics))
    }

    /// The metrics that failures are counted in.
    pub(super) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }
}

impl Inner {
    async fn check(&self, text: &str, now: Timestamp) -> Result<User, AuthFailure> {
        if let Some(user) = self.verified.get(text, |keys| self.uses(keys), now) {
            return Ok(user);
        }
        let token = Token::parse(text)?;
        let keys = self.keys_for(&token).await?;
        let key = keys.key_of(&token).ok_or(AuthFailure::Signature)?;
        let Proof {
            subject,
            scopes,
            expires,
        } = token.signed_by(key)?.check(&self.audience, now)?;
        let user = User::new(subject, scopes, expires);
        let verified = Verified {
            user: user.clone(),
            expires,
            keys,
        };
        self.verified.insert(text, verified);
        Ok(user)
    }

    /// The keys of the issuer that the token names.
    async fn keys_for(&self, token: &Token<'_>) -> Result<Arc<KeySet>, AuthFailure> {
        let name = token.issuer()?;
        if let Some((_, keys)) = self.local.as_ref().filter(|(local, _)| local.name == name) {
            return Ok(Arc::clone(keys));
        }
        match self.remote.as_ref().filter(|remote| remote.name() == name) {
            Some(remote) => remote.keys_for(token).await,
            None => Err(AuthFailure::Issuer),
        }
    }

    /// Whether these are the keys of an issuer still.
    fn uses(&self, keys: &Arc<KeySet>) -> bool {
        let local = self.local.as_ref().map(|(_, keys)| Arc::clone(keys));
        let remote = self.remote.as_ref().and_then(Issuer::keys);
        [local, remote]
            .iter()
            .flatten()
            .any(|current| Arc::ptr_eq(current, keys))
    }
}

/// Checks the tokens that services show each other. They have a key and an audience of their own, so that no token of a
/// person is one.
#[derive(Clone, Debug)]
pub struct ServiceTokenChecker {
    key: PublicKey,
    metrics: Metrics,
}

impl ServiceTokenChecker {
    /// A checker of what was signed with the private half of this key.
    pub fn new(key: PublicKey, metrics: &Metrics) -> Self {
        Self {
            key,
            metrics: metrics.clone(),
        }
    }

    /// Which service shows the token, if it is for this audience and allows this scope. A failure is counted in
    /// `auth_failures_total`.
    pub fn check(&self, token: &str, audience: &str, scope: &'static str) -> Result<ServiceCaller, AuthFailure> {
        let checked = self.check_at(token, audience, scope, Timestamp::now());
        checked.inspect_err(|failure| failure.count(&self.metrics))
    }

    fn check_at(
        &self,
        text: &str,
        audience: &str,
        scope: &'static str,
        now: Timestamp,
    ) -> Result<ServiceCaller, AuthFailure> {
        let token = Token::parse(text)?;
        let issuer = token.issuer()?.to_owned();
        let app_id = *RUST_SERVICES
            .iter()
            .find(|it| **it == issuer)
            .ok_or(AuthFailure::Issuer)?;
        let proof = token.signed_by(&self.key)?.check(audience, now)?;
        if proof.subject != app_id {
            return Err(AuthFailure::Malformed("its `sub` is not its `iss`"));
        }
        if !proof.scopes.contains(scope) {
            return Err(AuthFailure::Scope(scope));
        }
        Ok(ServiceCaller { app_id })
    }

    /// The metrics that failures are counted in.
    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}
