//! What the tests of the whole core share: a world in which it runs, people who use it, and what must hold afterwards.
//!
//! The tests know the core from outside: HTTP, topics, tables. They read events as JSON, without our own types, so that
//! a mistake in those cannot hide itself.

pub mod facts;
pub mod invariants;
pub mod ledger;
pub mod person;
pub mod topic;
pub mod workload;
pub mod world;

pub use facts::Facts;
pub use ledger::Ledger;
pub use person::{Person, Trouble};
pub use workload::Workload;
pub use world::World;
