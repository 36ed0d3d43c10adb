//! Publish and consume: one handler contract over the transports that may carry events.
//!
//! What every transport shares stands here: the [`Outgoing`] record, where its key places it
//! ([`partition_for_key`]), what a [`Handler`] may answer (or a [`RecordHandler`], which takes what
//! is no event), the headers of a [`dead_letter`], the [`inbox`] that makes a
//! second delivery harmless, the [`trace_context`] that travels with an event. [`kafka`] is the transport that talks to
//! the brokers itself, [`dapr`] the one that has a sidecar do it. [`Publisher`] and [`subscribe`] are whichever of them
//! the settings say.
//!
//! It reads no environment and knows no service: settings, names and handlers are arguments.

mod attempt;
pub mod crash;
pub mod dapr;
pub mod dead_letter;
mod handler;
pub mod inbox;
pub mod kafka;
mod meters;
mod outgoing;
mod partition;
mod publisher;
pub mod record;
mod retry;
mod subscription;
pub mod trace_context;
mod work;

pub use handler::{Cause, Delivery, Handler, Outcome, Reason};
pub use kafka_settings::{BusSettings, Password, SidecarSettings};
pub use outgoing::Outgoing;
pub use partition::{murmur2, partition_for_key};
pub use publisher::{PublishError, Publisher};
pub use record::{RecordDelivery, RecordHandler};
pub use retry::RetryPolicy;
pub use subscription::{ConsumeOptions, Running, Subscribed, subscribe, subscribe_to_records};
