//! One attempt to handle a delivery: bounded in time, shielded from panics, seen in traces and metrics.

use std::panic::AssertUnwindSafe;

use catalogue::spans;
use futures::FutureExt as _;
use jiff::Timestamp;
use tokio::time::{Duration, Instant, timeout};
use tracing::Instrument as _;

use crate::{
    handler::{Cause, Outcome, Reason},
    meters::TopicMeters,
    work::Work,
};

/// Where a delivery comes from, as traces tell it.
pub struct Origin<'a> {
    pub(crate) group: &'a str,
    pub(crate) partition: i32,
}

/// Calls the handler once. A panic and an attempt that takes too long count as failed.
pub(crate) async fn attempt<W: Work>(
    work: &W,
    item: &W::Item,
    origin: &Origin<'_>,
    longest: Duration,
    meters: &TopicMeters,
) -> Outcome {
    let span = work.span(item, origin);
    let begun = Instant::now();
    let call = AssertUnwindSafe(work.handle_item(item)).catch_unwind();
    let outcome = match timeout(longest, call.instrument(span.clone())).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => Outcome::Retry(Cause::new(Reason::Panicked, panic_message(panic.as_ref()))),
        Err(_elapsed) => Outcome::Retry(Cause::new(Reason::TimedOut, format!("no outcome within {longest:?}"))),
    };
    meters.handling_seconds.observe(begun.elapsed().as_secs_f64());
    span.record(spans::EVENT_OUTCOME.key, name(&outcome));
    if let Outcome::Done { duplicate } = outcome {
        span.record(spans::EVENT_DUPLICATE.key, duplicate);
        if let Some(time) = W::happened_at(item) {
            meters.delay_seconds.observe(seconds_since(time));
        }
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

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let literal = panic.downcast_ref::<&str>().copied();
    let message = literal.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    message.unwrap_or("no message").to_owned()
}

/// Clocks of two machines differ: what seems to come from the future has waited for nothing.
fn seconds_since(time: Timestamp) -> f64 {
    Timestamp::now().duration_since(time).as_secs_f64().max(0.0)
}
