//! What the transports call for each record: a handler of events, or one of records as they are.

use catalogue::spans;
use jiff::Timestamp;
use tracing::{Span, field, info_span};

use crate::{
    attempt::Origin,
    handler::{Cause, Delivery, Handler, Outcome},
    record::{RecordDelivery, RecordHandler, RecordView},
    trace_context,
};

/// What is done with the records of a service.
pub trait Work: Send + Sync + 'static {
    /// What a record becomes before it is handled.
    type Item: Send + Sync;

    /// Understands a record, or says why that cannot be.
    fn read(&self, topic: &'static str, record: &impl RecordView) -> Result<Self::Item, Cause>;

    /// The span in which it is handled.
    fn span(&self, item: &Self::Item, origin: &Origin<'_>) -> Span;

    /// When it happened, where that is known.
    fn happened_at(item: &Self::Item) -> Option<Timestamp>;

    /// Handles it once.
    fn handle_item(&self, item: &Self::Item) -> impl Future<Output = Outcome> + Send;

    /// Whether what the handler needs can be reached.
    fn is_available(&self) -> impl Future<Output = bool> + Send;
}

impl<H: Handler> Work for H {
    type Item = Delivery;

    fn read(&self, topic: &'static str, record: &impl RecordView) -> Result<Delivery, Cause> {
        let value = record.value().unwrap_or_default();
        let event = events::Event::parse(&value).map_err(|error| Cause::from(&error))?;
        Ok(Delivery { topic, event, value })
    }

    fn span(&self, delivery: &Delivery, origin: &Origin<'_>) -> Span {
        let event = &delivery.event;
        let span = handle_span(delivery.topic, origin);
        span.record(spans::EVENT_ID.key, event.context.id.to_string());
        span.record(spans::EVENT_TYPE.key, event.event_type().name);
        span.record(spans::TASK_ID.key, event.task_id().get());
        span.record(spans::USER_ID.key, event.user_id().as_str());
        if let Some(traceparent) = &event.context.traceparent {
            trace_context::link_to(&span, traceparent.as_str());
        }
        span
    }

    fn happened_at(delivery: &Delivery) -> Option<Timestamp> {
        Some(delivery.event.time)
    }

    fn handle_item(&self, delivery: &Delivery) -> impl Future<Output = Outcome> + Send {
        self.handle(delivery)
    }

    fn is_available(&self) -> impl Future<Output = bool> + Send {
        self.available()
    }
}

/// A handler of records as they are.
pub(crate) struct Records<H>(pub(crate) H);

impl<H: RecordHandler> Work for Records<H> {
    type Item = RecordDelivery;

    fn read(&self, topic: &'static str, record: &impl RecordView) -> Result<RecordDelivery, Cause> {
        Ok(record.whole(topic))
    }

    fn span(&self, record: &RecordDelivery, origin: &Origin<'_>) -> Span {
        handle_span(record.topic, origin)
    }

    fn happened_at(record: &RecordDelivery) -> Option<Timestamp> {
        record.timestamp
    }

    fn handle_item(&self, record: &RecordDelivery) -> impl Future<Output = Outcome> + Send {
        self.0.handle(record)
    }

    fn is_available(&self) -> impl Future<Output = bool> + Send {
        self.0.available()
    }
}

fn handle_span(topic: &str, origin: &Origin<'_>) -> Span {
    info_span!(
        parent: None,
        spans::EVENT_HANDLE.name,
        otel.kind = "consumer",
        { spans::EVENT_ID.key } = field::Empty,
        { spans::EVENT_TYPE.key } = field::Empty,
        { spans::EVENT_OUTCOME.key } = field::Empty,
        { spans::EVENT_DUPLICATE.key } = field::Empty,
        { spans::TASK_ID.key } = field::Empty,
        { spans::USER_ID.key } = field::Empty,
        { spans::MESSAGING_SYSTEM.key } = "kafka",
        { spans::MESSAGING_DESTINATION_NAME.key } = topic,
        { spans::MESSAGING_DESTINATION_PARTITION_ID.key } = origin.partition.to_string(),
        { spans::MESSAGING_CONSUMER_GROUP_NAME.key } = origin.group,
    )
}
