//! What is away is waited for: nothing becomes a dead letter, nothing is lost, and work goes on by itself.

use catalogue::environment_variables::TASKFLOW_DATABASE_URL;
use test_kit::{Database, Detour};

use crate::{events::Task, world::World};

#[tokio::test]
async fn reminders_that_are_due_while_the_database_is_away_are_seen_when_it_is_back() {
    let world = World::new().await;
    let detour = Detour::to(&world.database.url()).await;
    detour.open();
    let replica = world.start_with(&[(TASKFLOW_DATABASE_URL.name, &detour.url())]).await;
    replica.becomes_ready().await;
    for (round, away) in [(1, Detour::cut as fn(&Detour)), (2, Detour::hang)] {
        let (planned, published) = (round * 100, round * 100 + 50);
        let due: Vec<_> = (0..10)
            .map(|id| Task::in_seconds("ada", planned + id, 5).is_saved())
            .collect();
        world.publish(&due).await;
        world.states(planned + 9, &["planned"]).await;
        away(&detour);
        let more: Vec<_> = (0..10)
            .map(|id| Task::in_seconds("ada", published + id, 1).is_saved())
            .collect();
        world.publish(&more).await;
        replica.reaches("consumption_paused", 1.0).await;
        detour.open();
        world
            .counts(
                "select count(*) from notification.reminder where state = 'delivered'",
                20 * round,
            )
            .await;
        replica.becomes_ready().await;
    }
    replica.stop().await;
    world.assert_settled().await;
}

#[tokio::test]
async fn a_schema_that_is_not_migrated_yet_is_waited_for() {
    let world = World::around(Database::empty().await).await;
    let replica = world.start_with(&[]).await;
    world.publish(&[Task::in_seconds("ada", 7, 1).is_saved()]).await;
    replica.reaches("consumption_paused", 1.0).await;
    let mut migration = world.run("migrate", &[]);
    assert!(
        migration.exit(crate::world::PATIENCE).await.success(),
        "{:#?}",
        migration.lines()
    );
    world.states(7, &["delivered"]).await;
    replica.stop().await;
    world.assert_settled().await;
}
