//! Live updates: every change of a person's tasks, and every reminder that falls due, pushed to the person's open
//! connections.
//!
//! `consumer` takes events, `message` says them as clients read them, and `hub` puts a person's changes into their order
//! and hands them to the person's clients. `http` lets clients in, `connection` serves one. What clients may rely on
//! stands in `docs/live-updates.md`.
//!
//! It keeps nothing but the latest changes in memory: the database is the truth, and a client that cannot be told what it
//! missed is told to load it.

mod app;
mod close;
mod connection;
mod consumer;
mod http;
mod hub;
mod message;
mod settings;

pub use app::build;
pub use settings::Settings;
