//! Tasks, recurrence, reminders and the search query as pure decisions.
//!
//! Knows no clock, no randomness, no database, no wire format: *now* and new ids are arguments, and rows, requests and
//! events convert into these types at the edge. Time zone rules are compiled in.

pub mod id;
pub mod recurrence;
pub mod search;
pub mod task;
pub mod time;
