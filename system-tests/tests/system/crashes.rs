//! A process that dies at each of its named places while people work, and one that takes over.

use std::{collections::BTreeSet, os::unix::process::ExitStatusExt as _, time::Duration};

use catalogue::{
    Service,
    environment_variables::TASKFLOW_DATABASE_URL,
    metrics::CONSUMPTION_PAUSED,
    services::{AUDIT, CHAT_API, RECURRING_TASKS},
    topics::TASK_EVENTS,
};
use event_bus::crash;
use system_tests::{Ledger, Workload, World, world::PATIENCE};
use test_kit::{Detour, crash_points, wait_until};
use tokio::time::sleep;

/// Acts after the death, so that whoever takes over has new work too.
const AFTERWARDS: usize = 100;
/// Offsets that were stored are committed every second.
const LONGER_THAN_A_COMMIT: Duration = Duration::from_secs(3);

/// Dies at this place (`name:n`: at its n-th passing) in each of these services, under load.
async fn dies_at(place: &str, services: &[&'static Service]) {
    let world = World::start_with(&[(crash::VARIABLE, place)]).await;
    let (world, ledger) = dies_and_is_followed(world, place, services).await;
    world.settle(&ledger).await;
}

async fn dies_and_is_followed(mut world: World, place: &str, services: &[&'static Service]) -> (World, Ledger) {
    let workload = Workload::begin(&world, 1);
    for service in services {
        let process = &mut world.core.replica(service).process;
        let status = process.exit(PATIENCE).await;
        assert_eq!(status.signal(), Some(9), "{place}: {:#?}", process.lines());
        world.core.restart(service, &[]).await;
    }
    workload.goes_on(AFTERWARDS).await;
    (world, workload.finish().await)
}

/// A record that is none becomes a dead letter; who dies before the offset moves writes it again, and loses nothing.
async fn dies_after_a_dead_letter() {
    let place = "consumer.after_dead_letter:1";
    let world = World::start_with(&[(crash::VARIABLE, place)]).await;
    let log = world.log(TASK_EVENTS);
    tokio::task::spawn_blocking(move || log.intrude("7", "no event"))
        .await
        .expect("publishing does not panic");
    let (world, ledger) = dies_and_is_followed(world, place, &[&RECURRING_TASKS, &AUDIT]).await;
    world.settle_with_dead_letters(&ledger, 2..=4).await;
}

/// A test per place. The list is complete: see the test below.
macro_rules! places {
    ($($test:ident: $name:literal, $nth:literal, $services:expr;)*) => {
        const PLACES: &[&str] = &[$($name),*];

        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                dies_at(concat!($name, ":", $nth), &$services).await;
            }
        )*
    };
}

places! {
    dying_before_a_commit_of_a_task: "chat.before_commit", 20, [&CHAT_API];
    dying_after_a_commit_of_a_task: "chat.after_commit", 20, [&CHAT_API];
    dying_before_publishing: "outbox.before_publish", 10, [&CHAT_API];
    dying_after_publishing_before_the_mark: "outbox.after_publish", 10, [&CHAT_API];
    dying_after_the_mark: "outbox.after_mark", 10, [&CHAT_API];
    dying_before_the_call_for_a_successor: "recurring.before_call", 2, [&RECURRING_TASKS];
    dying_after_the_call_for_a_successor: "recurring.after_call", 2, [&RECURRING_TASKS];
    dying_after_a_successor_is_noted: "recurring.after_commit", 2, [&RECURRING_TASKS];
    dying_before_a_row_of_the_record: "audit.before_commit", 10, [&AUDIT];
    dying_after_a_row_of_the_record: "audit.after_commit", 10, [&AUDIT];
    dying_before_an_effect: "consumer.before_effect", 15, [&RECURRING_TASKS, &AUDIT];
    dying_after_an_effect: "consumer.after_effect", 15, [&RECURRING_TASKS, &AUDIT];
    dying_before_an_acknowledgement: "consumer.before_ack", 15, [&RECURRING_TASKS, &AUDIT];
    dying_after_an_acknowledgement: "consumer.after_ack", 15, [&RECURRING_TASKS, &AUDIT];
}

#[tokio::test(flavor = "multi_thread")]
async fn dying_after_a_dead_letter() {
    dies_after_a_dead_letter().await;
}

/// What is on hold is not done: whoever dies with it has moved no offset.
#[tokio::test(flavor = "multi_thread")]
async fn dying_with_a_delivery_on_hold() {
    let mut world = World::start().await;
    let detour = Detour::to(&world.core.wiring.database_url).await;
    detour.open();
    let url = detour.url();
    for service in [&RECURRING_TASKS, &AUDIT] {
        world.core.restart(service, &[(TASKFLOW_DATABASE_URL.name, &url)]).await;
    }
    world.core.becomes_ready().await;
    let workload = Workload::begin(&world, 1);
    workload.goes_on(AFTERWARDS).await;

    detour.cut();
    for service in [&RECURRING_TASKS, &AUDIT] {
        let replica = world.core.replica(service);
        wait_until("a delivery is on hold", PATIENCE, async || {
            match replica.value_of(CONSUMPTION_PAUSED.name).await {
                0.0 => Err("none is"),
                _ => Ok(()),
            }
        })
        .await;
    }
    // Nothing must happen in this time, so there is nothing to wait for.
    sleep(LONGER_THAN_A_COMMIT).await;
    for service in [&RECURRING_TASKS, &AUDIT] {
        world.core.restart(service, &[]).await;
    }
    workload.goes_on(AFTERWARDS).await;
    let ledger = workload.finish().await;
    world.settle(&ledger).await;
}

#[test]
fn every_crash_point_of_the_code_has_its_test() {
    let tested: BTreeSet<String> = PLACES
        .iter()
        .copied()
        .chain(["consumer.after_dead_letter"])
        .map(str::to_owned)
        .collect();
    // Those of other services die in their own tests.
    let in_the_code = crash_points::in_the_code().into_iter();
    let of_the_core: BTreeSet<String> = in_the_code
        .filter(|name| {
            !["notification.", "dlq."]
                .iter()
                .any(|service| name.starts_with(service))
        })
        .collect();
    assert_eq!(tested, of_the_core);
}
