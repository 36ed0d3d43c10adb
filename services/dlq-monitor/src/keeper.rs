//! Takes what lies in the topics: dead letters are kept, and versions of tasks are noted.

use catalogue::{spans, topics};
use event_bus::{Cause, Outcome, RecordDelivery, RecordHandler, crash_point, trace_context};
use events::{Body, Event};
use jiff::Timestamp;
use service_kit::{
    database::{Database, is_unavailable},
    health::Health,
};
use tracing::{Instrument as _, info_span};

use crate::{letter::Letter, store, telling::Telling};

/// Keeps every record of the dead-letter topics. Nothing that one holds makes it fail: only the database can.
#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    pub(crate) database: Database,
    pub(crate) health: Health,
    pub(crate) telling: Telling,
}

impl Keeper {
    /// Keeps a letter, once, and says whether it was there before.
    async fn keep(&self, record: &RecordDelivery) -> sqlx::Result<bool> {
        let letter = Letter::read(record, Timestamp::now());
        let envelope = &letter.envelope;
        let span = info_span!(
            spans::DEAD_LETTER_STORE.name,
            { spans::EVENT_ID.key } = envelope.event_id.map(|id| id.to_string()),
            { spans::EVENT_TYPE.key } = envelope.event_type,
            { spans::TASK_ID.key } = envelope.task_id,
            { spans::MESSAGING_DESTINATION_NAME.key } = record.topic,
        );
        let traceparent = record.headers.iter().rev().find(|it| it.name == "traceparent");
        if let Some(traceparent) = traceparent.and_then(|it| std::str::from_utf8(it.value.as_deref()?).ok()) {
            trace_context::link_to(&span, traceparent);
        }
        let store = async {
            let mut transaction = self.database.begin().await?;
            let new = store::letters::add(&mut transaction, &letter, &record.place).await?;
            crash_point!("dlq.before_store_commit");
            transaction.commit().await?;
            crash_point!("dlq.after_store_commit");
            Ok::<_, sqlx::Error>(new)
        };
        let new = store.instrument(span).await?;
        if new {
            self.telling.arrived(letter.origin);
        }
        Ok(!new)
    }

    /// Notes the version of a task. What cannot be read is somebody else's dead letter.
    async fn note_version(&self, record: &RecordDelivery) -> sqlx::Result<bool> {
        let event = record.value.as_deref().map(Event::parse);
        let Some(Ok(event)) = event else { return Ok(false) };
        if !matches!(event.body, Body::Task(_)) {
            return Ok(false);
        }
        let mut connection = self.database.acquire().await?;
        let (task_id, version) = (event.task_id().get(), event.sequence().get());
        let newer = store::tasks::note(&mut connection, task_id, version).await?;
        Ok(!newer)
    }
}

impl RecordHandler for Keeper {
    async fn handle(&self, record: &RecordDelivery) -> Outcome {
        let handled = if record.topic == topics::TASK_EVENTS {
            self.note_version(record).await
        } else {
            self.keep(record).await
        };
        match handled {
            Ok(duplicate) => Outcome::Done { duplicate },
            Err(error) if is_unavailable(&error) => Outcome::Retry(Cause::unavailable(&error)),
            Err(error) => Outcome::Retry(Cause::failed(&error)),
        }
    }

    async fn available(&self) -> bool {
        self.health.may_consume() && self.database.is_reachable().await
    }
}
