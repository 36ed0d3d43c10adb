//! A completed recurring task gets its successor, once.

use domain::{
    recurrence::{Basis, CatchUp},
    time::{Due, Zone},
};

use crate::{
    completions::{CORRELATION_ID, Recurring, TRACEPARENT, completed_once, never_completed, zoned},
    world::World,
};

#[tokio::test]
async fn a_completed_task_gets_its_successor() {
    let world = World::new().await;
    let replica = world.start().await;
    let completed = Recurring::weekly(123).completed();
    world.publish([&completed]).await;

    let [command] = &world.commands(1).await[..] else {
        panic!("one command was waited for");
    };
    assert_eq!(command.task, 123);
    let event: serde_json::Value = serde_json::from_slice(&completed.to_json()).unwrap();
    let series = &event["data"]["task_snapshot"]["series"]["id"];
    assert_eq!(
        command.body,
        serde_json::json!({
            "series": series,
            "occurrence_key": "2026-12-07T09:00:00",
            "ordinal": 2,
            "completed_at": "2026-11-30T11:00:00Z",
        })
    );
    let key = format!("{}/2026-12-07T09:00:00", series.as_str().unwrap());
    assert_eq!(command.header("idempotency-key"), key);
    assert_eq!(command.header("x-correlation-id"), CORRELATION_ID);
    let traceparent = command.header("traceparent");
    assert_eq!(traceparent.len(), TRACEPARENT.len());
    assert_ne!(
        traceparent[3..35],
        TRACEPARENT[3..35],
        "handling is linked to its cause, and a trace of its own"
    );

    replica.reaches(r#"occurrences_total{outcome="created"}"#, 1).await;
    replica.stop().await;
    world.assert_no_dead_letters().await;
}

#[tokio::test]
async fn nothing_else_that_happens_asks_for_one() {
    let world = World::new().await;
    let replica = world.start().await;
    let last = Recurring::weekly(3).completed();
    let events = never_completed(1).into_iter().chain([completed_once(2), last]);
    world.publish(&events.collect::<Vec<_>>()).await;

    let commands = world.commands(1).await;
    replica
        .reaches(r#"events_handled_total{outcome="done",topic="task-events"}"#, 5)
        .await;
    assert_eq!(commands.iter().map(|it| it.task).collect::<Vec<_>>(), [3]);
    replica.stop().await;
    world.assert_no_dead_letters().await;
}

#[tokio::test]
async fn a_completion_that_comes_again_has_no_effect() {
    let world = World::new().await;
    let replica = world.start().await;
    let [first, last] = [1, 2].map(|task| Recurring::weekly(task).completed());
    world.publish([&first, &first, &first, &last]).await;

    replica
        .reaches(r#"events_handled_total{outcome="done",topic="task-events"}"#, 4)
        .await;
    let tasks: Vec<i64> = world.commands(2).await.iter().map(|it| it.task).collect();
    assert_eq!(tasks, [1, 2]);
    assert_eq!(
        replica.metric(r#"inbox_duplicates_total{topic="task-events"}"#).await,
        2
    );
    assert_eq!(replica.occurrences("created").await, 2);
    replica.stop().await;
    world.assert_no_dead_letters().await;
}

/// The same completion, told by two events: chat-api has the last word.
#[tokio::test]
async fn what_chat_api_has_created_already_is_fine() {
    let world = World::new().await;
    let replica = world.start().await;
    let first = Recurring::weekly(1).completed();
    let mut second = first.clone();
    second.context.id = events::EventId::generate();
    world.publish([&first, &second]).await;

    replica.reaches(r#"occurrences_total{outcome="duplicate"}"#, 1).await;
    assert_eq!((world.chat_api.commands().len(), world.chat_api.created()), (2, 1));
    replica.stop().await;
    world.assert_no_dead_letters().await;
}

#[tokio::test]
async fn a_series_that_has_ended_has_no_successor() {
    let world = World::new().await;
    let replica = world.start().await;
    let counted = Recurring {
        rule: "FREQ=WEEKLY;BYDAY=MO;COUNT=1",
        ..Recurring::weekly(1)
    };
    let past_its_end = Recurring {
        rule: "FREQ=WEEKLY;BYDAY=MO;UNTIL=20261206T235959",
        ..Recurring::weekly(2)
    };
    let ended = counted.completed();
    world.publish([&ended, &past_its_end.completed(), &ended]).await;

    replica
        .reaches(r#"events_handled_total{outcome="done",topic="task-events"}"#, 3)
        .await;
    assert_eq!(replica.occurrences("ended").await, 2, "the third is the first again");
    assert!(world.chat_api.commands().is_empty());
    replica.stop().await;
    world.assert_no_dead_letters().await;
}

/// Each completed at the same instant, a day on which clocks differ: 2026-12-06T23:30:00Z is Sunday in London, and
/// Monday in Berlin and Auckland.
#[tokio::test]
async fn a_completion_has_the_date_of_the_clocks_of_its_series() {
    let after_completion = |task, due, home| Recurring {
        due,
        rule: "FREQ=DAILY;INTERVAL=2",
        basis: Basis::AfterCompletion,
        home: Zone::new(home).unwrap(),
        completed_at: "2026-12-06T23:30:00Z",
        ..Recurring::weekly(task)
    };
    let instant = Due::Instant("2026-11-30T08:00:00Z".parse().unwrap());
    let floating = Due::Floating("2026-11-30T09:00:00".parse().unwrap());
    expect(&[
        (
            after_completion(1, instant, "Pacific/Auckland"),
            "2026-12-08T08:00:00",
            2,
        ),
        (
            after_completion(2, zoned("2026-11-30T09:00:00", "Europe/Berlin"), "UTC"),
            "2026-12-09T09:00:00",
            2,
        ),
        (
            after_completion(3, floating.clone(), "Europe/London"),
            "2026-12-08T09:00:00",
            2,
        ),
        (
            after_completion(4, floating, "Pacific/Auckland"),
            "2026-12-09T09:00:00",
            2,
        ),
    ])
    .await;
}

/// Three Mondays late, on a Wednesday.
#[tokio::test]
async fn missed_occurrences_are_made_up_for_as_the_series_says() {
    let late = |task, catch_up| Recurring {
        catch_up,
        completed_at: "2026-12-16T12:00:00Z",
        ..Recurring::weekly(task)
    };
    let monthly = Recurring {
        due: zoned("2027-01-31T09:00:00", "Europe/Berlin"),
        rule: "FREQ=MONTHLY",
        completed_at: "2027-01-31T12:00:00Z",
        ..Recurring::weekly(4)
    };
    expect(&[
        (late(1, CatchUp::One), "2026-12-14T09:00:00", 2),
        (late(2, CatchUp::All), "2026-12-07T09:00:00", 2),
        (late(3, CatchUp::None), "2026-12-21T09:00:00", 2),
        (monthly, "2027-02-28T09:00:00", 2),
    ])
    .await;
}

/// Publishes the completions, and compares what chat-api is told of each.
async fn expect(expected: &[(Recurring, &str, u64)]) {
    let world = World::new().await;
    let replica = world.start().await;
    let events: Vec<_> = expected.iter().map(|(recurring, ..)| recurring.completed()).collect();
    world.publish(&events).await;
    let commands = world.commands(expected.len()).await;
    for ((recurring, key, ordinal), command) in expected.iter().zip(commands) {
        assert_eq!(command.task, recurring.task);
        assert_eq!(command.occurrence(), ((*key).to_owned(), *ordinal), "{recurring:?}");
    }
    replica.stop().await;
    world.assert_no_dead_letters().await;
}
