//! A letter, as operators see it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use service_kit::database::Database;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::store::letters::{self, BodyRow, Filter, HeadRow, HistoryRow};

/// A letter without what is large.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Head {
    /// Which.
    pub(crate) id: Uuid,
    /// Topic that it was given up in.
    pub(crate) topic: String,
    /// `waiting`, `replayed`, `superseded` or `discarded`.
    pub(crate) state: String,
    /// Letters with the same cause have the same.
    pub(crate) group: String,
    /// Kind of failure; `unknown` where nobody said.
    pub(crate) reason: String,
    /// What happened, by who gave it up.
    pub(crate) detail: String,
    /// Service that gave it up, where it said so.
    pub(crate) consumer: Option<String>,
    /// Attempts that it counted.
    pub(crate) attempts: Option<i32>,
    /// `id` of the event, where it can be read.
    pub(crate) event_id: Option<Uuid>,
    /// `type` of the event, where it can be read.
    pub(crate) event_type: Option<String>,
    /// The task, where it can be read.
    pub(crate) task_id: Option<i64>,
    /// Its version, where it can be read.
    pub(crate) version: Option<i64>,
    /// The trace of what caused the event.
    pub(crate) trace_id: Option<String>,
    /// When the consumer first saw it.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) first_seen: Timestamp,
    /// When it came here.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) arrived_at: Timestamp,
    /// When it was settled.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) resolved_at: Option<Timestamp>,
    /// Size of its value.
    pub(crate) size_bytes: i64,
}

impl From<HeadRow> for Head {
    fn from(row: HeadRow) -> Self {
        Self {
            id: row.id,
            topic: row.origin,
            state: row.state,
            group: row.group_id,
            reason: row.reason,
            detail: row.detail,
            consumer: row.consumer,
            attempts: row.attempts,
            event_id: row.event_id,
            event_type: row.event_type,
            task_id: row.task_id,
            version: row.version,
            trace_id: row.trace_id,
            first_seen: row.first_seen.0,
            arrived_at: row.arrived_at.0,
            resolved_at: row.resolved_at.map(|it| it.0),
            size_bytes: row.size_bytes,
        }
    }
}

/// A letter with all that is known of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Shown {
    /// What a list shows.
    #[serde(flatten)]
    pub(crate) head: Head,
    /// Partition that the record lay in.
    pub(crate) origin_partition: Option<i32>,
    /// Offset that it had there.
    pub(crate) origin_offset: Option<i64>,
    /// When it was written there.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) origin_timestamp: Option<Timestamp>,
    /// Where the letter lay: topic, partition and offset.
    pub(crate) place: String,
    /// `source` of the event, where it can be read.
    pub(crate) source: Option<String>,
    /// Key of the record.
    pub(crate) key: Option<Bytes>,
    /// Value of the record, as it is; null where it has none or `omitted_bytes` tells its size.
    pub(crate) value: Option<Bytes>,
    /// Size of a value that the dead-letter topic did not take: it lies at its origin.
    pub(crate) omitted_bytes: Option<i64>,
    /// Headers of the record in their order: `name`, and `text` or `base64`.
    pub(crate) headers: Value,
    /// What actions made of it.
    pub(crate) history: Vec<Past>,
}

/// Bytes that may be a text.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bytes {
    /// What they say in UTF-8.
    Text(String),
    /// What they are, where they are no UTF-8.
    Base64(String),
}

/// What an action made of a letter.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Past {
    /// The action.
    pub(crate) action: Uuid,
    /// `replay` or `discard`.
    pub(crate) kind: String,
    /// Who.
    pub(crate) actor: String,
    /// What was said about it.
    pub(crate) note: Option<String>,
    /// What became of the letter; null while nobody has dealt with it.
    pub(crate) outcome: Option<String>,
    /// What to know about it.
    pub(crate) detail: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) at: Option<Timestamp>,
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(
            |error| Self::Base64(BASE64_STANDARD.encode(error.as_bytes())),
            Self::Text,
        )
    }
}

impl From<HistoryRow> for Past {
    fn from(row: HistoryRow) -> Self {
        Self {
            action: row.action_id,
            kind: row.kind,
            actor: row.actor,
            note: row.note,
            outcome: row.outcome,
            detail: row.detail,
            at: row.at.map(|it| it.0),
        }
    }
}

impl Shown {
    /// Loads a letter; `None` when there is none with this id.
    pub(crate) async fn load(database: &Database, id: Uuid) -> sqlx::Result<Option<Self>> {
        let mut connection = database.acquire().await?;
        let one = Filter {
            ids: Some(vec![id]),
            ..Filter::default()
        };
        let heads = letters::page(&mut connection, &one, None, None, 1).await?;
        let (Some(head), Some(body)) = (heads.into_iter().next(), letters::body(&mut connection, id).await?) else {
            return Ok(None);
        };
        let history = letters::history(&mut connection, id).await?;
        Ok(Some(Self::new(head.into(), body, history)))
    }

    fn new(head: Head, body: BodyRow, history: Vec<HistoryRow>) -> Self {
        Self {
            head,
            origin_partition: body.origin_partition,
            origin_offset: body.origin_offset,
            origin_timestamp: body.origin_timestamp.map(|it| it.0),
            place: format!("{}/{}/{}", body.place_topic, body.place_partition, body.place_offset),
            source: body.source,
            key: body.key.map(Bytes::from),
            value: body.value.map(Bytes::from),
            omitted_bytes: body.omitted_bytes,
            headers: body.headers,
            history: history.into_iter().map(Past::from).collect(),
        }
    }
}
