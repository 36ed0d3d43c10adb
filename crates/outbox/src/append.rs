//! Recording events in the caller's transaction.

use std::slice;

use catalogue::{Schema, topics};
use event_bus::Outgoing;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::slot::Slot;

/// What a record holds beside key and value, at most: its headers, and the headers of its batch.
const RECORD_OVERHEAD_BYTES: usize = 1024;

/// The events were not appended; the transaction must be rolled back.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// No broker would ever take this event, so its change must not be committed.
    #[error("event `{event_id}` of {size_bytes} bytes is too large for topic `{topic}`")]
    TooLarge {
        /// The event.
        event_id: Uuid,
        /// Its topic.
        topic: &'static str,
        /// Size of its key and value.
        size_bytes: usize,
    },
    /// The database did not take the rows.
    #[error("could not append events to the outbox of `{schema}`")]
    Database {
        /// The schema.
        schema: &'static str,
        /// Why.
        #[source]
        cause: sqlx::Error,
    },
}

/// The statements that create the outbox in this schema; they belong into a migration of its owner.
#[must_use]
pub fn ddl(schema: &Schema) -> String {
    include_str!("../sql/outbox.sql").replace("{schema}", schema.name)
}

/// Appends an event in the transaction of its change. The caller has locked the row of the key's aggregate: see the
/// crate's promise of order.
pub async fn append(connection: &mut PgConnection, schema: &Schema, event: &Outgoing) -> Result<(), AppendError> {
    append_many(connection, schema, slice::from_ref(event)).await
}

/// Appends events in this order, as [`append`] does with one.
pub async fn append_many(
    connection: &mut PgConnection,
    schema: &Schema,
    events: &[Outgoing],
) -> Result<(), AppendError> {
    events.iter().try_for_each(fits_its_topic)?;
    // `where` is asked before positions are given out, and gives the transaction its id: the relay's floor rests on
    // every position belonging to a transaction that can be seen running.
    let statement = format!(
        "insert into {}.outbox (id, aggregatetype, aggregateid, type, payload, traceparent, slot)
         select id, aggregatetype, aggregateid, type, payload, traceparent, slot
         from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::smallint[])
             with ordinality as event (id, aggregatetype, aggregateid, type, payload, traceparent, slot, number)
         where pg_current_xact_id() is not null
         order by number",
        schema.name
    );
    sqlx::query(AssertSqlSafe(statement))
        .bind(events.iter().map(|event| event.event_id).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.topic).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.key.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.event_type.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.value.as_ref()).collect::<Vec<_>>())
        .bind(
            events
                .iter()
                .map(|event| event.traceparent.as_deref())
                .collect::<Vec<_>>(),
        )
        .bind(
            events
                .iter()
                .map(|event| Slot::of_key(&event.key).number())
                .collect::<Vec<_>>(),
        )
        .execute(connection)
        .await
        .map(|_inserted| ())
        .map_err(|cause| AppendError::Database {
            schema: schema.name,
            cause,
        })
}

fn fits_its_topic(event: &Outgoing) -> Result<(), AppendError> {
    let size_bytes = event.key.len() + event.value.len();
    let limit_bytes = topics::ALL
        .iter()
        .find(|topic| topic.name == event.topic)
        .map_or(usize::MAX, |topic| topic.max_message_bytes as usize);
    if size_bytes + RECORD_OVERHEAD_BYTES <= limit_bytes {
        return Ok(());
    }
    Err(AppendError::TooLarge {
        event_id: event.event_id,
        topic: event.topic,
        size_bytes,
    })
}
