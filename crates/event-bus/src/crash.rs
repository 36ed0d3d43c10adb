//! Named places where a test kills the process: what must survive is only proved by dying in between.
//!
//! Without the feature `crash-points`, which nothing but tests turns on, [`crash_point!`](crate::crash_point) is empty.

/// Variable that names the place to die at: `name`, or `name:n` for its n-th passing, from 1.
#[cfg(feature = "crash-points")]
pub const VARIABLE: &str = "TASKFLOW_CRASH_AT";

/// Kills the process with SIGKILL when it passes the named place and the variable `TASKFLOW_CRASH_AT` asks for it.
///
/// A name is `area.place`, such as `outbox.before_mark`. Compiles to nothing without the feature `crash-points` of
/// this crate.
#[macro_export]
macro_rules! crash_point {
    ($name:literal) => {
        $crate::crash::pass($name)
    };
}

/// What the macro calls.
#[doc(hidden)]
#[cfg(not(feature = "crash-points"))]
#[inline]
pub const fn pass(_name: &str) {}

/// What the macro calls.
#[doc(hidden)]
#[cfg(feature = "crash-points")]
pub fn pass(name: &str) {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

    static CHOSEN: LazyLock<Option<(String, u64)>> = LazyLock::new(|| std::env::var(VARIABLE).ok().map(parse));
    static PASSED: AtomicU64 = AtomicU64::new(0);

    if let Some((chosen, nth)) = &*CHOSEN
        && chosen == name
        && PASSED.fetch_add(1, SeqCst) + 1 == *nth
    {
        // Not `abort`: no handler and no core dump may come between.
        let killed = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        unreachable!("a process may kill itself: {killed:?}");
    }
}

#[cfg(feature = "crash-points")]
fn parse(chosen: String) -> (String, u64) {
    match chosen
        .rsplit_once(':')
        .map(|(name, nth)| (name.to_owned(), nth.parse()))
    {
        Some((name, Ok(nth))) => (name, nth),
        _ => (chosen, 1),
    }
}
