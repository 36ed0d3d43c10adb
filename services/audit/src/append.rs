//! Appending an event to the chain of its task.

use catalogue::spans;
use event_bus::{Delivery, crash_point};
use events::Event;
use jiff::Timestamp;
use service_kit::database::{Database, time::Instant};
use tracing::{Instrument as _, info_span};

use crate::{
    chain::{Hash, Row},
    day::Day,
    retention::{DAYS_AHEAD, Place, Retention},
    store,
};

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appended {
    /// It is the last row of its task's chain.
    New,
    /// It was there already.
    Before,
    /// It is older than the retention, and leaves no row.
    Expired,
}

/// Why an event was not appended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The task was somebody else's so far.
    #[error("task {0} belongs to another person")]
    OtherPerson(i64),
    /// The id was made on a day that is far ahead.
    #[error("the id of the event is of {0}, more than {DAYS_AHEAD} days ahead")]
    Future(Day),
    /// There is no partition for its day, and none could be made. Not the event's fault.
    #[error("could not prepare {day}")]
    NoDay {
        day: Day,
        #[source]
        source: sqlx::Error,
    },
    /// The database.
    #[error("could not append an event")]
    Database(#[from] sqlx::Error),
}

/// Appends the event, once, whoever else does so at the same time.
pub(crate) async fn append(
    database: &Database,
    delivery: &Delivery,
    retention: Retention,
    now: Timestamp,
) -> Result<Appended, Error> {
    let event = &delivery.event;
    let span = info_span!(
        spans::AUDIT_APPEND.name,
        { spans::EVENT_ID.key } = %event.context.id,
        { spans::EVENT_TYPE.key } = event.event_type().name,
        { spans::TASK_ID.key } = event.task_id().get(),
    );
    let row = place(delivery, now);
    let (day, user_id) = (row.event_day, event.user_id().as_str());
    let append = async {
        match retention.place(day, Day::of(now)) {
            Place::Expired => return Ok(Appended::Expired),
            Place::Future => return Err(Error::Future(day)),
            Place::Kept => {}
        }
        match try_append(database, row.clone(), user_id).await {
            // Days ahead are prepared in time; one that is past is made when its first event comes.
            Err(Error::Database(error)) if store::rows::is_day_missing(&error) => {
                prepare(database, day).await?;
                try_append(database, row, user_id).await
            }
            appended => appended,
        }
    };
    append.instrument(span).await
}

/// The event as a row that has no place in the chain yet.
fn place(delivery: &Delivery, now: Timestamp) -> Row {
    let event: &Event = &delivery.event;
    Row {
        task_id: event.task_id().get(),
        position: 0,
        event_day: Day::of_event(event.context.id),
        source: event.source.clone(),
        event_id: event.context.id.get(),
        event_type: event.event_type().name.to_owned(),
        recorded_at: Instant(now),
        event: delivery.value.to_vec(),
        previous_hash: Hash::START,
        hash: Hash::START,
    }
}

async fn try_append(database: &Database, row: Row, user_id: &str) -> Result<Appended, Error> {
    let mut transaction = database.begin().await?;
    let head = store::chains::lock(&mut transaction, row.task_id, user_id).await?;
    if head.user_id != user_id {
        return Err(Error::OtherPerson(row.task_id));
    }
    let row = Row {
        position: head.position + 1,
        previous_hash: head.hash,
        ..row
    };
    if !store::rows::append(&mut transaction, &row.sealed(user_id)).await? {
        return Ok(Appended::Before);
    }
    crash_point!("audit.before_commit");
    transaction.commit().await?;
    crash_point!("audit.after_commit");
    Ok(Appended::New)
}

async fn prepare(database: &Database, day: Day) -> Result<(), Error> {
    let prepared = async {
        let mut transaction = database.begin().await?;
        store::days::wait_shortly(&mut transaction).await?;
        let made = store::days::prepare(&mut transaction, day).await?;
        transaction.commit().await?;
        Ok(made)
    };
    let made = prepared.await.map_err(|source| Error::NoDay { day, source })?;
    tracing::info!(day = %day, made, "prepared {day} for an event of it");
    Ok(())
}
