//! Where the engines of ordinary tests are: one PostgreSQL and one Kafka, shared by all test binaries of a run.
//!
//! Whoever runs the tests starts them and tells the addresses by two variables, because a container that a test binary
//! kept in a static would neither be shared with the next binary nor ever be removed.

/// Address of a PostgreSQL server, as a superuser: `postgres://user:password@host:port/database`.
pub const POSTGRES_URL: &str = "TASKFLOW_TEST_POSTGRES_URL";

/// Address of a Kafka broker: `host:port`.
pub const KAFKA: &str = "TASKFLOW_TEST_KAFKA";

/// The PostgreSQL server for this run. Tests do not use it directly: each makes a [`Database`](crate::Database).
pub fn postgres_url() -> String {
    required(POSTGRES_URL)
}

/// The Kafka broker for this run. Each test makes its own [`Topics`](crate::Topics) there.
pub fn kafka_brokers() -> String {
    required(KAFKA)
}

fn required(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set, and this test needs a real engine:\n  \
             `cargo xtask test --only services` starts the engines and runs the tests;\n  \
             `cargo xtask engines` starts them and prints the variables for `cargo test`;\n  \
             or set the variable to a server of your own (CONTRIBUTING.md)"
        )
    })
}
