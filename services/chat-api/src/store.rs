//! SQL, and nothing else. Every function that reads or writes tasks of a person takes whose they are.

pub(crate) mod accounts;
pub(crate) mod changes;
pub(crate) mod idempotency;
pub(crate) mod lists;
pub(crate) mod occurrences;
pub(crate) mod profiles;
pub(crate) mod row;
pub(crate) mod search;
pub(crate) mod tags;
pub(crate) mod tasks;
