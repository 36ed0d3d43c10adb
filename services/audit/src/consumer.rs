//! What audit does with the events that it consumes.

use std::collections::BTreeMap;

use catalogue::{
    metrics::{AUDIT_EXPIRED_EVENTS_TOTAL, AUDIT_ROWS_APPENDED_TOTAL},
    services::AUDIT,
};
use event_bus::{Cause, Delivery, Handler, Outcome};
use jiff::Timestamp;
use metrics::{IntCounter, Metrics};
use service_kit::{
    database::{Database, is_unavailable},
    health::Health,
};

use crate::{
    append::{Appended, Error, append},
    retention::Retention,
};

/// Appends every event that is delivered.
#[derive(Debug)]
pub(crate) struct Recorder {
    database: Database,
    retention: Retention,
    health: Health,
    appended: BTreeMap<&'static str, IntCounter>,
    expired: IntCounter,
}

impl Recorder {
    pub(crate) fn new(database: &Database, retention: Retention, health: &Health, metrics: &Metrics) -> Self {
        let appended = AUDIT
            .reads_topics()
            .map(|topic| (topic, metrics.counter(&AUDIT_ROWS_APPENDED_TOTAL, &[topic])));
        Self {
            database: database.clone(),
            retention,
            health: health.clone(),
            appended: appended.collect(),
            expired: metrics.counter(&AUDIT_EXPIRED_EVENTS_TOTAL, &[]),
        }
    }

    fn count(&self, topic: &str, appended: Appended) {
        match appended {
            Appended::New => self.appended[topic].inc(),
            Appended::Expired => self.expired.inc(),
            Appended::Before => {}
        }
    }
}

impl Handler for Recorder {
    async fn handle(&self, delivery: &Delivery) -> Outcome {
        match append(&self.database, delivery, self.retention, Timestamp::now()).await {
            Ok(appended) => {
                self.count(delivery.topic, appended);
                Outcome::Done {
                    duplicate: appended == Appended::Before,
                }
            }
            Err(error) => outcome_of(&error),
        }
    }

    async fn available(&self) -> bool {
        // The health knows whether the schema is migrated, and hears late of an outage.
        self.health.may_consume() && self.database.is_reachable().await
    }
}

fn outcome_of(error: &Error) -> Outcome {
    match error {
        Error::OtherPerson(_) | Error::Future(_) => Outcome::DeadLetter(Cause::rejected(error.to_string())),
        Error::NoDay { .. } => Outcome::Retry(Cause::unavailable(error)),
        Error::Database(cause) if is_unavailable(cause) => Outcome::Retry(Cause::unavailable(error)),
        Error::Database(_) => Outcome::Retry(Cause::failed(error)),
    }
}
