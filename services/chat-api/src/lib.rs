//! The only writer of tasks: creates, changes, completes and finds them, and tells of each change by an event.
//!
//! A request is translated (`http`), decided and written in one transaction (`usecase`, which asks [`domain`]), with
//! SQL that stands in `store` only. The event is a row of the outbox in the same transaction; the relay publishes it.
//! `shape` holds what requests, answers and columns have in common: the JSON forms of tasks.

mod app;
mod error;
mod http;
mod operation;
mod settings;
mod shape;
mod store;
mod usecase;

use sqlx::migrate::Migrator;

pub use app::build;
pub use settings::Settings;

/// What brings the schema `chat` to what this release needs.
pub static MIGRATIONS: Migrator = sqlx::migrate!();
