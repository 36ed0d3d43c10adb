//! What processes use of the machine, as the kernel of Linux tells.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result};
use test_kit::Engine;

/// `/proc` counts in these, on every Linux that anybody runs.
const TICKS_PER_SECOND: u64 = 100;

/// Time on processors that a process has used since it started, with all its threads.
pub(crate) fn cpu_time(process: u32) -> Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("could not read {path}"))?;
    // The name, in parentheses, may hold anything.
    let (_, fields) = text.rsplit_once(')').context("a name in parentheses")?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let mut ticks = || -> Result<u64> { Ok(fields.next().context("a time")?.parse()?) };
    Ok(Duration::from_millis((ticks()? + ticks()?) * 1000 / TICKS_PER_SECOND))
}

/// Bytes of memory that a process holds now.
pub(crate) fn resident_bytes(process: u32) -> Result<u64> {
    let path = format!("/proc/{process}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("could not read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: u64 = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .context("a size in kB")?
        .parse()?;
    Ok(kilobytes * 1024)
}

/// Time on processors that everything in an engine's container has used since it started.
pub(crate) async fn engine_cpu_time(engine: &Engine) -> Result<Duration> {
    const SCRIPT: &str = "cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null || cat /sys/fs/cgroup/cpu.stat";
    let text = engine.run_inside(&["sh", "-c", SCRIPT]).await;
    // Version 1 of cgroups tells nanoseconds; version 2 a table in microseconds.
    if let Some(line) = text.lines().find_map(|line| line.strip_prefix("usage_usec ")) {
        return Ok(Duration::from_micros(line.trim().parse()?));
    }
    let nanoseconds = text.trim().parse().with_context(|| format!("no time: {text:?}"))?;
    Ok(Duration::from_nanos(nanoseconds))
}
