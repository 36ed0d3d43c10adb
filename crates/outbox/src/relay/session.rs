//! The connection that holds a relay's slots: everything that the relay reads or deletes goes over it.
//!
//! The locks live exactly as long as the connection. When it is lost another relay may own the slots at once, and the
//! one that lost it can neither read nor delete any more.

use std::time::Duration;

use catalogue::Schema;
use event_bus::murmur2;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, Row as _,
    postgres::{PgConnectOptions, PgRow},
};
use tokio::time::timeout;
use uuid::Uuid;

use super::{
    floor::{Floors, Mark, Sight},
    share::Locks,
};
use crate::slot::{Slot, SlotSet};

/// Longest wait for the server, for each question.
const DEADLINE: Duration = Duration::from_secs(35);

/// Rows that one slot publishes at a time.
const BATCH_ROWS: usize = 512;

/// Bytes of payload after which a slot's batch takes no further row: all slots together hold at most 16 MiB and one
/// record each.
const BATCH_BYTES: usize = 1024 * 1024;

/// Number beside the slots that every relay locks together: how many hold it is how many there are.
const MEMBERSHIP: i32 = 16;

/// Plans for a table whose statistics are always wrong: by the index, whatever they say. A relay whose machine vanished
/// loses its locks after half a minute.
const SETTINGS: &str = "
    set enable_seqscan = off; set enable_bitmapscan = off; set enable_hashjoin = off; set enable_mergejoin = off;
    set jit = off; set plan_cache_mode = force_generic_plan;
    set statement_timeout = '30s'; set idle_session_timeout = 0;
    set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 4;
";

/// A question that the database did not answer; the connection is not used any further.
#[derive(Debug, thiserror::Error)]
#[error("could not {attempt}")]
pub(super) struct SessionError {
    attempt: &'static str,
    #[source]
    cause: sqlx::Error,
}

/// A row of the outbox.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) slot: Slot,
    pub(super) position: i64,
    pub(super) id: Uuid,
    pub(super) topic: String,
    pub(super) key: String,
    pub(super) event_type: String,
    pub(super) payload: Vec<u8>,
    pub(super) traceparent: Option<String>,
    /// Since it was written, when it was read.
    pub(super) age: Duration,
}

/// The next rows of one slot, in their order.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) slot: Slot,
    pub(super) rows: Vec<Row>,
    /// There may be more.
    pub(super) more: bool,
}

/// A connection with locks.
pub(super) struct Session {
    connection: PgConnection,
    schema: Schema,
}

impl Session {
    /// Connects, and becomes one of the relays of the schema.
    pub(super) async fn open(options: &PgConnectOptions, schema: Schema) -> Result<Self, SessionError> {
        let options = options
            .clone()
            .application_name(&format!("{} outbox relay", schema.owner));
        let connection = within("connect to the database of the outbox", options.connect()).await?;
        let mut session = Self { connection, schema };
        within("set up the session of the relay", session.connection.execute(SETTINGS)).await?;
        let join = sqlx::query("select pg_advisory_lock_shared($1, $2)")
            .bind(lock_class(&schema))
            .bind(MEMBERSHIP)
            .execute(&mut session.connection);
        within("join the relays of the schema", join).await?;
        Ok(session)
    }

    /// Ends the session, and with it its locks, before the server notices by itself.
    pub(super) async fn close(self) -> Result<(), SessionError> {
        within("close the session of the relay", self.connection.close()).await
    }

    /// Who owns what; `own` is what this session took.
    pub(super) async fn locks(&mut self, own: SlotSet) -> Result<Locks, SessionError> {
        let query = sqlx::query(
            "select objid::bigint, count(*) from pg_locks
             where locktype = 'advisory' and objsubid = 2 and granted and classid = $1::oid
                 and database = (select oid from pg_database where datname = current_database())
             group by objid",
        )
        .bind(lock_class(&self.schema));
        let held = within("see the locks of the outbox", query.fetch_all(&mut self.connection)).await?;
        let held: Vec<(i64, i64)> = decode("see the locks of the outbox", &held, |row| {
            Ok((row.try_get(0)?, row.try_get(1)?))
        })?;
        let relays = held.iter().find(|(number, _)| *number == i64::from(MEMBERSHIP));
        Ok(Locks {
            relays: relays.map_or(1, |(_, count)| usize::try_from(*count).unwrap_or(1)),
            taken: held
                .iter()
                .filter_map(|(number, _)| Slot::from_number(*number))
                .collect(),
            own,
        })
    }

    /// Locks those of the slots that nobody owns, and returns them.
    pub(super) async fn take(&mut self, slots: SlotSet) -> Result<SlotSet, SessionError> {
        let query =
            sqlx::query("select slot from unnest($2::smallint[]) as free (slot) where pg_try_advisory_lock($1, slot)")
                .bind(lock_class(&self.schema))
                .bind(slots.numbers());
        let taken = within("lock slots of the outbox", query.fetch_all(&mut self.connection)).await?;
        let taken = decode("lock slots of the outbox", &taken, |row| row.try_get::<i16, _>(0))?;
        Ok(taken.into_iter().filter_map(Slot::from_number).collect())
    }

    /// Unlocks slots.
    pub(super) async fn give_back(&mut self, slots: SlotSet) -> Result<(), SessionError> {
        let query = sqlx::query("select pg_advisory_unlock($1, slot) from unnest($2::smallint[]) as own (slot)")
            .bind(lock_class(&self.schema))
            .bind(slots.numbers());
        within("unlock slots of the outbox", query.execute(&mut self.connection)).await?;
        Ok(())
    }

    /// The next rows of these slots. `left_out` are keys that are passed over.
    pub(super) async fn read(
        &mut self,
        slots: SlotSet,
        floors: &Floors,
        left_out: &[String],
    ) -> Result<Vec<Batch>, SessionError> {
        let statement = format!(
            "select event.slot, event.position, event.id, event.aggregatetype, event.aggregateid, event.type,
                 event.payload, event.traceparent, extract(epoch from clock_timestamp() - event.created_at)::float8
             from unnest($1::smallint[], $2::bigint[]) as lane (slot, floor)
             cross join lateral (
                 select *, sum(octet_length(payload)) over (order by position rows unbounded preceding)
                     - octet_length(payload) as bytes_before
                 from (
                     select * from {}.outbox
                     where slot = lane.slot and position >= lane.floor and aggregateid <> all ($3)
                     order by position limit $4
                 ) as next
             ) as event
             where event.bytes_before < $5",
            self.schema.name
        );
        let query = sqlx::query(AssertSqlSafe(statement))
            .bind(slots.numbers())
            .bind(floors.of_all(slots))
            .bind(left_out)
            .bind(i64::try_from(BATCH_ROWS).unwrap_or(i64::MAX))
            .bind(i64::try_from(BATCH_BYTES).unwrap_or(i64::MAX));
        let rows = within("read the outbox", query.fetch_all(&mut self.connection)).await?;
        let rows = decode("read the outbox", &rows, read_row)?;
        Ok(batches(slots, rows))
    }

    /// Deletes rows that the broker has.
    pub(super) async fn delete(&mut self, rows: &[(Slot, i64)]) -> Result<(), SessionError> {
        let statement = format!(
            "delete from {}.outbox as event using unnest($1::smallint[], $2::bigint[]) as done (slot, position)
             where event.slot = done.slot and event.position = done.position",
            self.schema.name
        );
        let query = sqlx::query(AssertSqlSafe(statement))
            .bind(rows.iter().map(|(slot, _)| slot.number()).collect::<Vec<_>>())
            .bind(rows.iter().map(|(_, position)| *position).collect::<Vec<_>>());
        within(
            "delete published rows of the outbox",
            query.execute(&mut self.connection),
        )
        .await?;
        Ok(())
    }

    /// One step towards higher floors: sets a mark, or looks whether what it waits for has ended.
    pub(super) async fn raise(&mut self, floors: &mut Floors, slots: SlotSet) -> Result<(), SessionError> {
        if floors.has_mark() {
            let sight = self.look(floors, slots).await?;
            floors.rise(slots, &sight);
        } else {
            floors.set_mark(self.mark().await?);
        }
        Ok(())
    }

    async fn mark(&mut self) -> Result<Mark, SessionError> {
        const ATTEMPT: &str = "mark the end of the outbox";
        // Two statements: the transaction id must be taken after the position was read. It is one of our own, because a
        // snapshot's `xmax` is not above every running transaction, only above every ended one.
        let position = format!(
            "select last_value - (not is_called)::int from {}.outbox_position",
            self.schema.name
        );
        let position = sqlx::query_scalar(AssertSqlSafe(position));
        let position = within(ATTEMPT, position.fetch_one(&mut self.connection)).await?;
        let transaction = sqlx::query_scalar("select pg_current_xact_id()::text::bigint");
        let transaction = within(ATTEMPT, transaction.fetch_one(&mut self.connection)).await?;
        Ok(Mark { position, transaction })
    }

    async fn look(&mut self, floors: &Floors, slots: SlotSet) -> Result<Sight, SessionError> {
        const ATTEMPT: &str = "look for the first row of the outbox";
        let statement = format!(
            "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint, lane.slot, first.position
             from unnest($1::smallint[], $2::bigint[]) as lane (slot, floor)
             left join lateral (
                 select position from {}.outbox
                 where slot = lane.slot and position >= lane.floor order by position limit 1
             ) as first on true",
            self.schema.name
        );
        let query = sqlx::query(AssertSqlSafe(statement))
            .bind(slots.numbers())
            .bind(floors.of_all(slots));
        let rows = within(ATTEMPT, query.fetch_all(&mut self.connection)).await?;
        let rows: Vec<(i64, i16, Option<i64>)> = decode(ATTEMPT, &rows, |row| {
            Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
        })?;
        Ok(Sight {
            oldest_running: rows.first().map_or(0, |(oldest_running, ..)| *oldest_running),
            first_positions: rows
                .into_iter()
                .filter_map(|(_, slot, position)| Slot::from_number(slot).zip(position))
                .collect(),
        })
    }
}

/// First number of the locks of a schema's relays.
fn lock_class(schema: &Schema) -> i32 {
    murmur2(format!("outbox of {}", schema.name).as_bytes()) & i32::MAX
}

fn read_row(row: &PgRow) -> sqlx::Result<Row> {
    let slot: i16 = row.try_get(0)?;
    let age_seconds: f64 = row.try_get(8)?;
    Ok(Row {
        slot: Slot::from_number(slot).ok_or_else(|| sqlx::Error::Protocol(format!("{slot} is no slot")))?,
        position: row.try_get(1)?,
        id: row.try_get(2)?,
        topic: row.try_get(3)?,
        key: row.try_get(4)?,
        event_type: row.try_get(5)?,
        payload: row.try_get(6)?,
        traceparent: row.try_get(7)?,
        age: Duration::try_from_secs_f64(age_seconds).unwrap_or_default(),
    })
}

/// One batch for each slot that was read, the empty ones too.
fn batches(slots: SlotSet, mut rows: Vec<Row>) -> Vec<Batch> {
    // They come in this order; order is too important to rest on a plan.
    rows.sort_unstable_by_key(|row| (row.slot, row.position));
    let mut rows = rows.into_iter().peekable();
    let mut batches = Vec::with_capacity(slots.len());
    for slot in slots.iter() {
        let mut of_slot = Vec::new();
        while let Some(row) = rows.next_if(|row| row.slot == slot) {
            of_slot.push(row);
        }
        let bytes: usize = of_slot.iter().map(|row| row.payload.len()).sum();
        let more = of_slot.len() >= BATCH_ROWS || bytes >= BATCH_BYTES;
        batches.push(Batch {
            slot,
            rows: of_slot,
            more,
        });
    }
    batches
}

fn decode<T>(
    attempt: &'static str,
    rows: &[PgRow],
    one: impl Fn(&PgRow) -> sqlx::Result<T>,
) -> Result<Vec<T>, SessionError> {
    let decoded: sqlx::Result<Vec<T>> = rows.iter().map(one).collect();
    decoded.map_err(|cause| SessionError { attempt, cause })
}

/// Waits for an answer, within the deadline.
async fn within<T>(attempt: &'static str, question: impl Future<Output = sqlx::Result<T>>) -> Result<T, SessionError> {
    let answer = timeout(DEADLINE, question).await;
    let answer = answer.unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())));
    answer.map_err(|cause| SessionError { attempt, cause })
}
