//! Waiting for a state, with a deadline and a last word.

use std::{
    fmt::Display,
    net::{Ipv4Addr, TcpListener},
    panic::Location,
    time::Duration,
};

use tokio::time::{Instant, sleep, timeout_at};

const PAUSE_BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// Looks again and again until `look` gives `Ok`, and gives that back.
///
/// What `look` gives as `Err` is the state that it saw instead. After the deadline the test fails with `what` it waited
/// for, where, and the last state seen. A look that hangs is cut off at the deadline too.
#[track_caller]
pub fn wait_until<T, State: Display>(
    what: &str,
    deadline: Duration,
    look: impl AsyncFnMut() -> Result<T, State>,
) -> impl Future<Output = T> {
    let caller = Location::caller();
    async move {
        look_until(deadline, look)
            .await
            .unwrap_or_else(|last| panic!("{what}: not within {deadline:?}; last: {last}\n  waited for at {caller}"))
    }
}

/// Like [`wait_until`], for callers that have more to say about a failure: the error is the last state seen.
pub(crate) async fn look_until<T, State: Display>(
    deadline: Duration,
    mut look: impl AsyncFnMut() -> Result<T, State>,
) -> Result<T, String> {
    let end = Instant::now() + deadline;
    let mut last = "the first look has not ended".to_owned();
    loop {
        match timeout_at(end, look()).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(state)) => last = state.to_string(),
            Err(_cut_off) => return Err(last),
        }
        if Instant::now() >= end {
            return Err(last);
        }
        sleep(PAUSE_BETWEEN_LOOKS).await;
    }
}

/// A TCP port on which nobody listens at this moment. Where a program can take port 0 and tell which it got, let it.
pub fn free_port() -> u16 {
    let [port] = free_ports();
    port
}

/// As [`free_port`], for a program that needs several: all of them differ.
pub fn free_ports<const COUNT: usize>() -> [u16; COUNT] {
    // One that was given back could be given out again.
    let held = std::array::from_fn(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port"));
    held.each_ref()
        .map(|listener: &TcpListener| listener.local_addr().expect("it is bound").port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_state_that_comes_is_given_back() {
        let mut looks = 0;
        let seen = wait_until("three looks", Duration::from_secs(5), async || {
            looks += 1;
            if looks < 3 {
                Err(format!("{looks} looks"))
            } else {
                Ok(looks)
            }
        })
        .await;
        assert_eq!(seen, 3);
    }

    #[tokio::test]
    async fn a_state_that_does_not_come_is_reported_with_the_last_one_seen() {
        let last = look_until(Duration::from_millis(50), async || Err::<(), _>("2 of 3 rows")).await;
        assert_eq!(last, Err("2 of 3 rows".to_owned()));
    }

    #[tokio::test]
    async fn a_look_that_hangs_ends_at_the_deadline() {
        let last = look_until(Duration::from_millis(50), async || {
            std::future::pending::<Result<(), String>>().await
        })
        .await;
        assert_eq!(last, Err("the first look has not ended".to_owned()));
    }

    #[test]
    fn ports_that_are_asked_for_together_differ() {
        let ports = free_ports::<200>();
        let different: std::collections::BTreeSet<_> = ports.into_iter().collect();
        assert_eq!(different.len(), ports.len());
    }
}
