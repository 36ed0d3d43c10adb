//! Turns a completed recurring task into its next instance.
//!
//! It consumes what happens to tasks (`consumer`), asks [`domain`] which occurrence follows a completed one
//! (`successor`), and commands chat-api, the only writer of tasks, to create it (`chat_api`). It keeps nothing but the
//! events that it has applied (`inbox`). The command is idempotent by series and occurrence, so that whatever dies in
//! between, every completion has one successor.

mod app;
mod chat_api;
mod consumer;
mod inbox;
mod settings;
mod successor;

use sqlx::migrate::Migrator;

pub use app::build;
pub use settings::Settings;

/// What brings the schema `recurring` to what this release needs.
pub static MIGRATIONS: Migrator = sqlx::migrate!();
