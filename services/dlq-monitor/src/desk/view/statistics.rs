//! Counts, as operators see them.

use jiff::Timestamp;
use serde::Serialize;
use service_kit::database::Database;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store::statistics::{self, GroupRow};

/// Letters that wait with the same cause.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Group {
    /// Which.
    #[serde(rename = "group")]
    pub(crate) id: String,
    /// Topic that they were given up in.
    pub(crate) topic: String,
    /// Service that gave them up.
    pub(crate) consumer: Option<String>,
    /// Kind of failure.
    pub(crate) reason: String,
    /// What happened, with `#` for each number.
    pub(crate) fault: String,
    /// How many.
    pub(crate) letters: i64,
    /// Of how many tasks.
    pub(crate) tasks: i64,
    /// When the first was seen.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) first_seen: Timestamp,
    /// When the last came here.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) latest: Timestamp,
    /// The first of them.
    pub(crate) example: Option<Uuid>,
}

impl From<GroupRow> for Group {
    fn from(row: GroupRow) -> Self {
        Self {
            id: row.group_id,
            topic: row.origin,
            consumer: row.consumer,
            reason: row.reason,
            fault: row.fault,
            letters: row.letters,
            tasks: row.tasks,
            first_seen: row.first_seen.0,
            latest: row.latest.0,
            example: row.example,
        }
    }
}

/// How many letters there are of a topic.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Statistics {
    /// Topic that they were given up in.
    pub(crate) topic: String,
    /// Letters that wait.
    pub(crate) depth: i64,
    /// Seconds since the oldest of them was first seen; 0 when there is none.
    pub(crate) oldest_seconds: f64,
    /// Letters that came during the last five minutes.
    pub(crate) arrived_5_minutes: i64,
    /// Letters that came during the last hour.
    pub(crate) arrived_hour: i64,
    /// Letters that came during the last day.
    pub(crate) arrived_day: i64,
    /// Letters that were replayed during the last day.
    pub(crate) replayed_day: i64,
    /// Letters that were found overtaken during the last day.
    pub(crate) superseded_day: i64,
    /// Letters that were discarded during the last day.
    pub(crate) discarded_day: i64,
}

impl Statistics {
    /// Counts the letters of every topic.
    pub(crate) async fn load(database: &Database) -> sqlx::Result<Vec<Self>> {
        let mut connection = database.acquire().await?;
        let depths = statistics::depths(&mut connection).await?;
        let flows = statistics::flows(&mut connection).await?;
        let of_topic = |topic: &&str| {
            let depth = depths.iter().find(|it| it.origin == *topic);
            let flow = flows.iter().find(|it| it.origin == *topic);
            Self {
                topic: (*topic).to_owned(),
                depth: depth.map_or(0, |it| it.depth),
                oldest_seconds: depth.map_or(0.0, |it| it.oldest_seconds),
                arrived_5_minutes: flow.map_or(0, |it| it.arrived_5_minutes),
                arrived_hour: flow.map_or(0, |it| it.arrived_hour),
                arrived_day: flow.map_or(0, |it| it.arrived_day),
                replayed_day: flow.map_or(0, |it| it.replayed_day),
                superseded_day: flow.map_or(0, |it| it.superseded_day),
                discarded_day: flow.map_or(0, |it| it.discarded_day),
            }
        };
        Ok(catalogue::topics::ORIGINS.iter().map(of_topic).collect())
    }
}
