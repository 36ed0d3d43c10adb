//! What the core has in its tables and topics once it has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::{
    services::AUDIT,
    topics::{REMINDERS_DLQ, TASK_EVENTS, TASK_EVENTS_DLQ},
};
use serde_json::Value;
use sqlx::{PgPool, Row as _};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::{
    topic::{Log, Record},
    world::{PATIENCE, World},
};

/// Everything that the invariants speak of.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The tasks, by number.
    pub tasks: BTreeMap<i64, Task>,
    /// Which tasks follow which: predecessor and successor.
    pub successors: Vec<(i64, i64)>,
    /// Of each person, how many changes were counted.
    pub user_sequences: BTreeMap<String, i64>,
    /// The record of audit, by task in the order of the chain.
    pub trail: Vec<Told>,
    /// What stands in the topic, by partition in its order, repetitions included. What is no event is left out.
    pub topic: Vec<(i32, Told)>,
    /// The events that recurring-tasks has applied.
    pub applied: BTreeSet<Uuid>,
    /// How many records became dead letters.
    pub dead_letters: i64,
    /// How audit's own verification ended, and what it printed.
    pub verification: (Option<i32>, Vec<String>),
}

/// A row of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// Whose it is.
    pub user: String,
    /// The number of its changes.
    pub version: i64,
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: String,
    /// Whether it was completed.
    pub completed: bool,
    /// Whether it comes back.
    pub recurring: bool,
    /// The series and the instance of it, if it is one.
    pub instance: Option<String>,
}

/// An event, as far as the invariants speak of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Its identity.
    pub id: Uuid,
    /// The task.
    pub task: i64,
    /// The version of the task.
    pub version: i64,
    /// Whose task it is.
    pub user: String,
    /// The number of the change among those of the person.
    pub user_sequence: i64,
    /// What happened: created, updated, completed or deleted.
    pub kind: String,
    /// Whether the task comes back.
    pub recurring: bool,
}

impl Told {
    /// Reads an envelope, without our own types.
    pub fn of(envelope: &[u8]) -> Option<Self> {
        let event: Value = serde_json::from_slice(envelope).ok()?;
        let count = |name: &str| event[name].as_str()?.parse().ok();
        let data = &event["data"];
        Some(Self {
            id: event["id"].as_str()?.parse().ok()?,
            task: count("subject")?,
            version: count("sequence")?,
            user: data["user_id"].as_str()?.to_owned(),
            user_sequence: count("userseq")?,
            kind: data["event_type"].as_str()?.to_owned(),
            recurring: data["task_snapshot"]["recurrence"].is_object(),
        })
    }
}

impl Facts {
    /// Looks everywhere.
    pub async fn gather(world: &World) -> Self {
        let (records, dead_letters) = topics(world).await;
        let read = records
            .into_iter()
            .filter_map(|record| Some((record.partition, Told::of(&record.value)?)));
        let pool = &world.pool;
        Self {
            tasks: tasks(pool).await,
            successors: successors(pool).await,
            user_sequences: user_sequences(pool).await,
            trail: trail(pool).await,
            topic: read.collect(),
            applied: applied(pool).await,
            dead_letters,
            verification: verification(world).await,
        }
    }
}

/// All records of the topic of tasks, and how many dead letters there are.
async fn topics(world: &World) -> (Vec<Record>, i64) {
    let events = world.log(TASK_EVENTS);
    let twins = [TASK_EVENTS_DLQ, REMINDERS_DLQ].map(|topic| world.log(topic));
    let read = spawn_blocking(move || {
        let letters: Result<i64, String> = twins.iter().map(Log::end).sum();
        (
            events.records().expect("the topic can be read"),
            letters.expect("the twins can be read"),
        )
    });
    read.await.expect("reading does not panic")
}

async fn verification(world: &World) -> (Option<i32>, Vec<String>) {
    let mut verification = world.core.run(&AUDIT, "verify");
    let status = verification.exit(PATIENCE).await;
    (status.code(), verification.lines())
}

async fn tasks(pool: &PgPool) -> BTreeMap<i64, Task> {
    let query = sqlx::query(
        "select id, user_id, version, title, description, status = 'completed', recurrence is not null,
            series || ' ' || occurrence
        from chat.task",
    );
    let rows = query.fetch_all(pool).await.expect("the tasks can be read");
    let task = |row: &sqlx::postgres::PgRow| Task {
        user: row.get(1),
        version: row.get(2),
        title: row.get(3),
        description: row.get(4),
        completed: row.get(5),
        recurring: row.get(6),
        instance: row.get(7),
    };
    rows.iter().map(|row| (row.get(0), task(row))).collect()
}

async fn successors(pool: &PgPool) -> Vec<(i64, i64)> {
    let query = sqlx::query_as("select predecessor_id, task_id from chat.occurrence");
    query.fetch_all(pool).await.expect("the series can be read")
}

async fn user_sequences(pool: &PgPool) -> BTreeMap<String, i64> {
    let query = sqlx::query_as("select user_id, user_sequence from chat.profile");
    let rows: Vec<(String, i64)> = query.fetch_all(pool).await.expect("the profiles can be read");
    rows.into_iter().collect()
}

async fn trail(pool: &PgPool) -> Vec<Told> {
    let query = sqlx::query_scalar("select event from audit.event order by task_id, position");
    let rows: Vec<Vec<u8>> = query.fetch_all(pool).await.expect("the record can be read");
    rows.iter().map(|row| Told::of(row).expect("it is an event")).collect()
}

async fn applied(pool: &PgPool) -> BTreeSet<Uuid> {
    let query = sqlx::query_scalar("select event_id from recurring.inbox");
    let rows: Vec<Uuid> = query.fetch_all(pool).await.expect("the inbox can be read");
    rows.into_iter().collect()
}
