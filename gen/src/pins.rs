//! The versions of others: charts and images, each with where it was read.

/// The Dapr that clusters run.
pub const DAPR_VERSION: &str = "1.18.3";
