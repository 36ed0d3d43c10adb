//! What services get from this crate, seen from outside: real sockets, real engines, real processes.

mod app;
mod auth;
mod detour;
mod extract;
mod limits;
mod process;
