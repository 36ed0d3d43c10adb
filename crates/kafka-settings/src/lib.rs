//! Where the brokers are and how they are reached.
//!
//! `service-kit` reads these settings, `event-bus` connects by them, and neither knows the other. It knows nothing.

use std::{fmt, path::PathBuf};

/// Which way events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusSettings {
    /// The service talks to the brokers itself.
    Direct(KafkaSettings),
    /// Its Dapr sidecar does.
    Sidecar(SidecarSettings),
}

/// How the own Dapr sidecar is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SidecarSettings {
    /// HTTP API of the sidecar, without a closing slash.
    pub endpoint: String,
    /// Shown to the sidecar.
    pub api_token: Password,
    /// Expected from the sidecar.
    pub app_token: Password,
    /// How many partitions each topic has that the service publishes events to: the sidecar places a record where it
    /// is told, so that every transport places it alike.
    pub partitions: Vec<(&'static str, u32)>,
    /// Put before the name of every topic, as in [`KafkaSettings::prefix`]. Consumer groups are named by the sidecar's
    /// own resources.
    pub prefix: String,
}

/// Where the brokers are and how they are reached. The fields are the variables `TASKFLOW_KAFKA_…` of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KafkaSettings {
    /// Brokers to begin with: `host:port` pairs, comma-separated.
    pub brokers: String,
    /// How connections are protected.
    pub security: Security,
    /// Put before the name of every topic and consumer group. Empty in a cluster; tests and brokers that several
    /// installations share keep apart by it.
    pub prefix: String,
}

/// How connections to brokers are protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all: loopback, or a mesh that does it.
    Plaintext,
    /// TLS, the client proved by its certificate.
    Tls {
        /// PEM file of the authorities that the brokers' certificates come from; those of the system without it.
        ca_file: Option<PathBuf>,
        /// PEM file of the client certificate.
        certificate_file: PathBuf,
        /// PEM file of its key.
        key_file: PathBuf,
    },
    /// TLS, the client proved by name and password.
    SaslTls {
        /// PEM file of the authorities that the brokers' certificates come from; those of the system without it.
        ca_file: Option<PathBuf>,
        /// How the password is proved.
        mechanism: SaslMechanism,
        /// User at the brokers.
        username: String,
        /// Its password.
        password: Password,
    },
}

/// A password or token that no `Debug` shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// How a user is proved to the brokers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaslMechanism {
    /// `SCRAM-SHA-256`
    ScramSha256,
    /// `SCRAM-SHA-512`
    ScramSha512,
    /// `PLAIN`
    Plain,
}

impl SaslMechanism {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ScramSha256, Self::ScramSha512, Self::Plain];

    /// The name that brokers know.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::Plain => "PLAIN",
        }
    }
}
