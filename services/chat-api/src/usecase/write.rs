//! A decided change becomes rows and an event, in one transaction.

use catalogue::{database, topics};
use domain::{
    task::{
        Task,
        transition::{Change, ChangeKind},
    },
    time::Zone,
};
use event_bus::{Outgoing, trace_context};
use events::{Context, Counter, Event, EventId};
use service_kit::database::time::Instant;
use sqlx::PgConnection;

use super::{Author, DEFAULT_ZONE, Error, changed_fields::changed_fields};
use crate::store::{
    profiles,
    tasks::{self, Beside},
};

/// Writes a change, what changed for people, and the event. `before` is the task that the caller has locked; a new task
/// has none.
pub(super) async fn write(
    connection: &mut PgConnection,
    author: &Author,
    before: Option<&Task>,
    change: &Change,
) -> Result<(), Error> {
    let task = &change.task;
    let beside = Beside {
        due_at: task.due.as_ref().map(|due| due.at(&author.person.zone)),
        language: &author.person.language,
        kind: change.kind,
        fields: changed_fields(before, task),
        correlation_id: author.correlation_id.as_str(),
    };
    let raised = match change.kind {
        ChangeKind::Created => tasks::insert(connection, task, &beside).await?,
        ChangeKind::Updated | ChangeKind::Completed => tasks::update(connection, task, &beside).await?,
        ChangeKind::Deleted => tasks::delete(connection, &task.user, task.id).await?,
    };
    let zone = Zone::new(&raised.time_zone).unwrap_or(DEFAULT_ZONE);
    let due_at = task.due.as_ref().map(|due| due.at(&zone));
    if let Some(at) = due_at.filter(|_| due_at != beside.due_at) {
        // The person moved to another zone after this transaction had read where they live.
        profiles::move_due(connection, &[(task.id.get(), Instant(at))]).await?;
    }
    let outgoing = outgoing(author, change, &zone, raised.user_sequence).ok_or(Error::Exhausted)?;
    outbox::append(connection, &database::CHAT, &outgoing).await?;
    Ok(())
}

/// The event that tells of the change; `None` when a counter of it has reached its end.
fn outgoing(author: &Author, change: &Change, zone: &Zone, user_sequence: i64) -> Option<Outgoing> {
    let traceparent = trace_context::current();
    let context = Context {
        id: EventId::generate(),
        correlation_id: author.correlation_id.clone(),
        traceparent: traceparent.as_deref().and_then(|text| text.parse().ok()),
    };
    let event_id = context.id.get();
    let user_sequence = Counter::new(user_sequence).ok()?;
    let event = Event::task_changed(change, zone, user_sequence, context).ok()?;
    Some(Outgoing {
        topic: topics::TASK_EVENTS,
        key: event.key(),
        event_id,
        event_type: event.event_type().name.to_owned(),
        value: event.to_json().into(),
        traceparent,
    })
}
