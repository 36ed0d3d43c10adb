//! Migrations by many replicas, behind locks, with releases before and after.

use std::{borrow::Cow, time::Duration};

use futures::future::join_all;
use service_kit::{
    database::{self, MigrationError, migrate},
    health::Health,
};
use sqlx::{
    AssertSqlSafe, Executor as _, PgPool, SqlStr,
    migrate::{Migration, MigrationType, Migrator},
};
use test_kit::{Database as Server, wait_until};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::settings;
use crate::{
    app::{Answer, App, client, metrics},
    bare::DEADLINE,
};

const NOTES: &str = "create table chat.note (id bigint generated always as identity, text text)";
const ONE_NOTE: &str = "insert into chat.note (text) values ('once')";
const INDEX: &str = "create index concurrently if not exists note_text on chat.note (text)";

/// Migrations with these statements, versions 1, 2 and so on.
fn migrator(statements: &[&'static str]) -> Migrator {
    let migrations = statements.iter().zip(1..).map(|(sql, version)| {
        let no_transaction = sql.contains("concurrently");
        let sql = SqlStr::from_static(sql);
        Migration::new(
            version,
            Cow::Borrowed("step"),
            MigrationType::Simple,
            sql,
            no_transaction,
        )
    });
    Migrator::with_migrations(migrations.collect())
}

fn soon() -> Instant {
    Instant::now() + DEADLINE
}

async fn number(pool: &PgPool, query: &'static str) -> i64 {
    sqlx::query_scalar(query)
        .fetch_one(pool)
        .await
        .expect("the query succeeds")
}

#[tokio::test]
async fn many_replicas_migrate_once() {
    let server = Server::empty().await;
    let settings = settings(&server.url(), 1);
    // Building an index concurrently waits for every snapshot: also for those of replicas that wait for their turn.
    let migrator = migrator(&[NOTES, ONE_NOTE, INDEX]);
    let replicas = (0..8).map(|_| migrate(&settings, &migrator, soon()));
    for migrated in join_all(replicas).await {
        migrated.unwrap();
    }
    let pool = server.pool().await;
    assert_eq!(number(&pool, "select count(*) from chat.note").await, 1);
    assert_eq!(
        number(&pool, "select count(*) from chat._sqlx_migrations where success").await,
        3
    );
    let locks = "select count(*) from pg_locks join pg_database on database = pg_database.oid
                 where locktype = 'advisory' and datname = current_database()";
    assert_eq!(number(&pool, locks).await, 0);
}

#[tokio::test]
async fn an_older_release_leaves_newer_migrations_alone() {
    let server = Server::empty().await;
    let settings = settings(&server.url(), 1);
    migrate(&settings, &migrator(&[NOTES, ONE_NOTE]), soon()).await.unwrap();
    migrate(&settings, &migrator(&[NOTES]), soon()).await.unwrap();
    migrate(&settings, &migrator(&[NOTES, ONE_NOTE]), soon()).await.unwrap();
    assert_eq!(number(&server.pool().await, "select count(*) from chat.note").await, 1);
}

#[tokio::test]
async fn a_migration_that_was_changed_or_is_wrong_is_refused_and_changes_nothing() {
    let server = Server::empty().await;
    let settings = settings(&server.url(), 1);
    migrate(&settings, &migrator(&[NOTES]), soon()).await.unwrap();
    let changed = migrate(&settings, &migrator(&["create table chat.other (id int)"]), soon()).await;
    let changed = changed.unwrap_err();
    assert_eq!(changed.to_string(), "could not migrate schema `chat`");
    let wrong = migrator(&[NOTES, "insert into chat.note (text) values ('half'); select nonsense"]);
    let wrong = migrate(&settings, &wrong, soon()).await.unwrap_err();
    assert!(
        matches!(wrong, MigrationError::Failed { schema: "chat", .. }),
        "{wrong:?}"
    );
    assert_eq!(number(&server.pool().await, "select count(*) from chat.note").await, 0);
    assert_eq!(
        number(&server.pool().await, "select max(version) from chat._sqlx_migrations").await,
        1
    );
}

#[tokio::test]
async fn a_migration_steps_back_from_a_lock_and_comes_again() {
    let server = Server::empty().await;
    let settings = settings(&server.url(), 1);
    migrate(&settings, &migrator(&[NOTES]), soon()).await.unwrap();
    let pool = server.pool().await;
    let mut user = pool.begin().await.unwrap();
    user.execute("select * from chat.note").await.unwrap();
    let next = migrator(&[NOTES, "alter table chat.note add column done boolean"]);
    let migrating = tokio::spawn(async move { migrate(&settings, &next, soon()).await });
    let waiting = "select count(*) from pg_locks where not granted and relation = 'chat.note'::regclass";
    let until = async |what, wanted| {
        wait_until(what, DEADLINE, async || match number(&pool, waiting).await {
            seen if seen == wanted => Ok(()),
            seen => Err(format!("{seen} waiting")),
        })
        .await;
    };
    until("the migration waits for the table", 1).await;
    until("it lets others pass", 0).await;
    user.commit().await.unwrap();
    migrating.await.unwrap().unwrap();
    assert_eq!(number(&pool, "select count(*) from chat._sqlx_migrations").await, 2);
}

#[tokio::test]
async fn an_index_is_built_as_long_as_it_takes_and_begun_again_when_cut_short() {
    let server = Server::empty().await;
    let settings = settings(&server.url(), 1);
    migrate(&settings, &migrator(&[NOTES, ONE_NOTE]), soon()).await.unwrap();
    let pool = server.pool().await;
    let mut old = pool.begin().await.unwrap();
    old.execute("lock table chat.note in row exclusive mode; select txid_current()")
        .await
        .unwrap();
    let indexed = [NOTES, ONE_NOTE, INDEX];
    let deadline = Instant::now() + Duration::from_secs(5); // longer than a migration waits for a lock
    let late = migrate(&settings, &migrator(&indexed), deadline).await.unwrap_err();
    assert!(
        matches!(late, MigrationError::Late { last: None, .. }),
        "it was waiting all the time: {late:?}"
    );
    let unfinished = "select count(*) from pg_index where not indisvalid";
    assert_eq!(number(&pool, unfinished).await, 1);
    wait_until("the server has given up too", DEADLINE, async || {
        let building =
            "select count(*) from pg_stat_activity where query like 'create index%' and datname = current_database()";
        match number(&pool, building).await {
            0 => Ok(()),
            left => Err(left),
        }
    })
    .await;

    old.commit().await.unwrap();
    migrate(&settings, &migrator(&indexed), soon()).await.unwrap();
    assert_eq!(number(&pool, unfinished).await, 0);
    assert_eq!(
        number(&pool, "select count(*) from pg_indexes where indexname = 'note_text'").await,
        1
    );
}

#[tokio::test]
async fn a_database_that_never_comes_is_given_up_at_the_deadline() {
    let nobody = test_kit::free_port();
    let settings = settings(&format!("postgres://a@127.0.0.1:{nobody}/x"), 1);
    let begun = Instant::now();
    let late = migrate(&settings, &migrator(&[NOTES]), begun + Duration::from_millis(1500))
        .await
        .unwrap_err();
    assert!(matches!(late, MigrationError::Late { last: Some(_), .. }), "{late:?}");
    assert!(begun.elapsed() < DEADLINE, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_role_that_may_not_make_schemas_migrates_its_own() {
    let server = Server::empty().await;
    let pool = server.pool().await;
    let role = format!("role_{}", uuid::Uuid::now_v7().simple());
    let run = async |statement: String| {
        pool.execute(AssertSqlSafe(statement)).await.unwrap();
    };
    run(format!("create role {role} login password 'for this test'")).await;
    run(format!("create schema chat authorization {role}")).await;
    let mut options = server.url().parse::<sqlx::postgres::PgConnectOptions>().unwrap();
    options = options.username(&role).password("for this test");
    let url = sqlx::ConnectOptions::to_url_lossy(&options).to_string();
    migrate(&settings(&url, 1), &migrator(&[NOTES, ONE_NOTE]), soon())
        .await
        .unwrap();
    assert_eq!(number(&pool, "select count(*) from chat.note").await, 1);
    run(format!("drop owned by {role}")).await;
    run(format!("drop role {role}")).await;
}

#[tokio::test]
async fn a_release_is_not_ready_on_the_schema_of_an_older_one() {
    let server = Server::empty().await;
    let settings = settings(&server.url(), 1);
    let (old, new) = (migrator(&[NOTES]), migrator(&[NOTES, ONE_NOTE]));
    migrate(&settings, &old, soon()).await.unwrap();
    let (metrics, stop) = (metrics(), CancellationToken::new());
    let health = Health::new(&metrics, stop.clone());
    let pool = database::connect(&settings, &metrics);
    let watching = tokio::spawn(database::watch(&pool, &new, &health, stop.clone()));
    let app = App::serve(health.public_routes()).await;
    let ready = async || Answer::to(client().get(app.url("/ready"))).await;
    wait_until("the older schema is noticed", DEADLINE, async || {
        match ready().await.text {
            text if text.contains(r#""migrations":"not applied""#) => Ok(()),
            text => Err(text),
        }
    })
    .await;
    migrate(&settings, &new, soon()).await.unwrap();
    wait_until("the service is ready", DEADLINE, async || match ready().await {
        answer if answer.status == 200 => Ok(()),
        answer => Err(answer.text),
    })
    .await;
    stop.cancel();
    watching.await.unwrap();
}
