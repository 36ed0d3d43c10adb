//! How much a collector must remember, from the load that a spec names.

use super::super::Inputs;
use crate::spec::units::{Bytes, Cpu};

/// Requests that only read, per request that writes an event.
const READS_PER_EVENT: u64 = 4;

/// Memory of one undecided trace: about eight spans of 1 KiB, doubled for maps and copies.
const TRACE: u64 = 16 << 10;

/// Memory of a collector that holds nothing.
const IDLE: Bytes = Bytes::mi(96);

/// Traces remembered at the least, so that a burst on a quiet system is no loss.
const FEWEST_TRACES: u64 = 5_000;

/// What a collector is given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    /// Processor request.
    pub(super) cpu: Cpu,
    /// Memory request and limit.
    pub(super) memory: Bytes,
}

/// New traces per second: each event is one request and one delivery per consumer (a delivery is a trace of its own,
/// linked to the one that published), and most requests only read.
pub(super) fn traces_per_second(inputs: Inputs<'_>) -> u64 {
    let consumers = inputs.catalogue.consumers_of(catalogue::topics::TASK_EVENTS).count() as u64;
    u64::from(inputs.env.events_per_second) * (1 + READS_PER_EVENT + consumers)
}

/// Traces that one sampler remembers: twice what arrives while it waits, with one of its peers away.
pub(super) fn traces_in_memory(inputs: Inputs<'_>) -> u64 {
    let tracing = &inputs.env.tracing;
    let peers = u64::from(tracing.samplers).saturating_sub(1).max(1);
    let waiting = traces_per_second(inputs) * tracing.decision_wait.as_seconds();
    (waiting * 2).div_ceil(peers).max(FEWEST_TRACES)
}

/// A collector that decides.
pub(super) fn sampler(inputs: Inputs<'_>) -> Size {
    // The memory limiter begins to refuse at four fifths.
    let traces = traces_in_memory(inputs).saturating_mul(TRACE);
    let needed = IDLE.0.saturating_add(traces) / 4 * 5;
    Size {
        cpu: cpu(inputs),
        memory: Bytes(needed.div_ceil(64 << 20).saturating_mul(64 << 20)),
    }
}

/// A collector that only passes on.
pub(super) fn balancer(inputs: Inputs<'_>) -> Size {
    Size {
        cpu: cpu(inputs),
        memory: Bytes::mi(256),
    }
}

fn cpu(inputs: Inputs<'_>) -> Cpu {
    if inputs.env.is_production() { Cpu(200) } else { Cpu(20) }
}
