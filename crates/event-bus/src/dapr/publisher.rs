//! Publishing through the sidecar: in order per key, and done or failed within a bounded time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use catalogue::{delivery::PUBLISH_DEADLINE, metrics::DEPENDENCY_UP, spans};
use kafka_settings::SidecarSettings;
use metrics::{Gauge, Metrics};
use tokio::time::Instant;
use tracing::Span;

use super::sidecar::{Entry, Sidecar};
use crate::{
    Outgoing,
    partition::partition_for_key,
    publisher::{CONTENT_TYPE, PublishError, check_size, hold_back, publish_span},
};

/// Bytes of values in one call. The sidecar takes bodies of 4 MiB, and in it they are a third longer.
const CALL_BYTES: usize = 2 << 20;

/// Publishes through the sidecar. Clones share its connections.
///
/// # How order is kept
/// The sidecar may try a record again on its own, and its producer may have several under way: so one call has at most
/// one record of each key, and the next of a key is sent when the one before is acknowledged. What the sidecar has
/// given up may still arrive, late and besides its repetition: a copy, never the first appearance behind a later one.
#[derive(Clone)]
pub struct Publisher(Arc<Shared>);

struct Shared {
    sidecar: Sidecar,
    partitions: BTreeMap<&'static str, u32>,
    broker_up: Gauge,
}

impl Publisher {
    /// A publisher for the service of these metrics. The sidecar need not be reachable yet.
    ///
    /// # Errors
    /// When the client for the sidecar cannot be made.
    pub fn new(settings: &SidecarSettings, metrics: &Metrics) -> reqwest::Result<Self> {
        Ok(Self(Arc::new(Shared {
            sidecar: Sidecar::new(settings, metrics.app_id())?,
            partitions: settings.partitions.iter().copied().collect(),
            broker_up: metrics.gauge(&DEPENDENCY_UP, &["broker"]),
        })))
    }

    /// Publishes the records and returns one result for each, in the same order, within [`PUBLISH_DEADLINE`].
    ///
    /// Records with one key arrive in the order of the batch. When one fails, no later one with its key is published.
    ///
    /// # Panics
    /// When the settings do not say how many partitions a record's topic has: a bug.
    pub async fn publish(&self, batch: &[Outgoing]) -> Vec<Result<(), PublishError>> {
        let deadline = Instant::now() + PUBLISH_DEADLINE;
        let spans: Vec<Span> = batch.iter().map(publish_span).collect();
        let mut sending = Sending::of(batch);
        while let Some(call) = sending.next_call() {
            let entries: Vec<Entry> = call.records.iter().map(|at| self.0.entry(*at, &batch[*at])).collect();
            match self.0.sidecar.publish(call.topic, &entries, deadline).await {
                Ok(mut failed) => {
                    for at in call.records {
                        let failure = failed.remove(&at.to_string()).map(PublishError::Sidecar);
                        sending.settle(at, failure.map_or(Ok(()), Err));
                    }
                }
                Err(error) => sending.fail(&call.records, error),
            }
        }
        let mut results = sending.results();
        for ((record, span), result) in batch.iter().zip(spans).zip(&results) {
            if result.is_ok() {
                let partition = self.0.partition(record);
                span.record(spans::MESSAGING_DESTINATION_PARTITION_ID.key, partition.to_string());
            }
        }
        self.0.learn_from(&results);
        hold_back(batch, &mut results);
        results
    }
}

impl Shared {
    fn partition(&self, record: &Outgoing) -> u32 {
        let partitions = self.partitions.get(record.topic);
        let partitions = partitions.unwrap_or_else(|| panic!("nobody said how many partitions {} has", record.topic));
        partition_for_key(record.key.as_bytes(), *partitions)
    }

    fn entry(&self, at: usize, record: &Outgoing) -> Entry {
        let headers = BTreeMap::from([("content-type".to_owned(), CONTENT_TYPE.to_owned())]);
        Entry::new(at.to_string(), &record.value, headers)
            .keyed(&record.key)
            .placed(self.partition(record))
    }

    /// What the results say about the brokers, as far as one can see from here.
    fn learn_from(&self, results: &[Result<(), PublishError>]) {
        let away = |result: &Result<(), PublishError>| {
            matches!(
                result,
                Err(PublishError::TimedOut | PublishError::Unreached(_) | PublishError::Sidecar(_))
            )
        };
        if results.iter().any(Result::is_ok) {
            self.broker_up.set(1.0);
        } else if results.iter().any(away) {
            self.broker_up.set(0.0);
        }
    }
}

/// A batch on its way, call by call.
struct Sending<'a> {
    batch: &'a [Outgoing],
    results: Vec<Option<Result<(), PublishError>>>,
    failed: BTreeSet<(&'static str, &'a str)>,
}

/// One call: records of one topic, no two of one key.
struct Call {
    topic: &'static str,
    records: Vec<usize>,
}

impl<'a> Sending<'a> {
    fn of(batch: &'a [Outgoing]) -> Self {
        let mut sending = Self {
            batch,
            results: batch.iter().map(|_| None).collect(),
            failed: BTreeSet::new(),
        };
        for (at, record) in batch.iter().enumerate() {
            if let Err(error) = check_size(record) {
                sending.results[at] = Some(Err(error));
            }
        }
        sending
    }

    /// The next call, with the first record of each key that is not settled. A record behind a failed one is settled
    /// here, as failed.
    fn next_call(&mut self) -> Option<Call> {
        let mut call: Option<Call> = None;
        let (mut keys, mut bytes) = (BTreeSet::new(), 0);
        for (at, record) in self.batch.iter().enumerate() {
            let key = (record.topic, record.key.as_str());
            match &self.results[at] {
                Some(Ok(())) => continue,
                Some(Err(_)) => {
                    self.failed.insert(key);
                    continue;
                }
                None if self.failed.contains(&key) => {
                    self.results[at] = Some(Err(PublishError::Behind));
                    continue;
                }
                None => {}
            }
            let call = call.get_or_insert(Call {
                topic: record.topic,
                records: Vec::new(),
            });
            let fits = call.records.is_empty() || bytes + record.value.len() <= CALL_BYTES;
            // A key whose record does not fit must not send a later one instead.
            if keys.insert(key) && call.topic == record.topic && fits {
                bytes += record.value.len();
                call.records.push(at);
            }
        }
        call
    }

    fn settle(&mut self, at: usize, result: Result<(), PublishError>) {
        self.results[at] = Some(result);
    }

    /// None of these is known to be published. The error is told once; nobody makes a second one of it.
    fn fail(&mut self, records: &[usize], error: PublishError) {
        let again = match &error {
            PublishError::Sidecar(told) => Some(told.clone()),
            PublishError::Unreached(cause) => Some(cause.to_string()),
            _ => None,
        };
        let mut first = Some(error);
        for at in records {
            let error = first.take().unwrap_or_else(|| {
                let told = again.clone().map(PublishError::Sidecar);
                told.unwrap_or(PublishError::TimedOut)
            });
            self.settle(*at, Err(error));
        }
    }

    fn results(self) -> Vec<Result<(), PublishError>> {
        let results = self.results.into_iter();
        results.map(|it| it.expect("no call is left")).collect()
    }
}

#[cfg(test)]
mod tests {
    use catalogue::topics::{REMINDERS, TASK_EVENTS};
    use uuid::Uuid;

    use super::*;

    fn record(topic: &'static str, key: &str, bytes: usize) -> Outgoing {
        Outgoing {
            topic,
            key: key.to_owned(),
            event_id: Uuid::nil(),
            event_type: String::new(),
            value: vec![b' '; bytes].into(),
            traceparent: None,
        }
    }

    /// The records of each call, when these fail.
    fn calls(batch: &[Outgoing], failing: &[usize]) -> (Vec<Vec<usize>>, Vec<bool>) {
        let mut sending = Sending::of(batch);
        let mut calls = Vec::new();
        while let Some(call) = sending.next_call() {
            for at in &call.records {
                let failure = failing.contains(at).then_some(PublishError::TimedOut);
                sending.settle(*at, failure.map_or(Ok(()), Err));
            }
            calls.push(call.records);
        }
        (calls, sending.results().iter().map(Result::is_ok).collect())
    }

    #[test]
    fn a_call_has_one_record_of_a_key_and_one_topic() {
        let keys = [
            (TASK_EVENTS, "1"),
            (TASK_EVENTS, "1"),
            (REMINDERS, "1"),
            (TASK_EVENTS, "2"),
        ];
        let batch = keys.map(|(topic, key)| record(topic, key, 1));
        let (calls, published) = calls(&batch, &[]);
        assert_eq!(calls, [vec![0, 3], vec![1], vec![2]]);
        assert_eq!(published, [true; 4]);
    }

    #[test]
    fn nothing_is_sent_behind_a_failure_of_its_key() {
        let batch = ["1", "1", "2", "1", "2"].map(|key| record(TASK_EVENTS, key, 1));
        let (calls, published) = calls(&batch, &[1]);
        assert_eq!(calls, [vec![0, 2], vec![1, 4]]);
        assert_eq!(published, [true, false, true, false, true]);
    }

    #[test]
    fn a_call_stays_small_and_nothing_overtakes_what_did_not_fit() {
        let large = CALL_BYTES / 4;
        let batch = ["1", "2", "3", "4", "5", "5"].map(|key| record(TASK_EVENTS, key, large));
        let (calls, _) = calls(&batch, &[]);
        assert_eq!(calls, [vec![0, 1, 2, 3], vec![4], vec![5]]);
    }

    #[test]
    fn what_is_too_large_is_never_sent_and_holds_back_its_key() {
        let large = catalogue::topics::MAX_EVENT_BYTES as usize;
        let batch = [
            record(TASK_EVENTS, "1", large),
            record(TASK_EVENTS, "1", 1),
            record(TASK_EVENTS, "2", 1),
        ];
        assert_eq!(calls(&batch, &[]), (vec![vec![2]], vec![false, false, true]));
    }
}
