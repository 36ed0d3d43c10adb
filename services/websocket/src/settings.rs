//! What this service is told besides what every service is.

use std::time::Duration;

use catalogue::{
    Transport,
    environment_variables::{TASKFLOW_HEARTBEAT_SECONDS, TASKFLOW_MAX_CLIENTS, TASKFLOW_MAX_CLIENTS_PER_USER},
};
use kafka_settings::KafkaSettings;
use service_kit::config::{self, Reader, TokenSettings, integer, seconds};

/// The settings of websocket.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whose tokens of people are believed.
    pub(crate) tokens: TokenSettings,
    /// Where events come from.
    pub(crate) kafka: KafkaSettings,
    /// Where people reach the application: pages of another origin are refused.
    pub(crate) public_url: Option<String>,
    /// How many clients there may be.
    pub(crate) clients: ClientLimits,
    /// Time between two heartbeats.
    pub(crate) heartbeat: Duration,
}

/// How many clients may be connected to one replica.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientLimits {
    /// In all.
    pub(crate) total: usize,
    /// Of one person.
    pub(crate) per_user: usize,
}

impl Settings {
    /// Reads them. `None` when the reader has noted a problem.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let tokens = TokenSettings::read(reader, false);
        let kafka = config::kafka(reader, Transport::Kafka);
        let public_url = config::public_url(reader);
        let total = reader.required(&TASKFLOW_MAX_CLIENTS, integer(1..=100_000));
        let per_user = reader.required(&TASKFLOW_MAX_CLIENTS_PER_USER, integer(1..=10_000));
        let heartbeat = reader.required(&TASKFLOW_HEARTBEAT_SECONDS, seconds(1..=300));
        Some(Self {
            tokens: tokens?,
            kafka: kafka?,
            public_url,
            clients: ClientLimits {
                total: total?,
                per_user: per_user?,
            },
            heartbeat: heartbeat?,
        })
    }
}
