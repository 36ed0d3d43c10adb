//! The jobs that services schedule at the Dapr Scheduler. A job belongs to the app id that scheduled it.

use crate::app_ids;

/// A family of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// What every name of the family begins with. Names hold lower-case letters, digits and `-` only.
    pub prefix: &'static str,
    /// How a name is built.
    pub name_template: &'static str,
    /// App id of the service that schedules the jobs and answers their callback.
    pub owner: &'static str,
    /// Route template that Dapr posts to on the owner's internal port; it must match every name of the family.
    pub route: &'static str,
    /// What the callback means.
    pub help: &'static str,
}

/// Wakes notification when a reminder is due.
pub const REMINDER: Job = Job {
    prefix: "reminder-task-",
    name_template: "reminder-task-{task_id}-{reminder_id}-{generation}",
    owner: app_ids::NOTIFICATION,
    route: "/job/{name}",
    help: "Wake up and look whether this reminder is due; never an order to send.",
};

/// Every family of jobs.
pub const ALL: &[Job] = &[REMINDER];
