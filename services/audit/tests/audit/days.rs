//! Days are prepared ahead and dropped on time; the clock is the tests'.

use audit::{Day, Retention, days};
use jiff::Timestamp;
use sqlx::Connection as _;

use crate::{
    events::{days_before, task_event_of},
    world::{PATIENCE, World},
};

async fn prepared(world: &World) -> Vec<String> {
    let days = sqlx::query_scalar("select day::text from audit.prepared_days() as day");
    days.fetch_all(&world.pool).await.unwrap()
}

#[tokio::test]
async fn a_week_is_prepared_ahead() {
    let world = World::new().await;
    let database = world.service_database();
    let day: Day = Day("2027-02-26".parse().unwrap());
    // Replicas do so at the same time.
    let counts = tokio::try_join!(days::prepare(&database, day), days::prepare(&database, day));
    assert_eq!(counts.unwrap(), (7, 7));
    let expected: Vec<String> = (0..=7).map(|days| day.plus(days).to_string()).collect();
    assert_eq!(prepared(&world).await, expected);
    assert_eq!(days::prepare(&database, day.plus(3)).await.unwrap(), 7);
    assert_eq!(prepared(&world).await.len(), 11);

    let replica = world.start().await;
    replica.reaches("audit_days_prepared", 7.0).await;
    replica.stop().await;
}

#[tokio::test]
async fn a_day_is_dropped_when_the_retention_is_over_and_leaves_anchors() {
    let world = World::new().await;
    let replica = world.start().await;
    // Late events come behind younger ones: the days of a chain need not be in order.
    let now = Timestamp::now();
    let of = |version, days| task_event_of("ada", 7, version, days_before(now, days));
    let events = [of(1, 12), of(2, 12), of(3, 11), of(4, 12), of(5, 0)];
    world.publish(&events).await;
    world
        .publish(&[1, 2].map(|version| task_event_of("ada", 8, version, days_before(now, 12))))
        .await;
    world.rows(7).await;
    let database = world.service_database();
    let retention = Retention::days(20);
    let drop_at = async |days: i32| {
        days::drop_old(&database, retention, Day::of(now).plus(days))
            .await
            .unwrap();
    };

    drop_at(8).await;
    assert_eq!(world.count().await, 7, "the last day of the retention is kept");
    drop_at(9).await;
    assert_eq!(world.count().await, 2, "12 days ago is 21 days ago by then");
    world.assert_whole(2).await;
    let trail = world.get(&replica, "ada", "/tasks/7/audit").await.json();
    let gaps: Vec<_> = trail["dropped"].as_array().unwrap().iter().map(gap).collect();
    assert_eq!(gaps, [(1, 2), (4, 4)]);
    let entries: Vec<_> = trail["entries"].as_array().unwrap().iter().collect();
    assert_eq!(entries[0]["previous_hash"], trail["dropped"][0]["last_hash"]);
    assert_eq!(entries[1]["previous_hash"], trail["dropped"][1]["last_hash"]);

    // Only dropped days: empty, with the anchor told; to others it is still not there.
    let trail = world.get(&replica, "ada", "/tasks/8/audit").await.json();
    assert_eq!(trail["entries"], serde_json::json!([]));
    assert_eq!(gap(&trail["dropped"][0]), (1, 2));
    assert_eq!(trail["dropped"][0]["last_hash"], trail["head"]["hash"]);
    assert_eq!(world.get(&replica, "bob", "/tasks/8/audit").await.status, 404);

    // The chains go on, and neighbouring gaps become one.
    world.publish(&[of(6, 0)]).await;
    world.publish(&[task_event_of("ada", 8, 3, now)]).await;
    world.rows(4).await;
    drop_at(10).await;
    world.assert_whole(3).await;
    let trail = world.get(&replica, "ada", "/tasks/7/audit").await.json();
    assert_eq!(trail["dropped"].as_array().unwrap().len(), 1);
    assert_eq!(gap(&trail["dropped"][0]), (1, 4));
    drop_at(100).await;
    assert_eq!(prepared(&world).await, Vec::<String>::new());
    world.assert_whole(0).await;
    replica.stop().await;
    world.assert_no_dead_letters().await;
}

fn gap(dropped: &serde_json::Value) -> (i64, i64) {
    let position = |name: &str| dropped[name].as_i64().unwrap();
    (position("first_position"), position("last_position"))
}

#[tokio::test]
async fn an_anchor_that_was_forged_is_found() {
    let world = World::new().await;
    let replica = world.start().await;
    let now = Timestamp::now();
    let of = |version, days| task_event_of("ada", 7, version, days_before(now, days));
    world.publish(&[of(1, 12), of(2, 0), of(3, 0)]).await;
    world.rows(3).await;
    replica.stop().await;
    let database = world.service_database();
    days::drop_old(&database, Retention::days(10), Day::of(now))
        .await
        .unwrap();
    world.assert_whole(2).await;
    // Somebody removes a row and stretches the anchor over it.
    let mut intruder = sqlx::PgConnection::connect(&world.database.url()).await.unwrap();
    for statement in [
        "set session_replication_role = replica",
        "delete from audit.event where position = 2",
        "update audit.anchor set last_position = 2",
    ] {
        sqlx::query(statement).execute(&mut intruder).await.unwrap();
    }
    let (code, lines) = world.verify().await;
    assert_eq!(code, 1);
    assert_eq!(
        lines[0],
        "task 7, position 3: the row before is another one than was there"
    );
}

/// A reader that takes its time must not make the others wait: dropping gives way, and tries again.
#[tokio::test]
async fn dropping_a_day_gives_way_to_a_reader() {
    let world = World::new().await;
    let replica = world.start().await;
    let now = Timestamp::now();
    world.publish(&[task_event_of("ada", 7, 1, days_before(now, 12))]).await;
    world.rows(1).await;
    let database = world.service_database();
    let mut reader = world.pool.begin().await.unwrap();
    sqlx::query("select from audit.event")
        .execute(&mut *reader)
        .await
        .unwrap();
    let drop = days::drop_old(&database, Retention::days(10), Day::of(now));
    let drop = tokio::time::timeout(PATIENCE, drop).await.unwrap();
    assert!(drop.is_err());
    assert_eq!(world.count().await, 1);
    reader.commit().await.unwrap();
    days::drop_old(&database, Retention::days(10), Day::of(now))
        .await
        .unwrap();
    assert_eq!(world.count().await, 0);
    world.assert_whole(0).await;
    replica.stop().await;
}
