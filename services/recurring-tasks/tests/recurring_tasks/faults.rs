//! What cannot be done, for good or by this event alone.

use catalogue::app_ids;
use event_bus::{
    dead_letter::{ATTEMPTS, CONSUMER, DETAIL, REASON},
    partition_for_key,
};
use recurring_tasks::MIGRATIONS;
use serde_json::json;
use service_kit::problem::codes;
use test_kit::{Database, wait_until};

use crate::{
    completions::{Recurring, zoned},
    world::{PATIENCE, World},
};

#[tokio::test]
async fn a_refusal_of_chat_api_is_final() {
    let world = World::new().await;
    let replica = world.start().await;
    world
        .chat_api
        .refuse_next([&codes::NOT_FOUND, &codes::CONFLICT, &codes::INVALID_BODY]);
    let events = [1, 2, 3, 4].map(|task| Recurring::weekly(task).completed());
    world.publish(&events).await;
    world.publish(&events).await;

    replica
        .reaches(r#"events_handled_total{outcome="done",topic="task-events"}"#, 8)
        .await;
    let tasks: Vec<i64> = world.chat_api.commands().iter().map(|it| it.task).collect();
    assert_eq!(tasks, [1, 2, 3, 4], "nobody asks again");
    assert_eq!(
        (
            replica.occurrences("refused").await,
            replica.occurrences("created").await
        ),
        (3, 1)
    );
    replica.stop().await;
    world.assert_no_dead_letters().await;
}

#[tokio::test]
async fn an_event_that_makes_no_sense_becomes_a_dead_letter_and_keeps_nobody_waiting() {
    let damages = [
        ("/specversion", json!("0.3"), "not_an_envelope", ""),
        (
            "/data/task_snapshot/due/zone",
            json!("Mars/Olympus"),
            "payload_invalid",
            "Mars",
        ),
        (
            "/data/task_snapshot/completed_at",
            json!(null),
            "rejected",
            "completion",
        ),
        ("/data/task_snapshot/due", json!(null), "rejected", "due time"),
    ];
    let world = World::new().await;
    let replica = world.start().await;
    for (task, (pointer, damage, ..)) in (1..).zip(&damages) {
        let event = Recurring::weekly(task).completed();
        world.publish_changed(&event, pointer, damage.clone()).await;
    }
    world.publish([&Recurring::weekly(99).completed()]).await;

    assert_eq!(world.commands(1).await[0].task, 99);
    replica
        .reaches(r#"events_handled_total{outcome="dead_letter",topic="task-events"}"#, 4)
        .await;
    let letters = world.dead_letters().await;
    assert_eq!(letters.len(), damages.len());
    for ((.., reason, detail), letter) in damages.iter().zip(&letters) {
        assert_eq!(
            (letter.header(REASON), letter.header(CONSUMER)),
            (*reason, app_ids::RECURRING_TASKS)
        );
        assert!(letter.header(DETAIL).contains(detail), "{letter:?}");
    }
    assert_eq!(
        replica.occurrences("failed").await,
        3,
        "what is no event never came here"
    );
    replica.stop().await;
}

/// The zone of a person is needed for floating times only, and may be newer than what this release knows.
#[tokio::test]
async fn an_unknown_zone_of_the_person_matters_only_where_it_is_needed() {
    const TIME_ZONE: &str = "/data/task_snapshot/time_zone";
    let unknown = json!("Mars/Olympus");
    let floating = Recurring {
        due: domain::time::Due::Floating("2026-11-30T09:00:00".parse().unwrap()),
        ..Recurring::weekly(1)
    };
    let fixed = Recurring {
        due: zoned("2026-11-30T09:00:00", "Asia/Tokyo"),
        ..Recurring::weekly(2)
    };
    let world = World::new().await;
    let replica = world.start().await;
    world
        .publish_changed(&floating.completed(), TIME_ZONE, unknown.clone())
        .await;
    world.publish_changed(&fixed.completed(), TIME_ZONE, unknown).await;

    assert_eq!(world.commands(1).await[0].task, 2);
    let letters = world.dead_letters().await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].header(REASON), "payload_invalid");
    replica.stop().await;
}

#[tokio::test]
async fn a_command_that_always_fails_becomes_a_dead_letter() {
    let world = World::new().await;
    let replica = world.start().await;
    world.chat_api.refuse_next([&codes::INTERNAL; 4]);
    let [fails, works] = [1, 2].map(|task| Recurring::weekly(task).completed());
    world.publish([&fails, &works]).await;

    let tasks: Vec<i64> = world.commands(5).await.iter().map(|it| it.task).collect();
    assert_eq!(tasks, [1, 1, 1, 1, 2]);
    let [letter] = &world.dead_letters().await[..] else {
        panic!("one dead letter");
    };
    assert_eq!((letter.header(REASON), letter.header(ATTEMPTS)), ("failed", "4"));
    assert!(letter.header(DETAIL).contains("500 internal"), "{letter:?}");
    assert_eq!(letter.value, fails.to_json(), "as it came, to be replayed");
    assert_eq!(replica.occurrences("failed").await, 4);
    replica.stop().await;
}

/// Others are answered meanwhile: it is this one, and it must not keep its partition waiting for ever.
#[tokio::test]
async fn a_command_that_alone_never_gets_an_answer_becomes_a_dead_letter() {
    let partition_of = |task: &i64| partition_for_key(task.to_string().as_bytes(), 2);
    let mut others = (2..).filter(|task| partition_of(task) != partition_of(&1));
    let world = World::with_partitions(2, Database::migrated(&[&MIGRATIONS]).await).await;
    let replica = world.start().await;
    world.chat_api.get_stuck_at(1);
    world.publish([&Recurring::weekly(1).completed()]).await;

    wait_until("the dead letter is there", PATIENCE, async || {
        world
            .publish([&Recurring::weekly(others.next().unwrap()).completed()])
            .await;
        match replica
            .metric(r#"events_handled_total{outcome="dead_letter",topic="task-events"}"#)
            .await
        {
            0 => Err("none"),
            _ => Ok(()),
        }
    })
    .await;
    let letters = world.dead_letters().await;
    assert_eq!(
        (letters.len(), letters[0].header(REASON), letters[0].header(ATTEMPTS)),
        (1, "failed", "4")
    );
    assert!(letters[0].header(DETAIL).contains("gave no answer"), "{letters:?}");
    replica.stop().await;
}

#[tokio::test]
async fn a_command_that_is_not_understood_is_not_repeated() {
    let world = World::new().await;
    let replica = world.start().await;
    world.chat_api.refuse_next([&codes::MALFORMED_BODY]);
    world
        .publish(&[1, 2].map(|task| Recurring::weekly(task).completed()))
        .await;

    assert_eq!(world.commands(2).await.len(), 2);
    let letters = world.dead_letters().await;
    assert_eq!((letters.len(), letters[0].header(ATTEMPTS)), (1, "1"));
    replica.stop().await;
}
