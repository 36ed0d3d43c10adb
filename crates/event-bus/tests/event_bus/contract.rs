//! What every transport promises, as tests that know no transport.
//!
//! A transport plugs in by implementing [`Transport`] and naming itself in `contract_suite!`.

pub(crate) mod giving_up;
pub(crate) mod journal;
pub(crate) mod order;
pub(crate) mod outage;
pub(crate) mod redelivery;
pub(crate) mod unavailable;

use std::{sync::Arc, time::Duration};

use catalogue::topics::{TASK_EVENTS, TASK_EVENTS_DLQ};
use event_bus::{Handler, Outgoing, PublishError, RetryPolicy};
use metrics::Metrics;
use test_kit::Topics;

use crate::support::Record;

/// A way to publish to one topic of events and to consume it, on real engines.
pub(crate) trait Transport: Sized {
    /// A replica that consumes.
    type Replica: Replica;

    /// Whether a replica begins nothing any more once it was told to stop. Over a sidecar it takes a moment.
    const STOPS_AT_ONCE: bool;

    /// What a consumer says of a record without a value.
    const WITHOUT_VALUE: &'static str;

    /// A topic of events with so many partitions, and its dead-letter twin. Nobody else sees them.
    async fn start(partitions: i32) -> Self {
        let topics = [(TASK_EVENTS, partitions), (TASK_EVENTS_DLQ, 1)];
        Self::start_with(Topics::create(&topics).await).await
    }

    /// The same with topics that are there already.
    async fn start_with(topics: Topics) -> Self;

    /// What another process needs for [`Transport::at`].
    fn address(&self) -> String;

    /// The same topic, from another process.
    fn at(address: &str) -> Self;

    /// Publishes in this order; all of it is acknowledged.
    async fn publish(&self, events: &[Outgoing]) {
        for result in self.try_publish(events).await {
            result.unwrap();
        }
    }

    /// Publishes in this order, or does not.
    async fn try_publish(&self, events: &[Outgoing]) -> Vec<Result<(), PublishError>>;

    /// Checks, while the brokers are away, what only this transport says of it.
    async fn tells_of_an_outage(&self) {}

    /// Publishes bytes that need not be an event.
    async fn publish_raw(&self, record: RawRecord<'_>);

    /// Another replica of the consuming service.
    fn join(&self, handler: Arc<impl Handler>, retry: RetryPolicy) -> Self::Replica;

    /// The dead letters, when there are so many.
    async fn dead_letters(&self, count: usize) -> Vec<Record>;

    /// How many dead letters there are now.
    async fn dead_letter_count(&self) -> i64;
}

/// A replica that consumes.
pub(crate) trait Replica {
    /// What it measures.
    fn metrics(&self) -> &Metrics;

    /// Finishes what it has begun, and ends.
    async fn stop(self);
}

/// A record as a foreign producer writes it.
pub(crate) struct RawRecord<'a> {
    pub(crate) key: Option<&'a str>,
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) header: (&'a str, &'a [u8]),
}

/// Four attempts, as in production, and little patience.
pub(crate) const RETRY: RetryPolicy = RetryPolicy {
    retries: 3,
    first_wait: Duration::from_millis(100),
    longest_wait: Duration::from_millis(400),
    attempt_timeout: Duration::from_secs(2),
};

/// The contract as tests of this transport.
macro_rules! contract_suite {
    ($transport:ty: $($family:ident::{$($case:ident),* $(,)?}),* $(,)?) => {
        $($(
            #[tokio::test]
            async fn $case() {
                $crate::contract::$family::$case::<$transport>().await;
            }
        )*)*
    };
    ($transport:ty) => {
        $crate::contract::contract_suite! { $transport:
            order::{
                events_of_one_task_keep_their_order_under_writers_and_rebalances,
            },
            redelivery::{
                what_a_killed_replica_had_not_acknowledged_comes_again,
                a_replica_that_was_frozen_is_replaced_and_comes_back,
                what_waits_for_a_retry_at_the_stop_comes_again,
                what_is_in_flight_at_the_stop_is_finished,
            },
            giving_up::{
                a_failing_event_is_tried_four_times_and_becomes_a_dead_letter,
                a_rejected_event_is_not_tried_again,
                what_is_no_event_becomes_a_dead_letter_unseen,
                a_handler_that_panics_or_hangs_gives_up_too,
                poison_blocks_no_other_partition,
            },
            outage::{
                through_outages_nothing_is_lost_and_order_is_kept,
            },
            unavailable::{
                while_its_database_is_away_a_service_holds_everything,
                what_the_handler_calls_unavailable_is_never_counted,
            },
        }
    };
}
pub(crate) use contract_suite;
