//! A row and its event in one transaction, and the relay that publishes them.
//!
//! A service calls [`append`] in the transaction that changes its tables, so that both are there or neither, and
//! [`commit`]s with its [`Bell`]. Inside the same process [`relay::run`] takes the rows to the broker and deletes what
//! the broker acknowledged.
//!
//! # What it promises
//!
//! - *Nothing is lost.* A committed row is published however late it became visible: the relay never asks for "what
//!   comes after the last position", because positions are given out before the commit and a slow transaction's row
//!   appears behind them.
//! - *Events of one key are published in the order of their commits.* This rests on the writer: it must lock the row of
//!   the key's aggregate (for an event of a task, the task's row) before it appends. Then the second writer takes its
//!   position after the first has committed.
//! - *An event may be published twice*, with the same id: after a crash or a lost connection between the broker's
//!   acknowledgement and our mark. The copy never makes an event appear before an older one of its key for the first
//!   time, because whoever takes over begins at the oldest row that is not marked. The consumer's inbox drops copies.
//! - *An event that cannot be published holds back its own key and nothing else*, as far as that is possible: see
//!   [`relay`].
//!
//! # What wakes the relay
//!
//! `NOTIFY` in the writer's transaction would be the obvious way, and was measured: PostgreSQL lets only one transaction
//! with a notification commit at a time, in all databases of the server, so 16 writers fell from 4,500 to 1,100
//! transactions per second. Therefore the writer rings a [`Bell`] after its commit. It wakes the relay of its own
//! process at once; only when another replica's relay owns some of the slots does a connection of the relay send one
//! `NOTIFY` for all the rings in the meantime. Whoever dies between commit and ring costs one poll interval.

mod append;
mod bell;
pub mod relay;
mod slot;

pub use append::{AppendError, append, append_many, ddl};
pub use bell::{Bell, commit};
pub use slot::Slot;
