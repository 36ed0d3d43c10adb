//! The transport that talks to the brokers itself, over librdkafka.

mod client;
mod consumer;
mod publisher;
mod settings;

pub use client::ClientError;
pub use consumer::{ConsumeError, ConsumerSettings, consume};
pub use publisher::{PUBLISH_DEADLINE, PublishError, Publisher};
pub use settings::{KafkaSettings, Password, SaslMechanism, Security};
