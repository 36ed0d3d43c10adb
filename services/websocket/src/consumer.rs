//! What websocket does with the events that it consumes: it tells them to the clients of the person.

use catalogue::spans::{EVENT_ID, EVENT_TYPE, LIVE_BROADCAST, TASK_ID, USER_ID};
use event_bus::{Delivery, Handler, Outcome};
use events::{Body, Event};

use crate::{
    hub::Hub,
    message::{Reminder, ServerMessage, TaskChange, number},
};

/// Tells every event to the hub. It can always: nothing that it needs can be away.
#[derive(Debug)]
pub(crate) struct Broadcaster(pub(crate) Hub);

impl Handler for Broadcaster {
    async fn handle(&self, delivery: &Delivery) -> Outcome {
        let event = &delivery.event;
        let span = tracing::info_span!(
            LIVE_BROADCAST.name,
            { EVENT_ID.key } = %event.context.id,
            { EVENT_TYPE.key } = event.event_type().name,
            { TASK_ID.key } = event.task_id().get(),
            { USER_ID.key } = event.user_id().as_str(),
        );
        span.in_scope(|| self.tell(event));
        Outcome::Done { duplicate: false }
    }

    async fn available(&self) -> bool {
        true
    }
}

impl Broadcaster {
    fn tell(&self, event: &Event) {
        let (user, id) = (event.user_id().as_str(), event.context.id.get());
        match &event.body {
            Body::Task(changed) => {
                let note = ServerMessage::Change(Box::new(TaskChange::of(event, changed))).to_note();
                self.0.change(user, number(changed.user_sequence), id, note);
            }
            Body::ReminderDue(due) => {
                let note = ServerMessage::Reminder(Reminder::of(event, due)).to_note();
                self.0.reminder(user, id, note);
            }
        }
    }
}
