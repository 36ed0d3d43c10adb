//! The transport that has the Dapr sidecar speak to the brokers.
//!
//! # What is on the wire
//! Records are the same as those of [`kafka`](crate::kafka), byte for byte: they are handed to the sidecar and taken
//! from it as raw payloads. Left to itself the sidecar would parse the envelope, add fields of its own and write it
//! anew; and what is no event would become a dead letter that nobody can explain, since it would never arrive here.
//!
//! # Who does what
//! - *Place*: we say the partition, by murmur2; the sidecar's own hash is another one.
//! - *Retries*: the sidecar's, by its `Resiliency`. Each delivery is one attempt; we count them, and keep the last
//!   failure, see [`Consumer`].
//! - *Dead letters*: we write them, with their reason, and then the delivery is done. The sidecar would write them too
//!   (its subscription has the topic), but without a reason; that is for deliveries which we could not answer at all.
//! - *Outages*: the sidecar stops delivering when the app health route says no. Until it notices, a delivery is held.

mod consumer;
mod dead_letters;
mod failures;
mod pause;
mod publisher;
mod record;
mod routes;
mod sidecar;

pub use consumer::{Answer, Consumer};
pub use publisher::Publisher;

/// Header in which the sidecar and the service show each other their tokens.
pub const TOKEN_HEADER: &str = "dapr-api-token";
