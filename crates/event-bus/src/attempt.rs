//! One attempt to handle a delivery: bounded in time, shielded from panics, seen in traces and metrics.

use std::panic::AssertUnwindSafe;

use catalogue::spans;
use futures::FutureExt as _;
use jiff::Timestamp;
use tokio::time::{Duration, Instant, timeout};
use tracing::{Instrument as _, Span, field, info_span};

use crate::{
    handler::{Cause, Delivery, Handler, Outcome, Reason},
    meters::TopicMeters,
    trace_context,
};

/// Where a delivery comes from, as traces tell it.
pub(crate) struct Origin<'a> {
    pub(crate) group: &'a str,
    pub(crate) partition: i32,
}

/// Calls the handler once. A panic and an attempt that takes too long count as failed.
pub(crate) async fn attempt<H: Handler>(
    handler: &H,
    delivery: &Delivery,
    origin: &Origin<'_>,
    longest: Duration,
    meters: &TopicMeters,
) -> Outcome {
    let span = handle_span(delivery, origin);
    let begun = Instant::now();
    let call = AssertUnwindSafe(handler.handle(delivery)).catch_unwind();
    let outcome = match timeout(longest, call.instrument(span.clone())).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Outcome::Retry(Cause::new(Reason::Panicked, panic_message(panic.as_ref()))),
        Err(_elapsed) => Outcome::Retry(Cause::new(Reason::TimedOut, format!("no outcome within {longest:?}"))),
    };
    meters.handling_seconds.observe(begun.elapsed().as_secs_f64());
    span.record(spans::EVENT_OUTCOME.key, name(&outcome));
    if let Outcome::Done { duplicate } = outcome {
        span.record(spans::EVENT_DUPLICATE.key, duplicate);
        meters.delay_seconds.observe(seconds_since(delivery.event.time));
        if let (true, Some(duplicates)) = (duplicate, &meters.duplicates) {
            duplicates.inc();
        }
    }
    outcome
}

/// The outcome as traces tell it.
const fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done { .. } => "done",
        Outcome::Retry(_) => "retry",
        Outcome::DeadLetter(_) => "dead_letter",
    }
}

fn handle_span(delivery: &Delivery, origin: &Origin<'_>) -> Span {
    let event = &delivery.event;
    let span = info_span!(
        parent: None,
        spans::EVENT_HANDLE.name,
        otel.kind = "consumer",
        { spans::EVENT_ID.key } = %event.context.id,
        { spans::EVENT_TYPE.key } = event.event_type().name,
        { spans::EVENT_OUTCOME.key } = field::Empty,
        { spans::EVENT_DUPLICATE.key } = field::Empty,
        { spans::TASK_ID.key } = event.task_id().get(),
        { spans::USER_ID.key } = event.user_id().as_str(),
        { spans::MESSAGING_SYSTEM.key } = "kafka",
        { spans::MESSAGING_DESTINATION_NAME.key } = delivery.topic,
        { spans::MESSAGING_DESTINATION_PARTITION_ID.key } = origin.partition.to_string(),
        { spans::MESSAGING_CONSUMER_GROUP_NAME.key } = origin.group,
    );
    if let Some(traceparent) = &event.context.traceparent {
        trace_context::link_to(&span, traceparent.as_str());
    }
    span
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let literal = panic.downcast_ref::<&str>().copied();
    let message = literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    message.unwrap_or("no message").to_owned()
}

/// Clocks of two machines differ: what seems to come from the future has waited for nothing.
fn seconds_since(time: Timestamp) -> f64 {
    Timestamp::now().duration_since(time).as_secs_f64().max(0.0)
}
