//! Runs a program many times: wall time from start to exit, and the most memory that it held.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// What some runs of one command took.
pub(super) struct Measurement {
    /// Sorted; never empty.
    wall: Vec<Duration>,
    max_resident_kilobytes: u64,
}

impl Measurement {
    pub(super) fn min_milliseconds(&self) -> f64 {
        milliseconds(self.wall[0])
    }

    pub(super) fn median_milliseconds(&self) -> f64 {
        milliseconds(self.wall[self.wall.len() / 2])
    }

    pub(super) fn p95_milliseconds(&self) -> f64 {
        milliseconds(self.wall[(self.wall.len() * 95).div_ceil(100) - 1])
    }

    pub(super) fn max_megabytes(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "kilobytes of one process")]
        let kilobytes = self.max_resident_kilobytes as f64;
        kilobytes * 1024.0 / 1e6
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// One run to warm the page cache, then `runs` measured ones; a run that fails ends the measurement.
pub(super) fn measure(runs: usize, command: impl Fn() -> Command) -> Result<Measurement> {
    let mut wall = Vec::with_capacity(runs);
    run_once(&mut command())?;
    for _ in 0..runs {
        wall.push(run_once(&mut command())?);
    }
    wall.sort();
    Ok(Measurement {
        wall,
        max_resident_kilobytes: max_resident_kilobytes(&command())?,
    })
}

fn run_once(command: &mut Command) -> Result<Duration> {
    let begin = Instant::now();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("could not start {command:?}"))?;
    let wall = begin.elapsed();
    if !output.status.success() {
        bail!(
            "{}: {command:?}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(wall)
}

/// The kernel's high-water mark, which Python's standard library can ask for and Rust's cannot without unsafe code.
fn max_resident_kilobytes(command: &Command) -> Result<u64> {
    const PROGRAM: &str = "import resource, subprocess, sys\n\
        subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)\n\
        print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";
    let mut python = Command::new("python3");
    python
        .args(["-c", PROGRAM])
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        python.current_dir(folder);
    }
    let output = python
        .output()
        .context("could not start python3, which measures memory")?;
    if !output.status.success() {
        bail!("measuring memory: {}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8(output.stdout)?;
    text.trim()
        .parse()
        .with_context(|| format!("could not read the memory from {text:?}"))
}
