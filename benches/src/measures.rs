//! What is measured; each measure makes one section of the report.

mod drain;
mod latency;
mod live;
mod memory;
mod reads;
mod search;
mod startup;
mod two_writers;
mod writes;

use anyhow::Result;
use clap::ValueEnum;

use crate::{report::Section, world::World};

/// A measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Measure {
    /// Creating and completing, beside pgbench and the reference
    Writes,
    /// Reading one and listing, beside the reference
    Reads,
    /// From the change to its consumer
    Latency,
    /// A relay with a backlog, beside bare rdkafka
    Drain,
    /// Searching among ten thousand to a million tasks
    Search,
    /// From exec to ready
    Startup,
    /// Memory, idle and under load
    Memory,
    /// Two clients that change the same task
    TwoWriters,
    /// From the change to a second browser, and the memory of a connection
    Live,
}

impl Measure {
    pub(crate) const ALL: [Self; 9] = [
        Self::Writes,
        Self::Reads,
        Self::Latency,
        Self::Drain,
        Self::Search,
        Self::Startup,
        Self::Memory,
        Self::TwoWriters,
        Self::Live,
    ];

    /// As the command line spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Writes => "writes",
            Self::Reads => "reads",
            Self::Latency => "latency",
            Self::Drain => "drain",
            Self::Search => "search",
            Self::Startup => "startup",
            Self::Memory => "memory",
            Self::TwoWriters => "two-writers",
            Self::Live => "live",
        }
    }

    pub(crate) async fn run(self, world: &World) -> Result<Section> {
        match self {
            Self::Writes => writes::measure(world).await,
            Self::Reads => reads::measure(world).await,
            Self::Latency => latency::measure(world).await,
            Self::Drain => drain::measure(world).await,
            Self::Search => search::measure(world).await,
            Self::Startup => startup::measure(world).await,
            Self::Memory => memory::measure(world).await,
            Self::TwoWriters => two_writers::measure(world).await,
            Self::Live => live::measure(world).await,
        }
    }
}
