//! The record of every event: append-only, chained by hashes per task, dropped by the day after the retention.
//!
//! `consumer` takes events and appends them (`append`); `http` shows people the record of their own tasks; `days` makes
//! partitions ahead and drops old ones; `verify` looks for rows that somebody removed or altered. What a row's hash
//! covers stands in `chain`. SQL stands in `store` only.

mod app;
mod append;
mod chain;
pub mod command_line;
mod consumer;
mod day;
pub mod days;
mod http;
mod retention;
mod settings;
mod store;
mod verify;

use sqlx::migrate::Migrator;

pub use app::build;
pub use day::Day;
pub use retention::Retention;
pub use settings::Settings;

/// What brings the schema `audit` to what this release needs.
pub static MIGRATIONS: Migrator = sqlx::migrate!();
