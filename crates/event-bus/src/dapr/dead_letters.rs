//! Writing a dead letter to the twin of its topic.

use std::collections::BTreeMap;

use catalogue::delivery::PUBLISH_DEADLINE;
use tokio::time::Instant;

use super::{
    record::Record,
    sidecar::{Entry, Sidecar},
};
use crate::{dead_letter::DeadLetter, publisher::PublishError};

/// Writes the record with the letter's headers, and returns when the brokers have it.
///
/// The sidecar places it: letters of one key stay in order, in a partition that another client might not have chosen.
pub(super) async fn publish(
    sidecar: &Sidecar,
    twin: &str,
    record: &Record,
    letter: &DeadLetter<'_>,
) -> Result<(), PublishError> {
    let mut headers: BTreeMap<String, String> = record.headers.iter().cloned().collect();
    headers.extend(
        letter
            .headers()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    let mut entry = Entry::new("0".to_owned(), &record.value, headers);
    if let Some(key) = &record.key {
        entry = entry.keyed(key);
    }
    let deadline = Instant::now() + PUBLISH_DEADLINE;
    let failed = sidecar.publish(twin, &[entry], deadline).await?;
    match failed.into_values().next() {
        Some(told) => Err(PublishError::Sidecar(told)),
        None => Ok(()),
    }
}
