//! Each committed event once, in the order of its key; nothing else.

use std::{sync::Arc, time::Duration};

use catalogue::{database, topics::MAX_EVENT_BYTES};
use outbox::{AppendError, Bell, append, append_many, ddl};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use test_kit::{Database, wait_until};
use tokio::task::JoinSet;

use crate::support::{NEVER, OFTEN, PATIENCE, SCHEMA, World, change, event};

#[tokio::test(flavor = "multi_thread")]
async fn the_table_can_be_made_in_every_schema() {
    let database = Database::empty().await;
    let pool = database.pool().await;
    for schema in database::ALL {
        let statements = format!("create schema {}; {}", schema.name, ddl(schema));
        pool.execute(AssertSqlSafe(statements)).await.unwrap();
    }
    let columns: Vec<String> = sqlx::query_scalar(
        "select column_name::text from information_schema.columns
         where table_schema = 'dlq' and table_name = 'outbox' order by ordinal_position",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let of_debezium = ["id", "aggregatetype", "aggregateid", "type", "payload"];
    assert_eq!(columns[..5], of_debezium);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_committed_is_published_once_and_byte_for_byte() {
    let world = World::new().await;
    let relay = world.start_relay(OFTEN);
    let mut committed = Vec::new();
    for round in 1..=40 {
        let events: Vec<_> = (1..=7).map(|task| event(task, round)).collect();
        let mut transaction = world.pool.begin().await.unwrap();
        append_many(&mut transaction, &SCHEMA, &events).await.unwrap();
        if round % 4 == 0 {
            transaction.rollback().await.unwrap();
        } else {
            outbox::commit(transaction, &relay.bell).await.unwrap();
            committed.extend(events);
        }
    }
    let log = world.published(committed.len()).await;
    world.wait_until_drained().await;
    assert_eq!(world.records(), committed.len());
    for event in &committed {
        assert_eq!(
            log.firsts.get(&event.event_id).map(Vec::as_slice),
            Some(&event.value[..])
        );
    }
    for versions in log.versions.values() {
        assert!(versions.is_sorted(), "{versions:?}");
    }
    let published = u64::try_from(committed.len()).unwrap();
    assert_eq!(relay.count("outbox_published_total"), published);
    assert_eq!(relay.count("outbox_publish_duration_seconds_count"), published);
    assert_eq!(relay.count("outbox_publish_failures_total"), 0);
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_transaction_is_not_passed_over() {
    let world = World::new().await;
    let relay = world.start_relay(OFTEN);
    world.write(1, &relay.bell).await;
    world.wait_until_drained().await;

    let mut slow = world.pool.acquire().await.unwrap();
    let mut slow = slow.begin().await.unwrap();
    change(&mut slow, 2).await;
    // Younger ones of every slot, published while the slow one is open, the relay looking around all the time.
    for round in 1..=10 {
        for task in 3..=50 {
            world.write(task, &relay.bell).await;
        }
        world.published(1 + 48 * round).await;
    }
    slow.commit().await.unwrap();

    let log = world.published(1 + 480 + 1).await;
    assert_eq!(log.versions[&2], [1]);
    log.assert_whole_and_in_order();
    world.wait_until_drained().await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_youngest_transaction_is_not_passed_over() {
    let world = World::new().await;
    let relay = world.start_relay(Duration::from_millis(1));
    world.wait_until_slots_are(&[16]).await;
    let relay_process = world.server_processes("relay").await[0];
    // Nobody else writes here: no younger transaction makes this one look old, and no older one keeps the floor down.
    // Writers of other databases may, so that one round would prove little, and a run beside other tests less than one
    // alone.
    for round in 1..=20 {
        let mut open = world.pool.begin().await.unwrap();
        change(&mut open, round).await;
        let (mut last, mut looks) = (String::new(), 0);
        wait_until("the relay has looked around", PATIENCE, async || {
            let query_start: String =
                sqlx::query_scalar("select coalesce(query_start::text, '') from pg_stat_activity where pid = $1")
                    .bind(relay_process)
                    .fetch_one(&world.pool)
                    .await
                    .unwrap();
            looks += u32::from(query_start != last);
            last = query_start;
            if looks >= 8 {
                Ok(())
            } else {
                Err(format!("{looks} looks"))
            }
        })
        .await;
        open.commit().await.unwrap();
        world.wait_until_drained().await;
    }
    world.published(20).await;
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_of_the_same_tasks_are_published_in_the_order_of_their_commits() {
    const WRITERS: i64 = 8;
    const WRITES: i64 = 100;
    let world = Arc::new(World::new().await);
    let relay = world.start_relay(OFTEN);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (world, bell) = (world.clone(), relay.bell.clone());
        writers.spawn(async move {
            for write in 0..WRITES {
                world.write(1 + (writer + write * write) % 5, &bell).await;
            }
        });
    }
    writers.join_all().await;
    let all = usize::try_from(WRITERS * WRITES).unwrap();
    let log = world.published(all).await;
    log.assert_whole_and_in_order();
    world.wait_until_drained().await;
    assert_eq!(world.records(), all);
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backlog_is_drained_in_batches_and_in_order() {
    let world = World::new().await;
    let mut transaction = world.pool.begin().await.unwrap();
    for version in 1..=60 {
        let events: Vec<_> = (1..=200).map(|task| event(task, version)).collect();
        append_many(&mut transaction, &SCHEMA, &events).await.unwrap();
    }
    outbox::commit(transaction, &Bell::new()).await.unwrap();
    let relay = world.start_relay(NEVER);
    let log = world.published(60 * 200).await;
    log.assert_whole_and_in_order();
    world.wait_until_drained().await;
    assert_eq!(world.records(), 60 * 200);
    relay.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_stops_leaves_nothing_half_done() {
    let world = World::new().await;
    let mut transaction = world.pool.begin().await.unwrap();
    for version in 1..=60 {
        let events: Vec<_> = (1..=200).map(|task| event(task, version)).collect();
        append_many(&mut transaction, &SCHEMA, &events).await.unwrap();
    }
    outbox::commit(transaction, &Bell::new()).await.unwrap();
    let relay = world.start_relay(NEVER);
    wait_until("the relay is at work", PATIENCE, async || {
        match world.unpublished().await {
            12_000 => Err("nothing was published"),
            _ => Ok(()),
        }
    })
    .await;
    relay.stop().await;
    assert!(world.slots_of_relays().await.is_empty(), "its locks are free at once");

    let next = world.start_relay(NEVER);
    let log = world.published(60 * 200).await;
    log.assert_whole_and_in_order();
    world.wait_until_drained().await;
    assert_eq!(
        world.records(),
        60 * 200,
        "what was acknowledged before the stop was marked"
    );
    next.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_before_the_stop_is_published_before_the_end() {
    let world = World::new().await;
    let relay = world.start_relay(NEVER);
    world.write(1, &relay.bell).await;
    world.wait_until_drained().await;

    // Nobody rings: only the stop makes it look.
    let mut transaction = world.pool.begin().await.unwrap();
    change(&mut transaction, 2).await;
    transaction.commit().await.unwrap();
    relay.stop().await;
    assert_eq!(world.unpublished().await, 0);
    assert_eq!(world.records(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_no_broker_takes_is_refused_before_the_commit() {
    let world = World::new().await;
    let mut large = event(1, 1);
    large.value = vec![b' '; MAX_EVENT_BYTES as usize - 1024].into();
    let mut connection = world.pool.acquire().await.unwrap();
    let refused = append(&mut connection, &SCHEMA, &large).await;
    assert!(matches!(refused, Err(AppendError::TooLarge { size_bytes, .. }) if size_bytes == large.value.len() + 1));
    large.value.truncate(large.value.len() - 1);
    append(&mut connection, &SCHEMA, &large).await.unwrap();
    assert_eq!(world.unpublished().await, 1);
}
