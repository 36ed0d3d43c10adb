//! The inbox, on PostgreSQL.

use std::time::Duration;

use catalogue::database::RECURRING;
use event_bus::inbox;
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use test_kit::{Database, wait_until};
use uuid::Uuid;

const SOURCE: &str = "/services/chat-api";
/// Nine days and a half.
const RETENTION: Duration = Duration::from_hours(9 * 24 + 12);

async fn pool() -> (Database, PgPool) {
    let database = Database::empty().await;
    let pool = database.pool().await;
    let ddl = format!("create schema {}; {}", RECURRING.name, inbox::ddl(&RECURRING));
    sqlx::raw_sql(AssertSqlSafe(ddl)).execute(&pool).await.unwrap();
    (database, pool)
}

async fn claim(connection: &mut PgConnection, source: &str, id: Uuid) -> bool {
    inbox::claim(connection, &RECURRING, source, id).await.unwrap()
}

#[tokio::test]
async fn an_event_is_claimed_once() {
    let (_database, pool) = pool().await;
    let mut connection = pool.acquire().await.unwrap();
    let id = Uuid::now_v7();
    assert!(claim(&mut connection, SOURCE, id).await);
    assert!(!claim(&mut connection, SOURCE, id).await);
    assert!(claim(&mut connection, SOURCE, Uuid::now_v7()).await);
    assert!(
        claim(&mut connection, "/services/notification", id).await,
        "source and id together are the identity"
    );
}

#[tokio::test]
async fn a_claim_that_is_rolled_back_is_void() {
    let (_database, pool) = pool().await;
    let id = Uuid::now_v7();
    let mut transaction = pool.begin().await.unwrap();
    assert!(claim(&mut transaction, SOURCE, id).await);
    transaction.rollback().await.unwrap();
    assert!(claim(&mut pool.acquire().await.unwrap(), SOURCE, id).await);
}

#[tokio::test]
async fn of_two_claims_at_once_the_second_waits_and_is_told_of_the_first() {
    let (_database, pool) = pool().await;
    let id = Uuid::now_v7();
    let mut first = pool.begin().await.unwrap();
    assert!(claim(&mut first, SOURCE, id).await);
    let second = tokio::spawn({
        let pool = pool.clone();
        async move { claim(&mut pool.acquire().await.unwrap(), SOURCE, id).await }
    });
    wait_until(
        "the second claim waits for the first",
        Duration::from_secs(10),
        async || {
            let waiting: i64 = sqlx::query_scalar(
                "select count(*) from pg_locks where not granted and locktype = 'transactionid'
            and pid in (select pid from pg_stat_activity where datname = current_database())",
            )
            .fetch_one(&pool)
            .await
            .unwrap();
            if waiting == 1 {
                Ok(())
            } else {
                Err(format!("{waiting} wait"))
            }
        },
    )
    .await;
    first.commit().await.unwrap();
    assert!(!second.await.unwrap());
}

#[tokio::test]
async fn only_what_is_older_than_the_retention_is_pruned() {
    let (_database, pool) = pool().await;
    let fill = format!(
        "insert into {}.inbox (source, event_id, received_at)
         select '{SOURCE}', gen_random_uuid(), now() - make_interval(days => n % 100) from generate_series(1, 12000) n",
        RECURRING.name
    );
    sqlx::raw_sql(AssertSqlSafe(fill)).execute(&pool).await.unwrap();
    let mut connection = pool.acquire().await.unwrap();
    let removed = inbox::prune(&mut connection, &RECURRING, RETENTION).await.unwrap();
    assert_eq!(removed, 12_000 / 100 * 90, "those of 10 to 99 days");
    assert_eq!(inbox::prune(&mut connection, &RECURRING, RETENTION).await.unwrap(), 0);
}
