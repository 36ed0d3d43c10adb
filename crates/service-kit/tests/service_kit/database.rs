//! The pool and what its errors mean, on a real server.

mod migrations;

use std::time::Duration;

use metrics::Metrics;
use service_kit::{
    config::{DatabaseSettings, Reader},
    database::{self, Database, is_unavailable, problem},
};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions};
use test_kit::{Database as Server, wait_until};

use crate::{
    app::{metrics, value_of},
    bare::DEADLINE,
};

/// How chat-api reaches this database.
fn settings(url: &str, max_connections: u32) -> DatabaseSettings {
    let max_connections = max_connections.to_string();
    let variables = [
        ("TASKFLOW_DATABASE_URL", url),
        ("TASKFLOW_DATABASE_MAX_CONNECTIONS", &max_connections),
    ];
    let mut reader = Reader::new(&catalogue::services::CHAT_API, variables);
    let settings = DatabaseSettings::read(&mut reader);
    reader.finish(settings).expect("they are valid")
}

fn pool_of(server: &Server, max_connections: u32) -> (Database, Metrics) {
    let metrics = metrics();
    (
        database::connect(&settings(&server.url(), max_connections), &metrics),
        metrics,
    )
}

/// The error of a statement that fails.
async fn failure(connection: &mut PgConnection, statement: &str) -> sqlx::Error {
    let failed = connection.execute(AssertSqlSafe(statement.to_owned())).await;
    failed.expect_err("the statement cannot succeed")
}

#[tokio::test]
async fn a_full_pool_makes_wait_and_counts_who_gave_up() {
    let server = Server::empty().await;
    let (database, metrics) = pool_of(&server, 2);
    let held = (database.acquire().await.unwrap(), database.begin().await.unwrap());
    assert_eq!(value_of(&metrics, "db_pool_acquire_seconds_count"), "2");
    assert_eq!(value_of(&metrics, "db_pool_max_connections"), "2");

    assert!(database.is_reachable().await, "a full pool says nothing of the server");
    let error = database.acquire().await.unwrap_err();
    assert!(
        matches!(error, sqlx::Error::PoolTimedOut) && is_unavailable(&error),
        "{error}"
    );
    assert_eq!(value_of(&metrics, "db_pool_acquire_timeouts_total"), "1");
    assert_eq!(value_of(&metrics, "db_pool_acquire_seconds_count"), "3");
    drop(held);
    assert!(database.acquire().await.is_ok());
}

#[tokio::test]
async fn a_dropped_transaction_is_rolled_back() {
    let server = Server::empty().await;
    let (database, _) = pool_of(&server, 1);
    let mut first = database.begin().await.unwrap();
    first.execute("create table note (id int)").await.unwrap();
    drop(first);
    let mut second = database.begin().await.unwrap();
    let there: bool = sqlx::query_scalar("select to_regclass('note') is not null")
        .fetch_one(&mut *second)
        .await
        .unwrap();
    assert!(!there);
}

#[tokio::test]
async fn a_connection_that_the_server_ended_is_replaced() {
    let server = Server::empty().await;
    let (database, _) = pool_of(&server, 1);
    let mut connection = database.acquire().await.unwrap();
    let id: i32 = sqlx::query_scalar("select pg_backend_pid()")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let mut other = server.pool().await.acquire().await.unwrap();
    sqlx::query("select pg_terminate_backend($1)")
        .bind(id)
        .execute(&mut *other)
        .await
        .unwrap();
    let error = wait_until("the connection is ended", DEADLINE, async || {
        match connection.execute("select 1").await {
            Ok(_) => Err("it still works"),
            Err(error) => Ok(error),
        }
    })
    .await;
    assert!(is_unavailable(&error), "{error}");
    drop(connection);
    let mut fresh = database.acquire().await.unwrap();
    fresh.execute("select 1").await.unwrap();
}

#[tokio::test]
async fn outages_are_told_from_mistakes() {
    let server = Server::empty().await;
    let (database, _) = pool_of(&server, 3);
    let mut one = database.acquire().await.unwrap();
    one.execute("create table note (id int primary key, n int); insert into note values (1, 0), (2, 0)")
        .await
        .unwrap();

    for mistake in [
        "selekt",
        "insert into note values (1, 0)",
        "select 1/0",
        "select * from nothing",
    ] {
        let error = failure(&mut one, mistake).await;
        assert!(!is_unavailable(&error), "{mistake}: {error}");
    }
    let late = failure(&mut one, "set statement_timeout = '20ms'; select pg_sleep(10)").await;
    assert!(is_unavailable(&late), "{late}");

    let mut holder = database.begin().await.unwrap();
    holder.execute("lock table note").await.unwrap();
    let locked = failure(
        &mut one,
        "set statement_timeout = 0; set lock_timeout = '20ms'; select * from note",
    )
    .await;
    assert!(is_unavailable(&locked), "{locked}");
    holder.rollback().await.unwrap();

    let mut two = database.acquire().await.unwrap();
    let snapshot = "begin isolation level serializable; select sum(n) from note";
    one.execute(snapshot).await.unwrap();
    two.execute(snapshot).await.unwrap();
    one.execute("update note set n = 1 where id = 1; commit").await.unwrap();
    let conflict = failure(&mut two, "update note set n = 1 where id = 2; commit").await;
    assert!(is_unavailable(&conflict), "{conflict}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let metrics = metrics();
    let nobody = test_kit::free_port();
    let database = database::connect(&settings(&format!("postgres://a@127.0.0.1:{nobody}/x"), 1), &metrics);
    assert!(!database.is_reachable().await);
    let error = database.acquire().await.unwrap_err();
    assert!(is_unavailable(&error), "{error}");
    let problem = problem(error);
    assert_eq!(problem.status(), 503);
}

#[tokio::test]
async fn a_client_learns_whether_to_come_back() {
    let server = Server::empty().await;
    let (database, _) = pool_of(&server, 1);
    let mut connection = database.acquire().await.unwrap();
    let mistake = problem(failure(&mut connection, "select * from nothing").await);
    assert_eq!(mistake.status(), 500);
    assert!(
        !mistake.to_json().to_string().contains("nothing"),
        "{}",
        mistake.to_json()
    );
    let outage = problem(sqlx::Error::PoolTimedOut);
    assert_eq!(outage.status(), 503);
    let response = axum::response::IntoResponse::into_response(outage);
    assert_eq!(response.headers()["retry-after"], "2");
}

#[tokio::test]
async fn statements_end_on_the_server_too_but_not_through_a_pooler() {
    let server = Server::empty().await;
    let timeout = async |settings: &DatabaseSettings| -> String {
        let database = database::connect(settings, &metrics());
        let mut connection = database.acquire().await.unwrap();
        sqlx::query_scalar("show statement_timeout")
            .fetch_one(&mut *connection)
            .await
            .unwrap()
    };
    let direct = settings(&server.url(), 1);
    assert_eq!(timeout(&direct).await, "15s");
    let pooled = DatabaseSettings { pooled: true, ..direct };
    assert_eq!(
        timeout(&pooled).await,
        "0",
        "what is set at the start of a session would reach others"
    );
}

/// Why a pooled connection keeps its cache. The day this fails, sqlx can do without names, and a pooled one should.
#[tokio::test]
async fn only_a_cache_frees_the_statements_that_sqlx_names() {
    let server = Server::empty().await;
    let named = async |connection: &mut PgConnection| -> i64 {
        for number in 0..3 {
            sqlx::query("select $1::int")
                .bind(number)
                .execute(&mut *connection)
                .await
                .unwrap();
        }
        sqlx::query_scalar("select count(*) from pg_prepared_statements where statement = 'select $1::int'")
            .fetch_one(connection)
            .await
            .unwrap()
    };
    let pooled = DatabaseSettings {
        pooled: true,
        ..settings(&server.url(), 1)
    };
    let database = database::connect(&pooled, &metrics());
    assert_eq!(named(&mut database.acquire().await.unwrap()).await, 1);

    let options: PgConnectOptions = server.url().parse().unwrap();
    let without = PgConnection::connect_with(&options.statement_cache_capacity(0)).await;
    assert_eq!(named(&mut without.unwrap()).await, 3, "each is left behind");
}

#[tokio::test]
async fn the_server_knows_who_is_connected() {
    let server = Server::empty().await;
    let (database, _) = pool_of(&server, 1);
    let mut connection = database.acquire().await.unwrap();
    let name: String = sqlx::query_scalar("show application_name")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!(name, "chat-api");
    assert_eq!(database.schema().name, "chat");
}

#[tokio::test]
async fn a_closed_pool_ends_its_connections() {
    let server = Server::empty().await;
    let (database, _) = pool_of(&server, 3);
    drop((database.acquire().await.unwrap(), database.acquire().await.unwrap()));
    tokio::time::timeout(Duration::from_secs(5), database.close())
        .await
        .unwrap();
    assert!(is_unavailable(&database.acquire().await.unwrap_err()));
    let watcher = server.pool().await;
    wait_until("no connection is left", DEADLINE, async || {
        let count = "select count(*) from pg_stat_activity where application_name = 'chat-api' and datname = current_database()";
        match sqlx::query_scalar(count).fetch_one(&watcher).await.unwrap() {
            0_i64 => Ok(()),
            left => Err(left),
        }
    })
    .await;
}
