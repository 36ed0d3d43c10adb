//! Reminders: planned from what happens to tasks, claimed when they are due, delivered through the person's channels.
//!
//! The table of reminders is the truth. `consumer` takes events of tasks, asks [`plan`] what follows from them, and writes
//! it (`planner`). Whoever is awake when a reminder is due claims it, once, together with the event that tells of it
//! (`claim`); `sweeper` looks by itself, so that nothing else has to wake anybody, and `jobs` has a scheduler do so where
//! there is one. What comes back by the topic is dealt
//! into one delivery per channel (`dealer`), and `courier` takes those to the providers (`channels`): it notes an attempt
//! before each call and its outcome behind it. `http` shows people their ledger and their channels. SQL stands in `store`
//! only.
//!
//! # What a person can rely on
//! A reminder is seen at its time or later, never silently not at all, and once per channel. The exception is a process
//! that dies between a provider's acceptance and our mark: nobody can know then, the call is repeated, with the same id
//! for the provider to tell, and counted in `notification_attempts_in_doubt_total`. In the application there is no
//! such window.

mod app;
mod channels;
mod claim;
mod consumer;
mod courier;
mod dealer;
mod http;
mod jobs;
mod message;
pub mod plan;
mod planner;
mod quiet;
mod settings;
mod store;
mod sweeper;
mod telling;

use sqlx::migrate::Migrator;

pub use app::build;
pub use settings::Settings;

/// What brings the schema `notification` to what this release needs.
pub static MIGRATIONS: Migrator = sqlx::migrate!();
