//! SQL, and nothing else.

pub(crate) mod channels;
pub(crate) mod deliveries;
pub(crate) mod ledger;
pub(crate) mod reminders;
pub(crate) mod tasks;
