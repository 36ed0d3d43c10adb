//! SQL, and nothing else.

pub(crate) mod actions;
pub(crate) mod items;
pub(crate) mod letters;
pub(crate) mod replays;
pub(crate) mod statistics;
pub(crate) mod tasks;
