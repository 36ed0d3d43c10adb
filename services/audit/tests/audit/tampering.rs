//! Who changes the record is refused, or found.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::{events::task_event, world::World};

/// Two tasks with five events each.
async fn recorded() -> World {
    let world = World::new().await;
    let replica = world.start().await;
    let events: Vec<_> = (1..=5)
        .flat_map(|version| [7, 8].map(|task| task_event("ada", task, version)))
        .collect();
    world.publish(&events).await;
    world.rows(10).await;
    replica.stop().await;
    world.assert_whole(10).await;
    world
}

/// Does this as somebody who can switch the triggers off, and gives what `verify` says then.
async fn after(statements: &str) -> Vec<String> {
    let world = recorded().await;
    let mut intruder = PgConnection::connect(&world.database.url()).await.unwrap();
    let statements = format!("set session_replication_role = replica; {statements}");
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(&mut intruder)
        .await
        .unwrap();
    intruder.close().await.unwrap();
    let (code, mut lines) = world.verify().await;
    assert_eq!(code, 1, "{lines:#?}");
    lines.pop();
    lines
}

#[tokio::test]
async fn an_altered_row_is_found() {
    let change =
        "update audit.event set event = convert_to(replace(convert_from(event, 'utf8'), 'plants', 'weeds'), 'utf8')
        where task_id = 7 and position = 3";
    assert_eq!(after(change).await, ["task 7, position 3: the row was altered"]);
}

#[tokio::test]
async fn a_removed_row_is_found() {
    let change = "delete from audit.event where task_id = 7 and position = 3";
    assert_eq!(after(change).await, ["task 7, position 3: the row is missing"]);
}

#[tokio::test]
async fn swapped_rows_are_found() {
    let change = "update audit.event set position = 99 where task_id = 7 and position = 2;
        update audit.event set position = 2 where task_id = 7 and position = 3;
        update audit.event set position = 3 where task_id = 7 and position = 99";
    assert_eq!(
        after(change).await,
        [
            "task 7, position 2: the row was altered",
            "task 7, position 3: the row was altered",
            "task 7, position 4: the row before is another one than was there"
        ]
    );
}

#[tokio::test]
async fn a_tail_that_was_cut_off_is_found() {
    let change = "delete from audit.event where task_id = 7 and position > 3";
    assert_eq!(
        after(change).await,
        ["task 7, position 4: the rows up to position 5 are missing"]
    );
}

#[tokio::test]
async fn a_whole_day_that_was_dropped_without_anchors_is_found() {
    let change = "do $$ begin
        execute format('drop table audit.%I', 'event_' || to_char((select min(event_day) from audit.event), 'YYYY_MM_DD'));
    end $$";
    let flaws = after(change).await;
    assert_eq!(
        flaws,
        [7, 8].map(|task| format!("task {task}, position 1: the rows up to position 5 are missing"))
    );
}

#[tokio::test]
async fn a_chain_whose_head_was_removed_is_found() {
    let change = "delete from audit.chain where task_id = 7";
    assert_eq!(
        after(change).await,
        ["task 7, position 1: rows of a chain that nobody began"]
    );
}

#[tokio::test]
async fn a_head_that_was_turned_back_is_found() {
    let change = "update audit.chain set position = 4 where task_id = 7";
    assert_eq!(
        after(change).await,
        ["task 7, position 5: a row behind the end of the chain"]
    );
}

#[tokio::test]
async fn a_trail_given_to_somebody_else_is_found() {
    let change = "update audit.chain set user_id = 'bob' where task_id = 7";
    assert_eq!(after(change).await.len(), 5);
}

/// Neither a role with every right on the tables nor their owner changes a row by a statement.
#[tokio::test]
async fn rows_are_neither_changed_nor_removed_by_statements() {
    let world = recorded().await;
    let mut connection = PgConnection::connect(&world.database.url()).await.unwrap();
    let role = format!("audit_test_{}", uuid::Uuid::now_v7().simple());
    let mut run = async |statement: String| sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await;
    for statement in [
        format!("create role {role}"),
        format!("grant usage on schema audit to {role}"),
        format!("grant all on all tables in schema audit to {role}"),
    ] {
        run(statement).await.unwrap();
    }
    let partition = "select format('audit.%I', 'event_' || to_char(event_day, 'YYYY_MM_DD')) from audit.event limit 1";
    let partition: String = sqlx::query_scalar(partition).fetch_one(&world.pool).await.unwrap();
    for set_role in ["reset role".to_owned(), format!("set role {role}")] {
        run(set_role.clone()).await.unwrap();
        for statement in [
            "update audit.event set type = 'x'".to_owned(),
            "delete from audit.event".to_owned(),
            "truncate audit.event".to_owned(),
            format!("update {partition} set type = 'x'"),
            format!("delete from {partition}"),
            format!("truncate {partition}"),
            "delete from audit.chain".to_owned(),
        ] {
            let refused = run(statement.clone()).await.unwrap_err();
            let refused = refused.as_database_error().unwrap();
            assert!(
                refused.message().contains("append-only"),
                "{set_role}; {statement}: {refused}"
            );
        }
    }
    let refused = run("set session_replication_role = replica".to_owned()).await;
    assert!(refused.is_err(), "an ordinary role cannot switch the triggers off");
    for statement in [
        "reset role".to_owned(),
        format!("drop owned by {role}"),
        format!("drop role {role}"),
    ] {
        run(statement).await.unwrap();
    }
    world.assert_whole(10).await;
}
