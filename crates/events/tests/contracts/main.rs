//! The contracts of our events: what is released stays as it is, and what is current fits to all of it.
//!
//! `INSTA_UPDATE=always cargo test -p events --test contracts` writes what is missing in `contracts/events`; read the
//! difference first.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod breaking;
mod compatibility;
mod folder;
mod golden;
mod properties;
mod reading;
mod readme;
mod schemas;
mod tasks;
