//! What notification does with the events that it consumes.

use event_bus::{Cause, Delivery, Handler, Outcome};
use events::Body;
use service_kit::{
    database::{Database, is_unavailable},
    health::Health,
};

use crate::{
    dealer::{Dealt, deal},
    planner::{self, Error},
    telling::Telling,
};

/// Plans what changes of tasks ask for, and deals reminders that are due.
#[derive(Clone, Debug)]
pub(crate) struct Consumer {
    pub(crate) database: Database,
    pub(crate) health: Health,
    pub(crate) telling: Telling,
}

impl Handler for Consumer {
    async fn handle(&self, delivery: &Delivery) -> Outcome {
        match &delivery.event.body {
            Body::Task(changed) => {
                match planner::apply(&self.database, &delivery.event, changed, &self.telling).await {
                    Ok(planned) => Outcome::Done {
                        duplicate: planned.is_none(),
                    },
                    Err(Error::Rejected(_, cause)) => Outcome::DeadLetter(cause),
                    Err(Error::Database(error)) => retry(&error),
                }
            }
            Body::ReminderDue(_) => match deal(&self.database, delivery.event.context.id.get(), &self.telling).await {
                Ok(Dealt::New) => Outcome::Done { duplicate: false },
                Ok(Dealt::Before) => Outcome::Done { duplicate: true },
                Ok(Dealt::Unknown) => Outcome::DeadLetter(Cause::rejected("no reminder waits for this event")),
                Err(error) => retry(&error),
            },
        }
    }

    async fn available(&self) -> bool {
        self.health.may_consume() && self.database.is_reachable().await
    }
}

fn retry(error: &sqlx::Error) -> Outcome {
    Outcome::Retry(if is_unavailable(error) {
        Cause::unavailable(error)
    } else {
        Cause::failed(error)
    })
}
