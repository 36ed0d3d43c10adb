use std::{future::pending, io, time::Duration};

use super::*;

/// Long enough for anything here.
fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// A task that does as it is told.
async fn obedient(stop: CancellationToken) {
    stop.cancelled().await;
}

#[tokio::test]
async fn tasks_that_do_as_they_are_told_end_well() {
    let tasks = Tasks::new();
    for name in ["one", "two"] {
        tasks.spawn_infallible(name, obedient(tasks.stop().clone()));
    }
    tasks.stop().cancel();
    tasks.finish(soon()).await.unwrap();
    assert!(!tasks.has_failed());
}

#[tokio::test]
async fn the_end_of_one_task_is_the_end_of_all() {
    let ends: [fn(&Tasks); 3] = [
        |tasks| tasks.spawn_infallible("done", async {}),
        |tasks| tasks.spawn("failed", async { Err(io::Error::other("no luck")) }),
        |tasks| tasks.spawn_infallible("panicked", async { panic!("a bug") }),
    ];
    for end in ends {
        let tasks = Tasks::new();
        tasks.spawn_infallible("obedient", obedient(tasks.stop().clone()));
        end(&tasks);
        tasks.stop().cancelled().await;
        tasks.finish(soon()).await.unwrap();
        assert!(tasks.has_failed());
    }
}

#[tokio::test]
async fn a_task_that_fails_while_stopping_has_failed() {
    let tasks = Tasks::new();
    let stop = tasks.stop().clone();
    tasks.spawn("relay", async move {
        stop.cancelled().await;
        Err(io::Error::other("could not give the lock back"))
    });
    tasks.stop().cancel();
    tasks.finish(soon()).await.unwrap();
    assert!(tasks.has_failed());
}

#[tokio::test]
async fn tasks_that_go_on_are_named() {
    let tasks = Tasks::new();
    tasks.spawn_infallible("first", pending());
    tasks.spawn_infallible("obedient", obedient(tasks.stop().clone()));
    tasks.spawn_infallible("second", pending());
    tasks.stop().cancel();
    let obedient_ended = async {
        while tasks.state.running().len() > 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout_at(soon(), obedient_ended).await.unwrap();
    let running = tasks.finish(Instant::now()).await.unwrap_err();
    assert_eq!(running.to_string(), "still running: first, second");
}
