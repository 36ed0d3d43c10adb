//! A process that dies at each of its named places, and one that takes over: every reminder comes to one end, and a
//! person is told once, but for the one window that is counted.

use std::os::unix::process::ExitStatusExt as _;

use serde_json::json;

use crate::{
    events::Task,
    receiver::Receiver,
    world::{PATIENCE, World},
};

/// Where the tests below die, of the places of the service itself.
pub(crate) const PLACES: [&str; 12] = [
    "notification.before_plan_commit",
    "notification.after_plan_commit",
    "notification.before_claim_commit",
    "notification.after_claim_commit",
    "notification.before_deal_commit",
    "notification.after_deal_commit",
    "notification.before_attempt_commit",
    "notification.after_attempt_commit",
    "notification.before_call",
    "notification.after_accept",
    "notification.before_mark_commit",
    "notification.after_mark",
];

/// Reminders in each test.
const COUNT: i64 = 3;

/// Dies at this place, is followed by another, and three reminders end well. Gives the calls that each reminder led to,
/// and how many attempts the second found in doubt.
async fn survives(place: &str) -> (Vec<u32>, f64) {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    let helper = world.start().await;
    world
        .channel(&helper, "ada", json!({"kind": "webhook", "url": receiver.url()}))
        .await;
    helper.stop().await;

    let mut dying = world.start_with(&[(event_bus::crash::VARIABLE, place)]).await;
    let tasks: Vec<_> = (1..=COUNT)
        .map(|id| Task::in_seconds("ada", id, 3).is_saved())
        .collect();
    world.publish(&tasks).await;
    let status = dying.process.exit(PATIENCE).await;
    assert_eq!(status.signal(), Some(9), "{place}: {:#?}", dying.process.lines());

    let next = world.start().await;
    world
        .counts(
            "select count(*) from notification.reminder where state = 'delivered'",
            COUNT,
        )
        .await;
    world
        .counts(
            "select count(*) from notification.delivery where kind = 'webhook' and state = 'delivered'",
            COUNT,
        )
        .await;
    let doubts = next
        .value_of(r#"notification_attempts_in_doubt_total{channel="webhook"}"#)
        .await;
    next.stop().await;
    world.assert_settled().await;
    let count = "select count(*) from notification.reminder";
    assert_eq!(world.count(count).await, COUNT, "{place}");
    let noted = "select count(*) from notification.delivery_attempt where outcome = 'in_doubt'";
    assert_eq!(world.count(noted).await.to_string(), doubts.to_string(), "{place}");

    let calls = receiver.calls();
    let of_task = |id: i64| calls.iter().filter(move |call| call.json()["data"]["task_id"] == id);
    let told: Vec<u32> = (1..=COUNT).map(|id| of_task(id).map(|_| 1).sum()).collect();
    assert!(told.iter().all(|count| *count >= 1), "{place}: {told:?}");
    // Whoever was told again is one of whose attempts nobody knew what became.
    for (id, calls) in (1..=COUNT).zip(&told) {
        let doubts = in_doubt(&world, id).await;
        assert!(
            i64::from(*calls) <= 1 + doubts,
            "{place}: task {id}: {told:?}, {doubts} in doubt"
        );
    }
    // What came twice came under one id.
    for call in &calls {
        let same = |other: &&crate::receiver::Call| other.json()["data"]["task_id"] == call.json()["data"]["task_id"];
        let id = call.header("webhook-id");
        assert!(calls.iter().filter(same).all(|other| other.header("webhook-id") == id));
    }
    (told, doubts)
}

/// Attempts of this task's reminder that were found without an outcome.
async fn in_doubt(world: &World, task: i64) -> i64 {
    let attempts = "select count(*) from notification.delivery_attempt as attempt
        join notification.delivery as delivery on delivery.id = attempt.delivery_id
        join notification.reminder as reminder
            on reminder.id = delivery.reminder_id and reminder.generation = delivery.generation
        where reminder.task_id = $1 and attempt.outcome = 'in_doubt'";
    sqlx::query_scalar(attempts)
        .bind(task)
        .fetch_one(&world.pool)
        .await
        .unwrap()
}

/// Nobody is told twice by this place itself. On a busy machine the call of another reminder may be under way when the
/// process dies: then that one is in the window that is counted, which `survives` holds against each.
async fn loses_and_repeats_nothing(place: &str) {
    survives(place).await;
}

#[tokio::test]
async fn dying_before_a_plan_is_committed() {
    loses_and_repeats_nothing("notification.before_plan_commit:2").await;
}

#[tokio::test]
async fn dying_after_a_plan_is_committed() {
    loses_and_repeats_nothing("notification.after_plan_commit:2").await;
}

#[tokio::test]
async fn dying_before_a_claim_is_committed() {
    // Nothing was told before the first claim, so nothing can be in doubt.
    let outcome = survives("notification.before_claim_commit").await;
    assert_eq!(outcome, (vec![1; 3], 0.0));
}

#[tokio::test]
async fn dying_after_a_claim_is_committed() {
    loses_and_repeats_nothing("notification.after_claim_commit").await;
}

#[tokio::test]
async fn dying_between_the_broker_and_the_mark_of_the_outbox() {
    loses_and_repeats_nothing("outbox.after_publish").await;
}

#[tokio::test]
async fn dying_before_a_reminder_is_dealt() {
    loses_and_repeats_nothing("notification.before_deal_commit").await;
}

#[tokio::test]
async fn dying_after_a_reminder_is_dealt() {
    loses_and_repeats_nothing("notification.after_deal_commit").await;
}

#[tokio::test]
async fn dying_before_an_attempt_is_noted() {
    loses_and_repeats_nothing("notification.before_attempt_commit").await;
}

/// The attempt is noted and never made: nobody can know that, so it counts as in doubt, and the person is told once.
#[tokio::test]
async fn dying_after_an_attempt_is_noted_and_before_the_call() {
    for place in ["notification.after_attempt_commit", "notification.before_call"] {
        let (told, doubts) = survives(place).await;
        assert_eq!(told, [1; 3], "{place}");
        assert!(doubts >= 1.0, "{place}: {doubts}");
    }
}

/// The one window: the receiver has it, and we have not noted so. It is told again, under the same id, and counted.
#[tokio::test]
async fn dying_between_the_acceptance_and_its_mark_is_the_window_that_is_counted() {
    for place in ["notification.after_accept", "notification.before_mark_commit"] {
        let (told, doubts) = survives(place).await;
        assert!(
            told.iter().any(|count| *count > 1),
            "{place}: {told:?}, {doubts} in doubt"
        );
    }
}

/// Others of the same batch may be in the window; the one that is marked is not.
#[tokio::test]
async fn dying_after_the_mark() {
    let (told, doubts) = survives("notification.after_mark").await;
    assert!(told.contains(&1), "{told:?}, {doubts} in doubt");
}
