//! The transport that talks to the brokers itself, over librdkafka.

mod client;
mod consumer;
mod publisher;

pub use client::ClientError;
pub use consumer::{ConsumeError, ConsumerSettings, consume};
pub use kafka_settings::{KafkaSettings, Password, SaslMechanism, Security};
pub use publisher::Publisher;

pub use crate::publisher::PublishError;
