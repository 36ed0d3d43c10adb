//! What is away, not ready, or too much: the service goes on, and recovers without a restart.

use test_kit::{Database, Detour, wait_until};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::bare::{Bare, DEADLINE, get, migrated};

#[tokio::test]
async fn an_outage_of_the_database_is_survived_from_the_first_moment_on() {
    let database = Database::empty().await;
    migrated(&database).await;
    let detour = Detour::to(&database.url()).await;
    let service = Bare::start(&detour.url(), &[]).await;
    let not_ready = async |what| {
        wait_until(what, DEADLINE, async || match service.get("/ready").await {
            answer if answer.text.contains("not reachable") => Ok(answer),
            answer => Err(answer.text),
        })
        .await
    };
    let answer = not_ready("the database is away at the start").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["draining"], false);
    assert_eq!(service.get("/health").await.status, 200, "the process lives");
    assert_eq!(get(service.internal, "/ready/events").await.status, 503);
    assert_eq!(service.metric(r#"dependency_up{dependency="database"}"#).await, "0");

    detour.open();
    service.becomes_ready().await;
    assert_eq!(get(service.internal, "/ready/events").await.status, 200);

    detour.cut();
    not_ready("the database is away again").await;
    detour.open();
    service.becomes_ready().await;
    assert_eq!(service.metric(r#"dependency_up{dependency="database"}"#).await, "1");
}

#[tokio::test]
async fn a_database_that_hangs_is_away() {
    let database = Database::empty().await;
    migrated(&database).await;
    let detour = Detour::to(&database.url()).await;
    detour.open();
    let service = Bare::start(&detour.url(), &[]).await;
    service.becomes_ready().await;
    detour.hang();
    wait_until("the service is not ready", DEADLINE, async || {
        match service.get("/ready").await {
            answer if answer.status == 503 => Ok(()),
            answer => Err(answer.text),
        }
    })
    .await;
}

#[tokio::test]
async fn a_service_waits_for_its_migrations() {
    let database = Database::empty().await;
    let service = Bare::start(&database.url(), &[]).await;
    wait_until("the migrations are missed", DEADLINE, async || {
        match service.get("/ready").await {
            answer if answer.json()["checks"]["migrations"] == "not applied" => Ok(()),
            answer => Err(answer.text),
        }
    })
    .await;
    migrated(&database).await;
    service.becomes_ready().await;
}

#[tokio::test]
async fn ten_thousand_silent_connections_keep_nobody_out() {
    let database = Database::empty().await;
    let service = Bare::ready(&database).await;
    let mut silent = Vec::new();
    for _ in 0..10_000 {
        let mut stream = TcpStream::connect(service.public).await.unwrap();
        // The beginning of a request, which never ends.
        stream.write_all(b"GET /tags HTTP/1.1\r\n").await.unwrap();
        silent.push(stream);
    }
    assert_eq!(service.get("/tags").await.status, 200);
    assert_eq!(service.get("/health").await.status, 200);
    let resident: f64 = service.metric("process_resident_memory_bytes").await.parse().unwrap();
    assert!(resident < 100e6, "{resident} bytes");
    // Those that were let in last are still there; the first had to go.
    let mut byte = [0; 1];
    assert!(
        matches!(silent[0].read(&mut byte).await, Ok(0) | Err(_)),
        "the first connection is closed"
    );
    let last = silent.last_mut().unwrap();
    last.write_all(b"host: x\r\n\r\n").await.unwrap();
    assert_eq!(
        last.read(&mut byte).await.unwrap(),
        1,
        "the last connection is answered"
    );
}
