//! Files that a service reads Kafka's certificates from.

use super::values::{SecretFile, SecretFiles};
use crate::resolve::{Environment, Kafka, Service};

const AUTHORITY: &str = "/etc/taskflow/kafka/authority";
const USER: &str = "/etc/taskflow/kafka/user";

/// The brokers' authority.
pub(super) const CA_FILE: &str = "/etc/taskflow/kafka/authority/ca.crt";
/// The client certificate.
pub(super) const CERTIFICATE_FILE: &str = "/etc/taskflow/kafka/user/user.crt";
/// Its key.
pub(super) const KEY_FILE: &str = "/etc/taskflow/kafka/user/user.key";

/// What a service mounts: certificates where it talks to our own brokers itself. External brokers have a public one.
pub(super) fn of(env: &Environment, service: &Service) -> Vec<SecretFiles> {
    if !service.uses_kafka_directly() || env.kafka.strimzi().is_none() {
        return Vec::new();
    }
    let files = |secret: String, mount_path, keys: &[&'static str]| SecretFiles {
        secret,
        mount_path,
        items: keys.iter().map(|&key| SecretFile { key, path: key }).collect(),
    };
    vec![
        files(Kafka::ca_secret(), AUTHORITY, &["ca.crt"]),
        // Strimzi calls the Secret of a user after the user.
        files(service.app_id().to_owned(), USER, &["user.crt", "user.key"]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stand_where_they_are_mounted() {
        assert_eq!(CA_FILE, format!("{AUTHORITY}/ca.crt"));
        assert_eq!(CERTIFICATE_FILE, format!("{USER}/user.crt"));
        assert_eq!(KEY_FILE, format!("{USER}/user.key"));
    }
}
