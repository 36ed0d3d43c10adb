//! Claiming: a reminder whose time has come becomes due, once, together with the event that tells of it.
//!
//! Whoever is awake may claim: the sweeper, or a job that was scheduled for the instant. Both meet in one conditional
//! update, so that only the first finds a reminder planned; a stale generation is found by nobody.

use std::time::Duration;

use catalogue::{database, spans, topics};
use domain::id::{TaskId, UserId};
use event_bus::{Outgoing, crash_point, trace_context};
use events::{Context, Counter, Event, EventId, ReminderDue};
use jiff::Timestamp;
use outbox::Bell;
use service_kit::database::Database;
use sqlx::{Postgres, Transaction};
use tracing::info_span;
use uuid::Uuid;

use crate::{
    plan::State,
    store::reminders::{self, DueRow},
    telling::Telling,
};

/// A reminder that is later than this is of no use to anybody: nobody claims it, it expires, and the ledger says so. As
/// long as the topic keeps its event.
pub(crate) const TOO_LATE: Duration = Duration::from_hours(14 * 24);
/// Reminders that one transaction claims.
const BATCH: i64 = 500;

/// Who woke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claimer {
    /// Nobody: the sweeper looked by itself.
    Sweeper,
    /// A job that was scheduled for the instant.
    Job,
}

impl Claimer {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Sweeper => "sweeper",
            Self::Job => "job",
        }
    }
}

/// Why nothing was claimed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("could not claim reminders")]
    Database(#[from] sqlx::Error),
    #[error("could not tell of due reminders")]
    Outbox(#[from] outbox::AppendError),
}

/// What claims need.
#[derive(Clone, Debug)]
pub(crate) struct Claims {
    pub(crate) database: Database,
    pub(crate) bell: Bell,
    pub(crate) telling: Telling,
}

impl Claims {
    /// Claims what has been due for this time, up to one batch, and says how many.
    pub(crate) async fn claim_due(&self, since: Duration) -> Result<u64, Error> {
        let mut transaction = self.database.begin().await?;
        let due = reminders::lock_due(&mut transaction, since.as_secs_f64(), TOO_LATE.as_secs_f64(), BATCH).await?;
        self.claim(transaction, due, Claimer::Sweeper).await
    }

    /// Claims one generation when it is planned and due, and says whether it did.
    pub(crate) async fn claim_one(&self, id: Uuid, generation: i32) -> Result<bool, Error> {
        let mut transaction = self.database.begin().await?;
        let due = reminders::lock_one(&mut transaction, id, generation, TOO_LATE.as_secs_f64()).await?;
        let claimed = self.claim(transaction, due.into_iter().collect(), Claimer::Job).await?;
        Ok(claimed > 0)
    }

    async fn claim(
        &self,
        mut transaction: Transaction<'static, Postgres>,
        due: Vec<DueRow>,
        claimer: Claimer,
    ) -> Result<u64, Error> {
        if due.is_empty() {
            return Ok(0);
        }
        let told: Vec<(DueRow, Outgoing)> = due.into_iter().filter_map(tell_of).collect();
        let ids: Vec<Uuid> = told.iter().map(|(row, _)| row.id).collect();
        let generations: Vec<i32> = told.iter().map(|(row, _)| row.generation).collect();
        let event_ids: Vec<Uuid> = told.iter().map(|(_, event)| event.event_id).collect();
        let taken = reminders::claim(&mut transaction, claimer.as_str(), &ids, &generations, &event_ids).await?;
        let is_claimed = |event: &Outgoing| taken.contains(&event.event_id);
        let events: Vec<Outgoing> = told.into_iter().map(|(_, event)| event).filter(is_claimed).collect();
        outbox::append_many(&mut transaction, &database::NOTIFICATION, &events).await?;
        crash_point!("notification.before_claim_commit");
        outbox::commit(transaction, &self.bell).await?;
        crash_point!("notification.after_claim_commit");
        let count = events.len() as u64;
        self.telling.entered(State::Due, count);
        Ok(count)
    }
}

/// The row with its event. A row that no event can tell of was written by nobody of ours, and is left out.
fn tell_of(row: DueRow) -> Option<(DueRow, Outgoing)> {
    let span = info_span!(
        spans::REMINDER_CLAIM.name,
        { spans::TASK_ID.key } = row.task_id,
        { spans::USER_ID.key } = row.user_id,
        { spans::REMINDER_ID.key } = %row.id,
        { spans::REMINDER_GENERATION.key } = row.generation,
    );
    let _inside = span.enter();
    let traceparent = trace_context::current();
    let context = Context {
        id: EventId::generate(),
        correlation_id: row.correlation_id.parse().ok()?,
        traceparent: traceparent.as_deref().and_then(|text| text.parse().ok()),
    };
    let event_id = context.id.get();
    let reminder = ReminderDue {
        task_id: TaskId::new(row.task_id).ok()?,
        user_id: UserId::new(row.user_id.clone()).ok()?,
        version: Counter::new(row.version).ok()?,
        title: row.title.clone(),
        due_at: row.due_at.map(|it| it.0),
        remind_at: row.remind_at.0,
    };
    let event = Event::reminder_due(reminder, Timestamp::now(), context);
    let outgoing = Outgoing {
        topic: topics::REMINDERS,
        key: event.key(),
        event_id,
        event_type: event.event_type().name.to_owned(),
        value: event.to_json().into(),
        traceparent,
    };
    Some((row, outgoing))
}
