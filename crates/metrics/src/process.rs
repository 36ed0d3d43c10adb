//! What the kernel tells of this process. Elsewhere than on Linux the values stay zero.

use std::{fs, sync::OnceLock};

use catalogue::metrics::{
    PROCESS_CPU_SECONDS_TOTAL, PROCESS_MAX_FDS, PROCESS_OPEN_FDS, PROCESS_RESIDENT_MEMORY_BYTES,
    PROCESS_START_TIME_SECONDS, PROCESS_THREADS,
};

use crate::Metrics;

/// Ticks per second in which the kernel tells times to programs: 100 on every architecture that we build for.
const TICKS_PER_SECOND: f64 = 100.0;

/// Takes the present values of the process metrics.
pub(crate) fn update(metrics: &Metrics) {
    if let Some(stat) = fs::read_to_string("/proc/self/stat")
        .ok()
        .as_deref()
        .and_then(Stat::parse)
    {
        let cpu = metrics.family(&PROCESS_CPU_SECONDS_TOTAL).fractional_counter();
        cpu.inc_by((stat.cpu_seconds - cpu.get()).max(0.0));
        metrics.gauge(&PROCESS_THREADS, &[]).set(stat.threads);
        if let Some(boot) = boot_time() {
            metrics
                .gauge(&PROCESS_START_TIME_SECONDS, &[])
                .set(boot + stat.start_seconds);
        }
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(kibibytes) = number_after(&status, "VmRSS:") {
        metrics
            .gauge(&PROCESS_RESIDENT_MEMORY_BYTES, &[])
            .set(kibibytes * 1024.0);
    }
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    if let Some(descriptors) = number_after(&limits, "Max open files") {
        metrics.gauge(&PROCESS_MAX_FDS, &[]).set(descriptors);
    }
    if let Ok(descriptors) = fs::read_dir("/proc/self/fd") {
        let open = u32::try_from(descriptors.count()).unwrap_or(u32::MAX);
        // Less the one that is open for this count.
        metrics
            .gauge(&PROCESS_OPEN_FDS, &[])
            .set(f64::from(open.saturating_sub(1)));
    }
}

/// What matters of `/proc/self/stat`.
#[derive(Debug, PartialEq)]
struct Stat {
    cpu_seconds: f64,
    threads: f64,
    /// Seconds from the boot of the machine.
    start_seconds: f64,
}

impl Stat {
    fn parse(text: &str) -> Option<Self> {
        // The second field is the program's name in parentheses, and may itself hold blanks and parentheses.
        let (_, rest) = text.rsplit_once(") ")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let number = |field: usize| fields.get(field - 3)?.parse::<f64>().ok();
        Some(Self {
            cpu_seconds: (number(14)? + number(15)?) / TICKS_PER_SECOND,
            threads: number(20)?,
            start_seconds: number(22)? / TICKS_PER_SECOND,
        })
    }
}

/// When the machine booted, in Unix seconds. Read once: the kernel recomputes it, and it may flicker by a second.
fn boot_time() -> Option<f64> {
    static BOOT_TIME: OnceLock<Option<f64>> = OnceLock::new();
    *BOOT_TIME.get_or_init(|| number_after(&fs::read_to_string("/proc/stat").ok()?, "btime"))
}

/// The first number after the key in the line that begins with it.
fn number_after(text: &str, key: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_may_hold_blanks_and_parentheses() {
        let fields = "S 1 1 1 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 7 0 1234 1000 10";
        let stat = Stat::parse(&format!("42 (a) b (c) {fields}"));
        let expected = Stat {
            cpu_seconds: 3.0,
            threads: 7.0,
            start_seconds: 12.34,
        };
        assert_eq!(stat, Some(expected));
    }

    #[test]
    fn a_short_line_tells_nothing() {
        assert_eq!(Stat::parse("42 (x) S 1 1"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn a_number_is_found_after_its_key() {
        let limits = "Max processes  10 20 processes\nMax open files            1024  4096 files\n";
        assert_eq!(number_after(limits, "Max open files"), Some(1024.0));
        assert_eq!(number_after("Max open files unlimited", "Max open files"), None);
        assert_eq!(number_after("VmRSS:\t    5120 kB\n", "VmRSS:"), Some(5120.0));
    }
}
