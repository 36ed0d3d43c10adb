//! What every service does the same way: configuration, telemetry, health, problems, tokens, shutdown.
//!
//! A service's `main.rs` hands its [`cli::Definition`] to [`cli::main`]; the rest of this crate is what that calls and
//! what handlers use. It knows HTTP and PostgreSQL. It must not know tasks, events, the bus or the outbox.

pub mod auth;
pub mod cli;
pub mod config;
pub mod database;
pub mod extract;
pub mod health;
pub mod limits;
pub mod openapi;
pub mod problem;
pub mod server;
pub mod shutdown;
pub mod telemetry;

pub use problem::Problem;
