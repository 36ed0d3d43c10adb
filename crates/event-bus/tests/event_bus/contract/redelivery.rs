//! What is not acknowledged comes again; what is, does not.

use std::{
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use event_bus::{Delivery, Handler, Outcome, RetryPolicy};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    sync::Semaphore,
    time::timeout,
};

use super::{
    RETRY, Replica as _, Transport,
    journal::{Answer, Journal, failed},
};
use crate::{sample::task_updated, support::PATIENCE};

/// Tells a process of this program that it is the victim, and of which topic.
const VICTIM: &str = "TASKFLOW_TEST_VICTIM";

/// The task with whose event the victim dies: its effect is there, its offset has not moved.
const FATAL_TASK: i64 = 13;

/// The task with whose event the victim fails every time.
pub(crate) const POISONED_TASK: i64 = 66;

pub(crate) async fn what_a_killed_replica_had_not_acknowledged_comes_again<T: Transport>() {
    victims_die_here::<T>().await;
    let transport = T::start(3).await;
    let events: Vec<_> = (1..=5)
        .flat_map(|version| (1..=20).map(move |task| task_updated(task, version)))
        .collect();
    transport.publish(&events).await;
    let mut victim = VictimProcess::start(&transport.address(), None);
    let mut before = Vec::new();
    while before.last() != Some(&(FATAL_TASK, 1)) {
        before.extend(victim.next().await);
    }
    before.extend(victim.kill().await);

    let journal = Journal::applying();
    let replica = transport.join(Arc::clone(&journal), RETRY);
    for task in 1..=20 {
        // What the victim did, then what came after: nothing is missing, and what came twice came in order.
        journal.has_applied_version(task, 5).await;
        let first = journal.applied(task)[0];
        assert_eq!(journal.applied(task), (first..=5).collect::<Vec<_>>(), "task {task}");
        assert!(
            first == 1 || before.contains(&(task, first - 1)),
            "task {task} misses what is before {first}"
        );
    }
    assert_eq!(
        journal.applied(FATAL_TASK)[0],
        1,
        "the effect was there, and nobody knew of it"
    );
    replica.stop().await;
}

/// A pause of the machine longer than a session: the group gives the partitions away, and the replica does not know.
pub(crate) async fn a_replica_that_was_frozen_is_replaced_and_comes_back<T: Transport>() {
    victims_die_here::<T>().await;
    let transport = T::start(3).await;
    let publish = async |version, tasks: &[i64]| {
        let events: Vec<_> = tasks.iter().map(|task| task_updated(*task, version)).collect();
        transport.publish(&events).await;
    };
    let others: Vec<i64> = (1..=20).filter(|task| *task != FATAL_TASK).collect();
    publish(1, &[FATAL_TASK]).await;
    let mut victim = VictimProcess::start(&transport.address(), None);
    while victim.next().await.is_none() {}
    victim.signal("STOP").await;

    publish(1, &others).await;
    let journal = Journal::applying();
    let replica = transport.join(Arc::clone(&journal), RETRY);
    journal.has_applied(20).await;
    victim.signal("CONT").await;
    replica.stop().await;

    // What it had in flight is dropped, or it would stand in the way.
    publish(2, &others).await;
    let mut applied = std::collections::BTreeSet::new();
    while applied.len() < others.len() {
        applied.extend(victim.next().await.filter(|(_, version)| *version == 2));
    }
    victim.kill().await;
}

/// A replica in a process of its own.
pub(crate) struct VictimProcess {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl VictimProcess {
    /// Runs the test that calls this once more, with this variable. It begins with [`victims_die_here`].
    pub(crate) fn start(address: &str, variable: Option<(&str, &str)>) -> Self {
        let test = std::thread::current();
        let test = test.name().expect("a test's thread has its name");
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(VICTIM, address)
            .envs(variable)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// The task and version that it says next to have applied, if the next line is about that.
    async fn next(&mut self) -> Option<(i64, i64)> {
        let line = timeout(PATIENCE, self.lines.next_line())
            .await
            .expect("the victim makes progress")
            .unwrap();
        applied(&line.expect("the victim lives until it is killed"))
    }

    async fn signal(&self, signal: &str) {
        let id = self.process.id().expect("it lives").to_string();
        let status = Command::new("kill").args(["-s", signal, &id]).status().await.unwrap();
        assert!(status.success());
    }

    /// SIGKILL; returns what it had still said.
    async fn kill(mut self) -> Vec<(i64, i64)> {
        self.process.start_kill().unwrap();
        self.ends().await.1
    }

    /// Waits until it dies by itself; returns how, and what it had said.
    pub(crate) async fn ends(mut self) -> (ExitStatus, Vec<(i64, i64)>) {
        let mut said = Vec::new();
        let to_the_end = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                said.extend(applied(&line));
            }
        };
        timeout(PATIENCE, to_the_end).await.expect("it dies");
        (self.process.wait().await.unwrap(), said)
    }
}

fn applied(line: &str) -> Option<(i64, i64)> {
    let (_, pair) = line.split_once("applied ")?;
    let (task, version) = pair.split_once(' ')?;
    Some((task.parse().unwrap(), version.parse().unwrap()))
}

/// In the process of a victim this is its whole life; elsewhere it is nothing.
pub(crate) async fn victims_die_here<T: Transport>() {
    if let Ok(address) = std::env::var(VICTIM) {
        let transport = T::at(&address);
        let patient = RetryPolicy {
            attempt_timeout: Duration::from_hours(1),
            ..RETRY
        };
        let _replica = transport.join(Arc::new(Victim), patient);
        std::future::pending::<()>().await;
    }
}

struct Victim;

impl Handler for Victim {
    async fn handle(&self, delivery: &Delivery) -> Outcome {
        let (task, version) = (delivery.event.task_id().get(), delivery.event.sequence().get());
        if task == POISONED_TASK {
            return failed();
        }
        println!("applied {task} {version}");
        if task == FATAL_TASK {
            std::future::pending::<()>().await;
        }
        Outcome::Done { duplicate: false }
    }

    async fn available(&self) -> bool {
        true
    }
}

pub(crate) async fn what_waits_for_a_retry_at_the_stop_comes_again<T: Transport>() {
    let transport = T::start(1).await;
    let journal = Journal::scripted(|_, nth| if nth == 1 { Answer::Say(failed()) } else { Answer::Apply });
    let event = task_updated(1, 1);
    transport.publish(std::slice::from_ref(&event)).await;
    let waiting = RetryPolicy {
        first_wait: Duration::from_hours(1),
        longest_wait: Duration::from_hours(1),
        ..RETRY
    };
    let replica = transport.join(Arc::clone(&journal), waiting);
    journal.was_given(event.event_id, 1).await;
    timeout(Duration::from_secs(5), replica.stop())
        .await
        .expect("the wait ends with the stop");

    let replica = transport.join(Arc::clone(&journal), RETRY);
    journal.has_applied(1).await;
    replica.stop().await;
    assert_eq!(transport.dead_letter_count().await, 0);
}

pub(crate) async fn what_is_in_flight_at_the_stop_is_finished<T: Transport>() {
    let transport = T::start(1).await;
    let (first, second) = (task_updated(1, 1), task_updated(1, 2));
    transport.publish(&[first.clone(), second.clone()]).await;
    let gate = Arc::new(Semaphore::new(0));
    let journal = Journal::scripted({
        let gate = Arc::clone(&gate);
        move |_, _| Answer::ApplyAfter(Arc::clone(&gate))
    });
    let replica = transport.join(Arc::clone(&journal), RETRY);
    journal.was_given(first.event_id, 1).await;
    // The stop is on its way before the handler can end.
    let open = async {
        tokio::task::yield_now().await;
        gate.add_permits(1);
    };
    tokio::join!(replica.stop(), open);
    let applied = journal.applied(1);
    let finished: &[&[i64]] = if T::STOPS_AT_ONCE { &[&[1]] } else { &[&[1], &[1, 2]] };
    assert!(finished.contains(&&*applied), "{applied:?}");

    let replica = transport.join(Arc::clone(&journal), RETRY);
    journal.has_applied(2).await;
    replica.stop().await;
    assert_eq!(
        (journal.deliveries(first.event_id), journal.deliveries(second.event_id)),
        (1, 1)
    );
}
