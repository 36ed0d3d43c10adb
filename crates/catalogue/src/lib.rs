//! The names and numbers that services and manifests share.
