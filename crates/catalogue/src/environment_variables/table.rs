//! The table of environment variables, grouped by what they decide.

use super::{
    EnvironmentVariable,
    Presence::{Default, Optional, Required, RequiredWhen},
    Secrecy::{Plain, Secret},
};
use crate::app_ids::{
    AUDIT, CHAT_API, DAPR_SERVICES, DATABASE_SERVICES, NOTIFICATION, PUBLISHERS, RECURRING_TASKS, RUST_SERVICES,
    TOKEN_CHECKERS, WEBSOCKET,
};

const INTERNAL: &[&str] = DAPR_SERVICES;
const WITH_KAFKA: &str = "the transport is kafka";
const WITH_TLS: &str = "TASKFLOW_KAFKA_SECURITY is tls";
const WITH_SASL: &str = "TASKFLOW_KAFKA_SECURITY is sasl-tls";
const WITH_DAPR: &str = "TASKFLOW_BUS is dapr";
const PORT: &str = "integer, 1 to 65535";
const LISTEN_PORT: &str = "integer, 0 to 65535; 0 takes a free one";
const HTTPS: &str = "an https address, or an http address on loopback";

macro_rules! environment_variables {
    ($($name:ident $secrecy:ident by $readers:expr, $presence:expr, $format:expr, $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $name: EnvironmentVariable = EnvironmentVariable {
                name: stringify!($name),
                read_by: $readers,
                secrecy: $secrecy,
                presence: $presence,
                format: $format,
                help: $help,
            };
        )*

        /// Every environment variable.
        pub const ALL: &[EnvironmentVariable] = &[$($name),*];
    };
}

environment_variables! {
    // Process
    TASKFLOW_HTTP_PORT Plain by RUST_SERVICES, Default("8000"), LISTEN_PORT,
        "Port of the public routes.";
    TASKFLOW_INTERNAL_PORT Plain by INTERNAL, Default("8001"), LISTEN_PORT,
        "Port of the routes for the own sidecar and other services.";
    TASKFLOW_METRICS_PORT Plain by RUST_SERVICES, Default("9464"), LISTEN_PORT,
        "Port of the metrics.";
    TASKFLOW_LISTEN_ADDRESS Plain by RUST_SERVICES, Default("::"), "an IP address",
        "Address that the service listens on; every address of the machine without it.";
    TASKFLOW_LOG Plain by RUST_SERVICES, Default("info"), "a level or tracing filter directives",
        "What is logged.";
    TASKFLOW_SHUTDOWN_DRAIN_SECONDS Plain by RUST_SERVICES, Optional, "integer, seconds, 1 to 60",
        "Time from SIGTERM in which begun work is finished; the service's own default without it.";
    TASKFLOW_POD_NAME Plain by RUST_SERVICES, RequiredWhen("the consumer group is per replica"), "a DNS label, unique among replicas",
        "Name of this replica: consumer group of websocket, lock owner, telemetry.";
    TASKFLOW_PUBLIC_URL Plain by &[CHAT_API, NOTIFICATION, WEBSOCKET], Optional, "an https address (http on loopback) without a path",
        "Where people reach the application: links in notifications, allowed origin.";

    // Telemetry
    OTEL_SERVICE_NAME Plain by RUST_SERVICES, Optional, "an app id",
        "Name of the service in traces; its app id without it.";
    OTEL_RESOURCE_ATTRIBUTES Plain by RUST_SERVICES, Optional, "key=value pairs, comma-separated",
        "What else traces say about where they come from.";
    OTEL_EXPORTER_OTLP_ENDPOINT Plain by RUST_SERVICES, Optional, "an http or https address",
        "Collector that takes traces; none are sent without it.";

    // Database
    TASKFLOW_DATABASE_URL Secret by DATABASE_SERVICES, Required, "a postgresql address with role and password",
        "Secret: the database for ordinary queries; may lead through a transaction pooler.";
    TASKFLOW_DATABASE_DIRECT_URL Secret by DATABASE_SERVICES, Optional, "a postgresql address with role and password",
        "Secret: the database without a pooler, for migrations and the relay; the ordinary one without it.";
    TASKFLOW_DATABASE_MAX_CONNECTIONS Plain by DATABASE_SERVICES, Optional, "integer, 1 to 200",
        "Largest pool of one replica; the schema's own default without it.";

    // Bus
    TASKFLOW_BUS Plain by DAPR_SERVICES, Required, "dapr or kafka",
        "Transport of events, for the services that have a choice; websocket has none.";
    TASKFLOW_TASK_EVENTS_PARTITIONS Plain by PUBLISHERS, Default("3"), "integer, 1 to 1000",
        "Partitions of task-events: places an event when publishing through Dapr.";
    TASKFLOW_REMINDERS_PARTITIONS Plain by PUBLISHERS, Default("3"), "integer, 1 to 1000",
        "Partitions of reminders: places an event when publishing through Dapr.";
    TASKFLOW_DAPR_HTTP_ENDPOINT Plain by DAPR_SERVICES, Default("http://127.0.0.1:3500"), "an http address",
        "HTTP API of the own sidecar.";
    DAPR_API_TOKEN Secret by DAPR_SERVICES, RequiredWhen(WITH_DAPR), "opaque text",
        "Secret: shown to the sidecar on every call, in the header dapr-api-token.";
    APP_API_TOKEN Secret by DAPR_SERVICES, RequiredWhen(WITH_DAPR), "opaque text",
        "Secret: expected from the sidecar on every delivery and callback, in the header dapr-api-token.";
    TASKFLOW_KAFKA_BROKERS Plain by RUST_SERVICES, RequiredWhen(WITH_KAFKA), "host:port pairs, comma-separated",
        "Brokers to begin with.";
    TASKFLOW_KAFKA_PREFIX Plain by RUST_SERVICES, Optional, "1 to 100 letters, digits, `.`, `_` and `-`",
        "What stands before the names of topics and consumer groups, where several installations share brokers.";
    TASKFLOW_KAFKA_SECURITY Plain by RUST_SERVICES, Default("plaintext"), "plaintext, tls or sasl-tls",
        "How connections to brokers are protected.";
    TASKFLOW_KAFKA_CA_FILE Plain by RUST_SERVICES, Optional, "path of a PEM file",
        "Authorities that the brokers' certificates come from; those of the system without it.";
    TASKFLOW_KAFKA_CERTIFICATE_FILE Plain by RUST_SERVICES, RequiredWhen(WITH_TLS), "path of a PEM file",
        "Client certificate.";
    TASKFLOW_KAFKA_KEY_FILE Plain by RUST_SERVICES, RequiredWhen(WITH_TLS), "path of a PEM file",
        "Where the key of the client certificate is; the path is no secret, the file is.";
    TASKFLOW_KAFKA_SASL_MECHANISM Plain by RUST_SERVICES, Default("SCRAM-SHA-512"), "SCRAM-SHA-256, SCRAM-SHA-512 or PLAIN",
        "How the user is proved to the brokers.";
    TASKFLOW_KAFKA_SASL_USERNAME Plain by RUST_SERVICES, RequiredWhen(WITH_SASL), "text",
        "User at the brokers.";
    TASKFLOW_KAFKA_SASL_PASSWORD Secret by RUST_SERVICES, RequiredWhen(WITH_SASL), "opaque text",
        "Secret: password at the brokers.";

    // Who may call
    TASKFLOW_OIDC_ISSUER Plain by TOKEN_CHECKERS, RequiredWhen("built-in accounts are off"), HTTPS,
        "Issuer of the tokens of people.";
    TASKFLOW_OIDC_AUDIENCE Plain by TOKEN_CHECKERS, Default("taskflow"), "text",
        "Audience that tokens of people must name.";
    TASKFLOW_OIDC_JWKS_URL Plain by TOKEN_CHECKERS, Optional, HTTPS,
        "Signing keys of the issuer; found by the issuer's discovery document without it.";
    TASKFLOW_BUILTIN_ACCOUNTS Plain by &[CHAT_API], Default("false"), "true or false",
        "Whether chat-api itself keeps accounts and issues tokens, for one machine.";
    TASKFLOW_BUILTIN_ACCOUNTS_PRIVATE_KEY Secret by &[CHAT_API], RequiredWhen("built-in accounts are on"), "an Ed25519 key in PEM",
        "Secret: signs the tokens of built-in accounts.";
    TASKFLOW_SERVICE_TOKEN_PRIVATE_KEY Secret by &[RECURRING_TASKS], Required, "an Ed25519 key in PEM",
        "Secret: signs the short-lived tokens shown to other services.";
    TASKFLOW_SERVICE_TOKEN_PUBLIC_KEY Plain by &[CHAT_API], Required, "an Ed25519 public key in PEM",
        "Checks the tokens of other services.";
    TASKFLOW_CHAT_API_INTERNAL_URL Plain by &[RECURRING_TASKS], RequiredWhen(WITH_KAFKA), "an http address without a path",
        "Internal port of chat-api, called directly where there is no sidecar.";

    // Limits
    TASKFLOW_MAX_CONCURRENT_REQUESTS Plain by RUST_SERVICES, Default("256"), "integer, 1 to 100000",
        "Requests answered at once; more are refused with 503.";
    TASKFLOW_USER_REQUESTS_PER_SECOND Plain by TOKEN_CHECKERS, Default("50"), "integer, 1 to 10000",
        "Requests of one user per second and replica; more are refused with 429.";
    TASKFLOW_MAX_CLIENTS Plain by &[WEBSOCKET], Default("10000"), "integer, 1 to 100000",
        "Open connections per replica; more are refused.";
    TASKFLOW_MAX_CLIENTS_PER_USER Plain by &[WEBSOCKET], Default("20"), "integer, 1 to 10000",
        "Open connections of one user per replica; more are refused.";
    TASKFLOW_HEARTBEAT_SECONDS Plain by &[WEBSOCKET], Default("20"), "integer, seconds, 1 to 300",
        "Time between two heartbeats to a client; one that is silent from one to the next is dropped.";

    // Audit
    TASKFLOW_RETENTION_DAYS Plain by &[AUDIT], Default("90"), "integer, days, 1 to 3650",
        "How long the record is kept.";

    // Delivery
    TASKFLOW_SWEEP_SECONDS Plain by &[NOTIFICATION], Default("5"), "integer, seconds, 1 to 10",
        "Time between two looks for reminders that nobody woke.";
    TASKFLOW_SMTP_HOST Plain by &[NOTIFICATION], Optional, "a host name",
        "Mail server; the e-mail channel is off without it.";
    TASKFLOW_SMTP_PORT Plain by &[NOTIFICATION], Default("587"), PORT,
        "Port of the mail server; TLS is always used.";
    TASKFLOW_SMTP_USERNAME Plain by &[NOTIFICATION], Optional, "text",
        "User at the mail server; no login without it.";
    TASKFLOW_SMTP_PASSWORD Secret by &[NOTIFICATION], RequiredWhen("TASKFLOW_SMTP_USERNAME is set"), "opaque text",
        "Secret: password at the mail server.";
    TASKFLOW_MAIL_FROM Plain by &[NOTIFICATION], RequiredWhen("TASKFLOW_SMTP_HOST is set"), "a mail address",
        "Sender of mails.";
    TASKFLOW_VAPID_PRIVATE_KEY Secret by &[NOTIFICATION], Optional, "a P-256 key in PEM",
        "Secret: signs Web Push messages; the channel is off without it.";
    TASKFLOW_VAPID_SUBJECT Plain by &[NOTIFICATION], RequiredWhen("TASKFLOW_VAPID_PRIVATE_KEY is set"), "a mailto or https address",
        "Whom a push service may ask about our messages.";
    TASKFLOW_WEBHOOK_ALLOW_PRIVATE Plain by &[NOTIFICATION], Default("false"), "true or false",
        "Whether webhooks may lead to private and loopback addresses, for tests.";
}
