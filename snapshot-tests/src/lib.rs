//! Fixtures and what they compile to; judges over everything that is committed.
//!
//! The library holds what the judges and `cargo xtask` share: finding the releases under `clusters/` and rendering
//! the chart for each.

pub mod environments;
pub mod rendered;
