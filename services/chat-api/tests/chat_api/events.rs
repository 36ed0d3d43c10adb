//! What comes out of the topic.

use std::time::{Duration, Instant};

use catalogue::topics::TASK_EVENTS;
use events::{Body, Event, TaskChanged};
use rdkafka::{
    ClientConfig, Message as _,
    consumer::{BaseConsumer, Consumer as _},
};
use test_kit::Topics;

use crate::app::PATIENCE;

/// Reads every event of a test's topic from the beginning.
pub(crate) struct Reader(BaseConsumer);

impl Reader {
    pub(crate) fn of(topics: &Topics) -> Self {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", topics.brokers())
            .set("group.id", format!("{}test", topics.prefix()))
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false")
            .create()
            .expect("the settings are valid");
        let topic = topics.name(TASK_EVENTS);
        consumer.subscribe(&[&topic]).expect("the topic can be subscribed to");
        Self(consumer)
    }

    /// The next events, as many as wanted; fails when they do not come.
    pub(crate) fn take(&self, wanted: usize) -> Vec<Event> {
        let deadline = Instant::now() + PATIENCE;
        let mut events = Vec::new();
        while events.len() < wanted {
            assert!(
                Instant::now() < deadline,
                "{} of {wanted} events came: {events:#?}",
                events.len()
            );
            let Some(record) = self.0.poll(Duration::from_millis(100)) else {
                continue;
            };
            let record = record.expect("the broker answers");
            let event = Event::parse(record.payload().expect("an event has a value")).expect("it is an event");
            assert_eq!(record.key(), Some(event.key().as_bytes()), "{event:?}");
            events.push(event);
        }
        events
    }
}

/// The change that an event tells of.
#[track_caller]
pub(crate) fn change(event: &Event) -> &TaskChanged {
    match &event.body {
        Body::Task(changed) => changed,
        Body::ReminderDue(_) => panic!("no change of a task: {event:?}"),
    }
}
