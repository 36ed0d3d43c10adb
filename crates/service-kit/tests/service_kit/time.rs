//! Instants and wall times, there and back through PostgreSQL.

use jiff::{Timestamp, civil::DateTime};
use service_kit::database::time::{Instant, WallTime};
use sqlx::PgConnection;
use test_kit::Database;

async fn connection(database: &Database) -> PgConnection {
    database
        .pool()
        .await
        .acquire()
        .await
        .expect("the database is there")
        .detach()
}

#[tokio::test]
async fn instants_are_kept_to_the_microsecond() {
    let database = Database::empty().await;
    let mut connection = connection(&database).await;
    for (given, kept, text) in [
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01 00:00:00+00"),
        (
            "1999-12-31T23:59:59.9999999Z",
            "1999-12-31T23:59:59.999999Z",
            "1999-12-31 23:59:59.999999+00",
        ),
        (
            "2000-01-01T00:00:00.000001Z",
            "2000-01-01T00:00:00.000001Z",
            "2000-01-01 00:00:00.000001+00",
        ),
        (
            "1969-12-31T23:59:59.9999999Z",
            "1969-12-31T23:59:59.999999Z",
            "1969-12-31 23:59:59.999999+00",
        ),
        ("9999-12-30T22:00:00Z", "9999-12-30T22:00:00Z", "9999-12-30 22:00:00+00"),
        (
            "-000001-01-01T00:00:00Z",
            "-000001-01-01T00:00:00Z",
            "0002-01-01 00:00:00+00 BC",
        ),
    ] {
        let given: Timestamp = given.parse().unwrap();
        let (back, shown): (Instant, String) =
            sqlx::query_as("select $1::timestamptz, ($1::timestamptz at time zone 'UTC' at time zone 'UTC')::text")
                .bind(Instant(given))
                .fetch_one(&mut connection)
                .await
                .unwrap();
        assert_eq!(back.0, kept.parse().unwrap());
        assert_eq!(shown, text);
    }
}

#[tokio::test]
async fn wall_times_are_kept_to_the_microsecond() {
    let database = Database::empty().await;
    let mut connection = connection(&database).await;
    for (given, kept, text) in [
        ("2026-03-29T02:30:00", "2026-03-29T02:30:00", "2026-03-29 02:30:00"),
        (
            "1999-12-31T23:59:59.9999999",
            "1999-12-31T23:59:59.999999",
            "1999-12-31 23:59:59.999999",
        ),
        ("9999-12-31T23:59:59", "9999-12-31T23:59:59", "9999-12-31 23:59:59"),
        (
            "-000001-01-01T00:00:00",
            "-000001-01-01T00:00:00",
            "0002-01-01 00:00:00 BC",
        ),
    ] {
        let given: DateTime = given.parse().unwrap();
        let (back, shown): (WallTime, String) = sqlx::query_as("select $1::timestamp, $1::timestamp::text")
            .bind(WallTime(given))
            .fetch_one(&mut connection)
            .await
            .unwrap();
        assert_eq!(back.0, kept.parse().unwrap());
        assert_eq!(shown, text);
    }
}

#[tokio::test]
async fn what_is_beyond_every_calendar_is_an_error() {
    let database = Database::empty().await;
    let mut connection = connection(&database).await;
    for value in ["infinity", "-infinity", "294276-12-31 00:00"] {
        let read = format!("select '{value}'::timestamptz, '{value}'::timestamp");
        let instant: sqlx::Result<Instant> = sqlx::query_scalar(sqlx::AssertSqlSafe(read.clone()))
            .fetch_one(&mut connection)
            .await;
        assert!(
            matches!(instant, Err(sqlx::Error::ColumnDecode { .. })),
            "{value}: {instant:?}"
        );
        let read = read.replace("timestamptz, ", "text, ");
        let row: sqlx::Result<(String, WallTime)> = sqlx::query_as(sqlx::AssertSqlSafe(read))
            .fetch_one(&mut connection)
            .await;
        assert!(matches!(row, Err(sqlx::Error::ColumnDecode { .. })), "{value}: {row:?}");
    }
}

#[tokio::test]
async fn lists_of_instants_go_as_arrays() {
    let database = Database::empty().await;
    let instants = [0, 1_769_850_000].map(|second| Instant(Timestamp::from_second(second).unwrap()));
    let found: Vec<Instant> = sqlx::query_scalar("select unnest($1::timestamptz[]) order by 1")
        .bind(instants.as_slice())
        .fetch_all(&mut connection(&database).await)
        .await
        .unwrap();
    assert_eq!(found, instants);
}
