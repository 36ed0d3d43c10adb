//! chat-api, which creates the next instance when it is told to.

mod answer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use catalogue::{app_ids, paths, services::CREATE_OCCURRENCE};
use domain::{
    id::{SeriesId, TaskId},
    recurrence::next::Occurrence,
};
use event_bus::{Password, SidecarSettings, dapr::TOKEN_HEADER};
use events::CorrelationId;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::{Timestamp, civil::DateTime};
use reqwest::{Client, RequestBuilder, redirect};
use serde::Serialize;
use service_kit::{
    auth::TokenSigner,
    health::Check,
    server::{CORRELATION_ID, ConnectionLimits},
    telemetry,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::answer::{Answer, Meaning};

/// Header that makes a command one command, however often it is sent.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Time for a connection.
const CONNECT_TIME: Duration = Duration::from_secs(1);
/// Time for a whole call.
const CALL_TIME: Duration = Duration::from_secs(2);
/// Time in which chat-api must say whether it can be called.
const LOOK_TIME: Duration = Duration::from_secs(1);
/// Time between two looks of the watch. Shorter than the retries of one delivery take together, so that an outage is
/// known before they are used up.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// chat-api, by the port for other services.
#[derive(Debug)]
pub(crate) struct ChatApi {
    client: Client,
    way: Way,
    signer: TokenSigner,
    /// Commands that it has decided on so far.
    decided: AtomicU64,
}

/// The way to chat-api.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// What stands before a path; without a closing slash.
    url: String,
    /// Shown to the own sidecar, where it leads there.
    sidecar: Option<Password>,
}

impl Way {
    /// To its internal port, at this address without a path.
    pub(crate) fn direct(url: String) -> Self {
        Self { url, sidecar: None }
    }

    /// Through the own sidecar, which finds the other one.
    pub(crate) fn through(sidecar: &SidecarSettings) -> Self {
        Self {
            url: format!("{}/v1.0/invoke/{}/method", sidecar.endpoint, app_ids::CHAT_API),
            sidecar: Some(sidecar.api_token.clone()),
        }
    }

    /// Adds what the sidecar asks for.
    fn prepare(&self, call: RequestBuilder) -> RequestBuilder {
        match &self.sidecar {
            Some(token) => call.header(TOKEN_HEADER, &token.0),
            None => call,
        }
    }
}

/// The next instance of a series, as chat-api is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewOccurrence {
    /// The completed task that it follows.
    pub(crate) task: TaskId,
    /// The series of both.
    pub(crate) series: SeriesId,
    /// Which one it is.
    pub(crate) occurrence: Occurrence,
    /// The completion that it follows from: after another one, chat-api refuses it.
    pub(crate) completed_at: Timestamp,
}

/// The body of the command.
#[derive(Serialize)]
struct Body {
    series: Uuid,
    occurrence_key: DateTime,
    ordinal: u32,
    completed_at: Timestamp,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commanded {
    /// The instance is there now.
    Created,
    /// It was there before.
    Existed,
    /// It must not be: the task was reopened, changed or deleted meanwhile. Nothing is left to do.
    Refused,
}

/// Why nobody knows yet what becomes of a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// Nobody answers there.
    #[error("could not reach chat-api")]
    NotReached(#[source] reqwest::Error),
    /// Who answers cannot obey now, whatever the command.
    #[error("chat-api cannot obey now: {0}")]
    Away(Answer),
    /// The call was begun and there was no answer, nor was another command decided on meanwhile.
    #[error("chat-api is silent")]
    Silent(#[source] reqwest::Error),
    /// The call was begun and there was no answer, while another command was decided on: perhaps it is this one.
    #[error("chat-api gave no answer")]
    NoAnswer(#[source] reqwest::Error),
    /// The call failed over there, perhaps by this command.
    #[error("chat-api failed: {0}")]
    Failed(Answer),
    /// It is not understood, and will not be the next time.
    #[error("chat-api does not take the command: {0}")]
    NotTaken(Answer),
}

impl ChatApi {
    /// A client that signs its calls. Connections are made when they are needed, and kept.
    pub(crate) fn new(way: Way, signer: TokenSigner) -> reqwest::Result<Self> {
        let client = Client::builder()
            .connect_timeout(CONNECT_TIME)
            // The other side closes what is silent for this long; a call must not meet it there.
            .pool_idle_timeout(ConnectionLimits::default().head_timeout / 2)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            client,
            way,
            signer,
            decided: AtomicU64::new(0),
        })
    }

    /// Commands it to create the instance. Sent twice, it has the effect of once.
    pub(crate) async fn create(
        &self,
        new: &NewOccurrence,
        correlation_id: &CorrelationId,
    ) -> Result<Commanded, CallError> {
        let path = CREATE_OCCURRENCE.path.replace("{id}", &new.task.to_string());
        let token = self
            .signer
            .service_token(app_ids::RECURRING_TASKS, CREATE_OCCURRENCE.access, Timestamp::now());
        let body = Body {
            series: new.series.get(),
            occurrence_key: new.occurrence.key.get(),
            ordinal: new.occurrence.ordinal,
            completed_at: new.completed_at,
        };
        let call = self
            .client
            .post(format!("{}{path}", self.way.url))
            .timeout(CALL_TIME)
            .bearer_auth(token)
            .headers(headers(new, correlation_id))
            .json(&body);
        let decided_before = self.decided.load(Relaxed);
        let answer = self.answer(self.way.prepare(call)).await?;
        match answer.meaning() {
            // As with a call that nobody answers: see [`ChatApi::answer`].
            Meaning::Away if answer.is_by_sidecar() && self.decided.load(Relaxed) != decided_before => {
                Err(CallError::Failed(answer))
            }
            Meaning::Created => Ok(Commanded::Created),
            Meaning::Existed => Ok(Commanded::Existed),
            Meaning::Refused => {
                tracing::info!(%answer, "the next instance of task {} was refused: {answer}", new.task);
                Ok(Commanded::Refused)
            }
            Meaning::Away => Err(CallError::Away(answer)),
            Meaning::Failed => Err(CallError::Failed(answer)),
            Meaning::NotTaken => Err(CallError::NotTaken(answer)),
        }
    }

    /// The answer to a call.
    ///
    /// How long a command takes lies with chat-api and its database, not with what the command says. So one without an
    /// answer waits, as in any other outage. It counts as failed only where another was decided on in the same time: a
    /// command that is the exception must not hold up its partition for ever.
    async fn answer(&self, call: RequestBuilder) -> Result<Answer, CallError> {
        let decided_before = self.decided.load(Relaxed);
        let answer = match call.send().await {
            Ok(response) => Answer::read(response).await,
            Err(error) if error.is_connect() => return Err(CallError::NotReached(error)),
            Err(error) => Err(error),
        };
        match answer {
            Ok(answer) => {
                if answer.decides() {
                    self.decided.fetch_add(1, Relaxed);
                }
                Ok(answer)
            }
            Err(error) if self.decided.load(Relaxed) == decided_before => Err(CallError::Silent(error)),
            Err(error) => Err(CallError::NoAnswer(error)),
        }
    }

    /// Whether it says that it can be called: it lives, and its database is there.
    async fn is_available(&self) -> bool {
        let look = self.client.get(format!("{}{}", self.way.url, paths::READY_EVENTS));
        let answer = self.way.prepare(look).timeout(LOOK_TIME).send().await;
        answer.is_ok_and(|response| response.status().is_success())
    }
}

/// Reports whether chat-api can be called, until it is told to stop.
pub(crate) async fn watch(chat_api: Arc<ChatApi>, reachable: Check, stop: CancellationToken) {
    let look = async || {
        if chat_api.is_available().await {
            reachable.holds();
        } else {
            reachable.fails("not reachable");
        }
        sleep(LOOK_EVERY).await;
    };
    while stop.run_until_cancelled(look()).await.is_some() {}
}

fn headers(new: &NewOccurrence, correlation_id: &CorrelationId) -> HeaderMap {
    let value = |text: &str| HeaderValue::from_str(text).expect("visible ASCII can stand in a header");
    let mut headers = HeaderMap::new();
    headers.insert(CORRELATION_ID, value(correlation_id.as_str()));
    let key = format!("{}/{}", new.series, new.occurrence.key);
    headers.insert(IDEMPOTENCY_KEY, value(&key));
    telemetry::inject(&mut headers);
    headers
}

#[cfg(test)]
mod tests {
    use event_bus::RetryPolicy;

    use super::CALL_TIME;
    use crate::inbox::CLAIM_TIME;

    /// Otherwise an attempt is cut off, which counts against the event, before an outage is seen as one.
    #[test]
    fn a_call_and_what_comes_before_it_fit_into_one_attempt() {
        let connection = std::time::Duration::from_secs(2);
        assert!(connection + CLAIM_TIME + CALL_TIME < RetryPolicy::default().attempt_timeout);
    }
}
