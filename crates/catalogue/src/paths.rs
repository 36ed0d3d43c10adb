//! The paths that every service answers.

/// The process lives; touches no dependency.
pub const HEALTH: &str = "/health";
/// The service takes traffic.
pub const READY: &str = "/ready";
/// The service may consume; on the internal port.
pub const READY_EVENTS: &str = "/ready/events";
/// Metrics in the text format; on the metrics port.
pub const METRICS: &str = "/metrics";
