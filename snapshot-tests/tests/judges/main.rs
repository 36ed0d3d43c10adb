//! Judges: real, independent tools over everything that is committed and all that the chart renders.
//!
//! `cargo xtask test --only judges` prepares the tools and tells this binary where they are. Each judge is a function
//! of a folder, so that it is also proved to fail on a broken sample: a judge that cannot fail proves nothing.

mod alerts;
mod apiserver;
mod charts;
mod control_plane;
mod dapr;
mod kafka;
mod kubectl;
mod migrations;
mod ports;
mod process;
mod schemas;
mod setup;
mod subset;
mod wait;
mod workflows;
