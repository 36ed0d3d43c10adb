//! What services get from this crate, seen from outside: real sockets, real engines, real processes.

mod app;
mod auth;
mod bare;
mod command_line;
mod configuration;
mod database;
mod extract;
mod limits;
mod listeners;
mod outages;
mod process;
mod time;
mod traces;
