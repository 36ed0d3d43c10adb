//! What is away is waited for: nothing becomes a dead letter, and work goes on by itself.

use service_kit::problem::codes;
use sqlx::Connection as _;
use test_kit::{Database, Detour, keys, wait_until};

use crate::{
    completions::Recurring,
    world::{PATIENCE, Replica, World, get, run},
};

/// More attempts than a delivery has.
const MANY: usize = 6;

async fn goes_on(world: &World, replica: Replica, created: usize) {
    wait_until("every completion has its successor", PATIENCE, async || {
        match world.chat_api.created() {
            now if now == created => Ok(()),
            now => Err(now),
        }
    })
    .await;
    replica.reaches(r#"occurrences_total{outcome="created"}"#, 1).await;
    assert_eq!(replica.metric("consumption_paused").await, 0);
    replica.stop().await;
    world.assert_no_dead_letters().await;
}

async fn may_consume(replica: &Replica, expected: bool) {
    wait_until("the service says whether it may consume", PATIENCE, async || match get(
        replica.internal,
        "/ready/events",
    )
    .await
    {
        (200, _) if expected => Ok(()),
        (503, text) if !expected && text.contains(r#""chat-api":"not reachable""#) => Ok(()),
        (_, text) => Err(text),
    })
    .await;
    assert_eq!(
        get(replica.public, "/ready").await.0,
        200,
        "it takes requests, if anyone has some"
    );
}

#[tokio::test]
async fn chat_api_that_is_gone_is_waited_for() {
    let mut world = World::new().await;
    let replica = world.start().await;
    world.publish([&Recurring::weekly(1).completed()]).await;
    world.commands(1).await;
    may_consume(&replica, true).await;

    world.chat_api.go_away();
    world
        .publish(&[2, 3, 4].map(|task| Recurring::weekly(task).completed()))
        .await;
    replica.reaches("consumption_paused", 1).await;
    may_consume(&replica, false).await;
    let up = r#"dependency_up{dependency="chat-api"}"#;
    assert_eq!(replica.metric(up).await, 0);

    world.chat_api.come_back();
    may_consume(&replica, true).await;
    assert_eq!(replica.metric(up).await, 1);
    goes_on(&world, replica, 4).await;
}

#[tokio::test]
async fn chat_api_that_does_not_answer_is_waited_for() {
    let world = World::new().await;
    let replica = world.start().await;
    world.chat_api.set_silent(true);
    world
        .publish(&[1, 2].map(|task| Recurring::weekly(task).completed()))
        .await;
    replica.reaches("consumption_paused", 1).await;
    world.chat_api.set_silent(false);
    goes_on(&world, replica, 2).await;
}

/// It lives and says so, and no command gets an answer in time: its database is slow, or a lock is held there.
#[tokio::test]
async fn chat_api_that_takes_too_long_is_waited_for() {
    let world = World::new().await;
    let replica = world.start().await;
    world.chat_api.set_hesitating(true);
    world
        .publish(&[1, 2].map(|task| Recurring::weekly(task).completed()))
        .await;
    world.commands(MANY).await;
    world.chat_api.set_hesitating(false);
    goes_on(&world, replica, 2).await;
}

/// It lives and says so, but cannot do what it is told, again and again: its database is away, it has too much to do,
/// or it does not believe our token.
#[tokio::test]
async fn chat_api_that_cannot_obey_is_waited_for() {
    for code in [
        &codes::UNAVAILABLE,
        &codes::OVERLOADED,
        &codes::TOKEN_SIGNATURE,
        &codes::ROUTE_NOT_FOUND,
    ] {
        let world = World::new().await;
        let replica = world.start().await;
        world.chat_api.refuse_next([code; 100]);
        world.publish([&Recurring::weekly(1).completed()]).await;
        world.commands(MANY).await;
        world.chat_api.refuse_no_more();
        goes_on(&world, replica, 1).await;
    }
}

#[tokio::test]
async fn a_token_signed_with_the_wrong_key_loses_nothing() {
    let world = World::new().await;
    let other = keys::ed25519();
    let wrong = world
        .start_with(&[("TASKFLOW_SERVICE_TOKEN_PRIVATE_KEY", &other.private)])
        .await;
    world.publish([&Recurring::weekly(1).completed()]).await;
    wrong.reaches("consumption_paused", 1).await;
    assert!(world.chat_api.commands().is_empty(), "chat-api lets nobody in");
    wrong.stop().await;
    let right = world.start().await;
    goes_on(&world, right, 1).await;
}

/// As after the loss of a machine: its transaction is still open, and the event is handled elsewhere already.
#[tokio::test]
async fn a_claim_that_somebody_else_holds_is_waited_for() {
    let world = World::new().await;
    let event = Recurring::weekly(1).completed();
    let mut other = sqlx::PgConnection::connect(&world.database.url()).await.unwrap();
    let mut open = other.begin().await.unwrap();
    let schema = &catalogue::database::RECURRING;
    assert!(
        event_bus::inbox::claim(&mut open, schema, &event.source, event.context.id.get())
            .await
            .unwrap()
    );

    let replica = world.start().await;
    world.publish([&event]).await;
    replica
        .reaches(r#"events_handled_total{outcome="retry",topic="task-events"}"#, 5)
        .await;
    assert!(world.chat_api.commands().is_empty());
    open.rollback().await.unwrap();
    goes_on(&world, replica, 1).await;
}

#[tokio::test]
async fn a_database_that_is_cut_off_or_hangs_is_waited_for() {
    let world = World::new().await;
    let detour = Detour::to(&world.database.url()).await;
    detour.open();
    let replica = world.start_with(&[("TASKFLOW_DATABASE_URL", &detour.url())]).await;
    may_consume(&replica, true).await;

    detour.hang();
    world.publish([&Recurring::weekly(1).completed()]).await;
    replica.reaches("consumption_paused", 1).await;
    detour.open();
    world.commands(1).await;

    detour.cut();
    world.publish([&Recurring::weekly(2).completed()]).await;
    replica.reaches("consumption_paused", 1).await;
    detour.open();
    goes_on(&world, replica, 2).await;
}

#[tokio::test]
async fn a_schema_that_is_not_migrated_yet_is_waited_for() {
    let world = World::around(Database::empty().await).await;
    let replica = world.start().await;
    world.publish([&Recurring::weekly(1).completed()]).await;
    replica.reaches("consumption_paused", 1).await;
    assert!(
        get(replica.internal, "/ready/events")
            .await
            .1
            .contains(r#""migrations":"not applied""#)
    );

    let mut migration = run("migrate", world.variables());
    assert!(migration.exit(PATIENCE).await.success(), "{:?}", migration.lines());
    goes_on(&world, replica, 1).await;
}
