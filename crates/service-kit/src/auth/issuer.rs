//! The issuer of people's tokens, over the network: its keys are read in the background and kept while it is away.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use catalogue::metrics::{DEPENDENCY_UP, TOKEN_KEYS_REFRESHED_TIMESTAMP_SECONDS};
use jiff::Timestamp;
use metrics::Metrics;
use reqwest::{Client, redirect};
use serde::Deserialize;
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{AuthFailure, key_set::KeySet, token::Token};
use crate::{
    config::https_address,
    health::{Check, Health, NeededFor},
    telemetry::chain,
};

/// Time between two readings of the keys.
const READ_EVERY: Duration = Duration::from_mins(5);
/// A token with an unknown key id makes the keys be read again, but not more often than this: anyone can send one.
const READ_FOR_UNKNOWN_KEY_EVERY: Duration = Duration::from_secs(10);
/// How long a request with an unknown key id waits for that.
const WAIT_FOR_UNKNOWN_KEY: Duration = Duration::from_secs(2);
/// Waits after failures double from the first to the second.
const RETRY_AFTER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));
/// How long the issuer may take for one answer.
const ANSWER_TIME: Duration = Duration::from_secs(5);
/// Bytes of one answer.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// An issuer whose keys are read over the network.
#[derive(Debug)]
pub(super) struct Issuer {
    name: String,
    jwks_url: Option<String>,
    client: Client,
    state: watch::Sender<State>,
    /// When a token with an unknown key id last made the keys be read.
    asked: Mutex<Option<Instant>>,
    /// Wakes whoever reads.
    wanted: Notify,
    /// Holds from the first reading on: without keys no request of a person can be answered, with old ones all can.
    keys_known: Check,
    metrics: Metrics,
}

/// What was read last.
#[derive(Clone, Debug, Default)]
struct State {
    keys: Option<Arc<KeySet>>,
    /// When the last reading began, whatever came of it.
    tried: Option<Instant>,
}

impl State {
    /// The keys, if the one that the token names is among them.
    fn keys_with_that_of(&self, token: &Token<'_>) -> Option<Arc<KeySet>> {
        let keys = self.keys.as_ref()?;
        keys.key_of(token).map(|_| Arc::clone(keys))
    }
}

/// Why the keys could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("could not get `{url}`")]
    Get {
        url: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("the answer of `{url}` is longer than {MAX_ANSWER_BYTES} bytes")]
    TooLong { url: String },
    #[error("the answer of `{url}` is no discovery document")]
    NoDiscovery {
        url: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("the discovery document of `{expected}` is that of `{found}`")]
    OtherIssuer { expected: String, found: String },
    #[error("the keys at `{url}` are neither behind https nor on this machine")]
    Plain { url: String },
    #[error("the answer of `{url}` has no key that can be used")]
    NoKeys { url: String },
}

impl Issuer {
    pub(super) fn new(name: String, jwks_url: Option<String>, health: &Health, metrics: Metrics) -> Self {
        // Another part of the process may have chosen already; both choices are the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(ANSWER_TIME)
            .redirect(redirect::Policy::none())
            .build()
            .expect("a client without certificates of its own can be built");
        metrics.gauge(&DEPENDENCY_UP, &["token_issuer"]).set(0.0);
        Self {
            name,
            jwks_url,
            client,
            keys_known: health.check("token_keys", NeededFor::Requests),
            state: watch::Sender::new(State::default()),
            asked: Mutex::new(None),
            wanted: Notify::new(),
            metrics,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The keys; `None` until they were read for the first time.
    pub(super) fn keys(&self) -> Option<Arc<KeySet>> {
        self.state.borrow().keys.clone()
    }

    /// The keys, with the one that the token names; waits for a fresh reading when that one is not known.
    pub(super) async fn keys_for(&self, token: &Token<'_>) -> Result<Arc<KeySet>, AuthFailure> {
        let mut state = self.state.subscribe();
        let known = state.borrow().keys_with_that_of(token);
        if let Some(keys) = known {
            return Ok(keys);
        }
        let asked = self.ask();
        let read_since = state.wait_for(|state| state.tried.is_some_and(|tried| tried >= asked));
        // Whether it was read in time or not: what is known then decides.
        let _ = timeout(WAIT_FOR_UNKNOWN_KEY.saturating_sub(asked.elapsed()), read_since).await;
        let state = self.state.borrow();
        match state.keys_with_that_of(token) {
            Some(keys) => Ok(keys),
            None if state.keys.is_none() => Err(AuthFailure::KeysAway),
            None => Err(AuthFailure::Signature),
        }
    }

    /// Asks for a reading, unless one was asked for lately. Returns when the one that counts was asked for.
    fn ask(&self) -> Instant {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        match *asked {
            Some(lately) if lately.elapsed() < READ_FOR_UNKNOWN_KEY_EVERY => lately,
            _ => {
                self.wanted.notify_one();
                *asked.insert(Instant::now())
            }
        }
    }

    /// Reads the keys, again and again, until it is told to stop.
    pub(super) async fn keep_fresh(&self, stop: &CancellationToken) {
        let (first_wait, longest_wait) = RETRY_AFTER;
        let mut retry_wait = first_wait;
        loop {
            let read = tokio::select! {
                () = stop.cancelled() => return,
                read = self.refresh() => read,
            };
            let wait = if read { READ_EVERY } else { retry_wait };
            retry_wait = if read {
                first_wait
            } else {
                longest_wait.min(retry_wait * 2)
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = sleep(wait.mul_f64(rand::random_range(0.8..1.0))) => {}
                () = self.wanted.notified() => {}
            }
        }
    }

    /// Reads the keys once and says whether it worked. The old ones stay when it did not.
    async fn refresh(&self) -> bool {
        let tried = Some(Instant::now());
        let read = self.read().await;
        let up = self.metrics.gauge(&DEPENDENCY_UP, &["token_issuer"]);
        up.set(f64::from(u8::from(read.is_ok())));
        let done = read.is_ok();
        match read {
            Ok(keys) => {
                let now = Timestamp::now().as_duration().as_secs_f64();
                self.metrics
                    .gauge(&TOKEN_KEYS_REFRESHED_TIMESTAMP_SECONDS, &[])
                    .set(now);
                self.keys_known.holds();
                // The same keys stay the same object: what was checked with them stays checked.
                self.state.send_modify(|state| {
                    state.tried = tried;
                    if state.keys.as_deref() != Some(&keys) {
                        state.keys = Some(Arc::new(keys));
                    }
                });
            }
            Err(error) => {
                let error = chain(&error);
                tracing::warn!(error, "keeping the issuer's old keys: {error}");
                self.state.send_modify(|state| state.tried = tried);
            }
        }
        done
    }

    async fn read(&self) -> Result<KeySet, ReadError> {
        let url = match &self.jwks_url {
            Some(url) => url.clone(),
            None => self.discover().await?,
        };
        let answer = self.get(&url).await?;
        KeySet::parse(&answer).ok_or(ReadError::NoKeys { url })
    }

    /// Asks the issuer's discovery document (`OpenID` Connect Discovery 1.0) for the address of its keys.
    async fn discover(&self) -> Result<String, ReadError> {
        #[derive(Deserialize)]
        struct Discovery {
            issuer: String,
            jwks_uri: String,
        }
        let url = format!("{}/.well-known/openid-configuration", self.name.trim_end_matches('/'));
        let answer = self.get(&url).await?;
        let found: Discovery =
            serde_json::from_slice(&answer).map_err(|source| ReadError::NoDiscovery { url, source })?;
        if found.issuer != self.name {
            return Err(ReadError::OtherIssuer {
                expected: self.name.clone(),
                found: found.issuer,
            });
        }
        // Some issuers choose among key sets by a query.
        let address = found.jwks_uri.split('?').next().unwrap_or_default();
        match https_address(address) {
            Some(_) => Ok(found.jwks_uri),
            None => Err(ReadError::Plain { url: found.jwks_uri }),
        }
    }

    async fn get(&self, url: &str) -> Result<Vec<u8>, ReadError> {
        let failed = |source: reqwest::Error| ReadError::Get {
            url: url.to_owned(),
            source: source.without_url(),
        };
        let response = self.client.get(url).send().await.map_err(failed)?;
        let mut response = response.error_for_status().map_err(failed)?;
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if answer.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(ReadError::TooLong { url: url.to_owned() });
            }
            answer.extend_from_slice(&chunk);
        }
        Ok(answer)
    }
}
