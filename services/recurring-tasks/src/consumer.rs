//! What becomes of each event.

use std::sync::Arc;

use catalogue::{metrics::OCCURRENCES_TOTAL, spans};
use domain::recurrence::next::Next;
use event_bus::{Cause, Delivery, Handler, Outcome, crash_point};
use events::{Body, Event};
use metrics::{IntCounter, Metrics};
use service_kit::{
    database::{Database, is_unavailable},
    health::Health,
    telemetry::chain,
};
use tracing::{Instrument as _, Span, field, info_span};

use crate::{
    chat_api::{CallError, ChatApi, Commanded, NewOccurrence},
    inbox,
    successor::{Completion, completion},
};

/// Has the successor of every completed recurring task created.
pub(crate) struct Successors {
    database: Database,
    chat_api: Arc<ChatApi>,
    health: Health,
    counts: Counts,
}

/// What became of completed recurring tasks.
struct Counts {
    created: IntCounter,
    duplicate: IntCounter,
    ended: IntCounter,
    refused: IntCounter,
    failed: IntCounter,
}

/// Why a completion has not been dealt with.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("could not record the event as applied")]
    Inbox(#[from] sqlx::Error),
    #[error("could not have the next instance created")]
    Call(#[from] CallError),
}

impl Successors {
    pub(crate) fn new(database: Database, chat_api: Arc<ChatApi>, health: Health, metrics: &Metrics) -> Self {
        let count = |outcome| metrics.counter(&OCCURRENCES_TOTAL, &[outcome]);
        Self {
            database,
            chat_api,
            health,
            counts: Counts {
                created: count("created"),
                duplicate: count("duplicate"),
                ended: count("ended"),
                refused: count("refused"),
                failed: count("failed"),
            },
        }
    }

    /// Deals with a completion once, and says whether it was dealt with before.
    ///
    /// The claim is committed after the call: a process that dies in between makes the call again, which changes
    /// nothing. The other way round, it would never be made.
    async fn apply(&self, event: &Event, completion: &Completion) -> Result<bool, Failure> {
        let Some(claim) = inbox::claim(&self.database, event).await? else {
            return Ok(true);
        };
        let count = match completion.next {
            Next::Ended => &self.counts.ended,
            Next::Occurrence(occurrence) => {
                let new = NewOccurrence {
                    task: completion.task,
                    series: completion.series,
                    occurrence,
                    completed_at: completion.completed_at,
                };
                Span::current().record(spans::OCCURRENCE_KEY.key, field::display(occurrence.key));
                crash_point!("recurring.before_call");
                let commanded = self.chat_api.create(&new, &event.context.correlation_id).await?;
                crash_point!("recurring.after_call");
                match commanded {
                    Commanded::Created => &self.counts.created,
                    Commanded::Existed => &self.counts.duplicate,
                    Commanded::Refused => &self.counts.refused,
                }
            }
        };
        claim.commit().await?;
        crash_point!("recurring.after_commit");
        count.inc();
        Ok(false)
    }

    /// What the bus is to do after a failure. An outage is nobody's fault and is not counted.
    fn outcome(&self, failure: &Failure) -> Outcome {
        let error = chain(failure);
        tracing::warn!(error, "a completed task has no successor yet: {error}");
        let away = match failure {
            Failure::Inbox(error) => is_unavailable(error),
            Failure::Call(error) => matches!(
                error,
                CallError::NotReached(_) | CallError::Silent(_) | CallError::Away(_)
            ),
        };
        if away {
            return Outcome::Retry(Cause::unavailable(failure));
        }
        self.counts.failed.inc();
        let cause = Cause::failed(failure);
        match failure {
            Failure::Call(CallError::NotTaken(_)) => Outcome::DeadLetter(cause),
            Failure::Call(_) | Failure::Inbox(_) => Outcome::Retry(cause),
        }
    }
}

impl Handler for Successors {
    async fn handle(&self, delivery: &Delivery) -> Outcome {
        let Body::Task(changed) = &delivery.event.body else {
            return Outcome::Done { duplicate: false };
        };
        let completion = match completion(changed) {
            Ok(Some(completion)) => completion,
            Ok(None) => return Outcome::Done { duplicate: false },
            Err(cause) => {
                self.counts.failed.inc();
                return Outcome::DeadLetter(cause);
            }
        };
        let span = info_span!(
            spans::RECURRENCE_NEXT.name,
            { spans::TASK_ID.key } = completion.task.get(),
            { spans::USER_ID.key } = delivery.event.user_id().as_str(),
            { spans::SERIES_ID.key } = %completion.series,
            { spans::OCCURRENCE_KEY.key } = field::Empty,
        );
        match self.apply(&delivery.event, &completion).instrument(span).await {
            Ok(duplicate) => Outcome::Done { duplicate },
            Err(failure) => self.outcome(&failure),
        }
    }

    /// Without chat-api nothing can be done, so its outage is one of ours. Health knows of both, and of migrations that
    /// are missing; the database is looked at anew, because an attempt that hung there has told nobody yet.
    async fn available(&self) -> bool {
        self.health.may_consume() && self.database.is_reachable().await
    }
}
