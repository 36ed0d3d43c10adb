//! Dead letters: kept, explained, replayed or discarded, and every decision on record.
//!
//! `keeper` takes whatever lies in the dead-letter topics and keeps it, event or not ([`letter`] reads what can be read of
//! it); from the topic of tasks it learns their newest versions. An operator asks by `http` or by `command_line`, and both
//! do the same (`desk`): they choose letters, and [`verdict`] says what would become of each. A dry run rolls back what a
//! replay commits. A replay is an action in the database: whichever replica is awake takes the next step (`replayer`), one
//! transaction that marks letters and puts their events into the outbox. SQL stands in `store` only.
//!
//! # What an operator can rely on
//! Nothing that arrived is lost: what cannot be understood is kept and shown as it is. An event is replayed with its own
//! id, so whoever has applied it does not do so again. Letters of one key go back in their order; one that cannot go back
//! holds back those behind it.

mod app;
pub mod command_line;
mod desk;
mod gauges;
mod http;
mod keeper;
pub mod letter;
mod replayer;
mod retention;
mod settings;
mod store;
mod telling;
pub mod verdict;

use sqlx::migrate::Migrator;

pub use app::build;
pub use settings::Settings;

/// What brings the schema `dlq` to what this release needs.
pub static MIGRATIONS: Migrator = sqlx::migrate!();
