//! Waiting for a state, never for a time.

use std::time::{Duration, Instant};

/// Asks until the answer is `Ok`; after the deadline the last answer is the error.
pub(crate) fn wait_until<T>(
    what: &str,
    deadline: Duration,
    mut ask: impl FnMut() -> Result<T, String>,
) -> Result<T, String> {
    const PAUSE: Duration = Duration::from_millis(50);
    let begin = Instant::now();
    loop {
        match ask() {
            Ok(value) => return Ok(value),
            Err(last) if begin.elapsed() >= deadline => {
                return Err(format!("{what}: not within {deadline:?}; last: {last}"));
            }
            Err(_) => std::thread::park_timeout(PAUSE),
        }
    }
}

#[test]
fn a_deadline_reports_the_last_state() {
    let mut asked = 0;
    let result: Result<(), String> = wait_until("three", Duration::from_millis(120), || {
        asked += 1;
        Err(format!("asked {asked} times"))
    });
    let message = result.unwrap_err();
    assert!(
        message.starts_with("three: not within 120ms; last: asked "),
        "{message}"
    );
}
