//! One letter of a replay, in the transaction of its step.

use catalogue::spans;
use event_bus::{Outgoing, trace_context};
use events::Event;
use sqlx::PgConnection;
use tracing::info_span;
use uuid::Uuid;

use crate::{
    store::{
        items::{self, NextRow},
        letters,
        replays::{self, KnownRow},
    },
    verdict::{Known, Verdict, judge},
};

/// What became of a letter.
#[derive(Clone, Debug)]
pub(crate) struct Stepped {
    /// Topic that it was given up in; empty where the letter is gone.
    pub(crate) origin: String,
    pub(crate) outcome: &'static str,
    pub(crate) detail: Option<String>,
    /// What is to be published, where it goes back.
    pub(crate) event: Option<Outgoing>,
}

/// Says what becomes of the next letter, and marks it. Whoever commits this must publish the event in the same
/// transaction, by the outbox; whoever only wants to know rolls back.
pub(crate) async fn step(
    connection: &mut PgConnection,
    action: Uuid,
    next: NextRow,
    again: bool,
) -> sqlx::Result<Stepped> {
    let row = replays::known(connection, next.letter_id).await?;
    let stepped = match row {
        Some(row) if row.state == "waiting" => judged(&row, again),
        other => settled(other),
    };
    if matches!(stepped.outcome, "replayed" | "superseded") {
        letters::settle(connection, next.letter_id, stepped.outcome).await?;
    }
    items::note(
        connection,
        action,
        next.position,
        stepped.outcome,
        stepped.detail.as_deref(),
    )
    .await?;
    Ok(stepped)
}

fn judged(row: &KnownRow, again: bool) -> Stepped {
    let verdict = judge(&Known {
        origin: &row.origin,
        consumer: row.consumer.as_deref(),
        value: row.value.as_deref(),
        newest: row.newest,
        newer_waiting: row.newer_waiting,
        replays: row.replays,
        before: row.before,
        again,
    });
    let (outcome, detail) = (verdict.outcome(), verdict.detail());
    let event = match verdict {
        Verdict::Replay { event, upcast } => Some(outgoing(&event, upcast, row.value.as_deref())),
        _ => None,
    };
    let too_large = event.as_ref().is_some_and(is_too_large);
    if too_large {
        return Stepped {
            origin: row.origin.clone(),
            outcome: "publish",
            detail: Some("the event is larger than its topic takes".to_owned()),
            event: None,
        };
    }
    Stepped {
        origin: row.origin.clone(),
        outcome,
        detail,
        event,
    }
}

/// Somebody else was faster.
fn settled(row: Option<KnownRow>) -> Stepped {
    let detail = row.as_ref().map_or_else(
        || "the letter is gone".to_owned(),
        |row| format!("{} already", row.state),
    );
    Stepped {
        origin: row.map(|row| row.origin).unwrap_or_default(),
        outcome: "settled",
        detail: Some(detail),
        event: None,
    }
}

/// The event with its own id, byte for byte where it is of the current version: what a newer minor version has added stays.
fn outgoing(event: &Event, upcast: bool, value: Option<&[u8]>) -> Outgoing {
    let span = info_span!(
        spans::DEAD_LETTER_REPLAY.name,
        { spans::EVENT_ID.key } = %event.context.id,
        { spans::EVENT_TYPE.key } = event.event_type().name,
        { spans::TASK_ID.key } = event.task_id().get(),
        { spans::MESSAGING_DESTINATION_NAME.key } = event.event_type().topic,
    );
    if let Some(traceparent) = &event.context.traceparent {
        trace_context::link_to(&span, traceparent.as_str());
    }
    let _inside = span.enter();
    Outgoing {
        topic: event.event_type().topic,
        key: event.key(),
        event_id: event.context.id.get(),
        event_type: event.event_type().name.to_owned(),
        value: match value {
            Some(value) if !upcast => value.to_vec().into(),
            _ => event.to_json().into(),
        },
        // A replay is a trace of its own.
        traceparent: trace_context::current(),
    }
}

/// Bytes that a record takes beside key and value, generously; as the outbox and the publisher count.
const RECORD_OVERHEAD_BYTES: usize = 1024;

fn is_too_large(event: &Outgoing) -> bool {
    let size_bytes = event.key.len() + event.value.len() + RECORD_OVERHEAD_BYTES;
    size_bytes > catalogue::topics::MAX_EVENT_BYTES as usize
}
