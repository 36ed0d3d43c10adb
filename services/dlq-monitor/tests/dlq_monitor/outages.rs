//! What is away is waited for: no letter is lost, and a replay goes on by itself.

use catalogue::{environment_variables::TASKFLOW_DATABASE_URL, services::AUDIT, topics::TASK_EVENTS_DLQ};
use test_kit::{Database, Detour};

use crate::{
    consumer::Consumer,
    events::task_event,
    world::{PATIENCE, World},
};

#[tokio::test]
async fn letters_that_come_while_the_database_is_away_are_kept_when_it_is_back() {
    let world = World::new().await;
    let detour = Detour::to(&world.database.url()).await;
    detour.open();
    let replica = world.start_with(&[(TASKFLOW_DATABASE_URL.name, &detour.url())]).await;
    replica.becomes_ready().await;
    for (round, away) in [(1, Detour::cut as fn(&Detour)), (2, Detour::hang)] {
        away(&detour);
        for _ in 0..5 {
            world.put(TASK_EVENTS_DLQ, Some(b"7"), Some(b"{"), &[]).await;
        }
        replica.becomes("consumption_paused", 1.0).await;
        detour.open();
        world.letters("waiting", 5 * round).await;
        replica.becomes_ready().await;
    }
    replica.stop().await;
}

#[tokio::test]
async fn a_replay_goes_on_when_the_database_is_back() {
    let world = World::new().await;
    let detour = Detour::to(&world.database.url()).await;
    detour.open();
    let replica = world.start_with(&[(TASKFLOW_DATABASE_URL.name, &detour.url())]).await;
    replica.becomes_ready().await;
    let consumer = Consumer::start(&world, &AUDIT);
    consumer.is_broken(true);
    let events: Vec<_> = (1..=8).map(|version| task_event("ada", 7, version)).collect();
    world.publish(&events).await;
    world.letters("waiting", 8).await;
    consumer.is_broken(false);
    let (code, printed) = world.types(&["replay", "--all", "--no-wait"]).await;
    assert_eq!(code, 0, "{printed}");
    consumer.applies_something().await;
    detour.cut();
    replica.becomes("dependency_up{dependency=\"database\"}", 0.0).await;
    detour.open();
    consumer.has_applied(8).await;
    assert_eq!(consumer.versions(7), (1..=8).collect::<Vec<_>>());
    world.is_settled().await;
    consumer.stop().await;
    replica.stop().await;
}

#[tokio::test]
async fn a_schema_that_is_not_migrated_yet_is_waited_for() {
    let world = World::around(Database::empty().await).await;
    let replica = world.start_with(&[]).await;
    world.put(TASK_EVENTS_DLQ, Some(b"7"), Some(b"{"), &[]).await;
    replica.becomes("consumption_paused", 1.0).await;
    let mut migration = world.run(&["migrate"], &[]);
    let migrated = migration.exit(PATIENCE).await;
    assert!(migrated.success(), "{:#?}", migration.lines());
    world.letters("waiting", 1).await;
    replica.stop().await;
}
