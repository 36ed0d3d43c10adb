//! `GET /audit/export`: all of one's own record, as JSON lines.

use serde_json::{Value, value::RawValue};
use sha2::{Digest as _, Sha256};

use crate::{
    events::{reminder_event, task_event},
    world::World,
};

#[tokio::test]
async fn an_export_is_exactly_the_rows_of_the_person() {
    let world = World::new().await;
    let replica = world.start().await;
    let mut events = Vec::new();
    for task in 1..=600 {
        let user = if task % 3 == 0 { "bob" } else { "ada" };
        events.extend([task_event(user, task, 1), task_event(user, task, 2)]);
    }
    events.push(reminder_event("ada", 1, 2));
    world.publish(&events).await;
    world.rows(1201).await;
    for (user, rows) in [("ada", 801), ("bob", 400), ("eve", 0)] {
        let export = world.get(&replica, user, "/audit/export").await;
        assert_eq!(export.status, 200);
        assert_eq!(export.headers["content-type"], "application/x-ndjson");
        assert_eq!(export.headers["cache-control"], "no-store");
        let lines: Vec<&str> = export.text.lines().collect();
        assert_eq!(lines.len(), rows, "{user}");
        let mut previous = (0, 0);
        for line in lines {
            let row: Value = serde_json::from_str(line).unwrap();
            let place = (row["task_id"].as_i64().unwrap(), row["position"].as_i64().unwrap());
            assert!(place > previous, "by task and position, each once");
            previous = place;
            assert_eq!(row["event"]["data"]["user_id"], user);
            assert_eq!(row["hash"], hash_of(line, user), "{line}");
        }
    }
    replica.stop().await;
}

/// The hash of an exported row, as `docs/adr/0031` describes it.
fn hash_of(line: &str, user: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Line<'a> {
        previous_hash: String,
        task_id: i64,
        position: i64,
        event_day: String,
        source: String,
        event_id: uuid::Uuid,
        r#type: String,
        recorded_at: jiff::Timestamp,
        #[serde(borrow)]
        event: &'a RawValue,
    }
    let row: Line<'_> = serde_json::from_str(line).unwrap();
    let previous: Vec<u8> = (0..64)
        .step_by(2)
        .map(|at| u8::from_str_radix(&row.previous_hash[at..at + 2], 16).unwrap())
        .collect();
    let covered = [
        &previous[..],
        user.as_bytes(),
        &row.task_id.to_be_bytes(),
        &row.position.to_be_bytes(),
        row.event_day.as_bytes(),
        row.source.as_bytes(),
        row.event_id.as_bytes(),
        row.r#type.as_bytes(),
        &row.recorded_at.as_microsecond().to_be_bytes(),
        row.event.get().as_bytes(),
    ];
    let mut sha = Sha256::new();
    for bytes in covered {
        sha.update(u64::try_from(bytes.len()).unwrap().to_be_bytes());
        sha.update(bytes);
    }
    sha.finalize()
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// 200 MB in one task: no replica holds as much.
const LARGE: &str = r#"
    with chain as (
        insert into audit.chain values (7, 'ada', 400, sha256('')) returning task_id
    )
    insert into audit.event
    select current_date, 's', gen_random_uuid(), task_id, position, 't', now(),
        convert_to('"' || repeat('x', 500000) || '"', 'utf8'), sha256(''), sha256('')
    from chain, generate_series(1, 400) as position"#;

#[tokio::test]
async fn a_large_export_is_never_in_memory_as_a_whole() {
    let world = World::new().await;
    let replica = world.start().await;
    // Today has its partition.
    replica.reaches("audit_days_prepared", 7.0).await;
    sqlx::query(LARGE).execute(&world.pool).await.unwrap();
    let request = crate::world::client().get(format!("http://{}/audit/export", replica.public));
    let request = request.bearer_auth(world.issuer.token_for("ada"));
    let mut export = request.send().await.unwrap();
    let (mut bytes, mut largest) = (0, 0.0_f64);
    while let Some(chunk) = export.chunk().await.unwrap() {
        let before = bytes / 20_000_000;
        bytes += chunk.len();
        if bytes / 20_000_000 > before {
            largest = largest.max(replica.value_of("process_resident_memory_bytes").await);
        }
    }
    assert!(bytes > 200_000_000, "{bytes}");
    assert!(0.0 < largest && largest < 100e6, "{largest} bytes resident");
    replica.stop().await;
}

#[tokio::test]
async fn an_export_that_breaks_off_does_not_look_whole() {
    let world = World::new().await;
    let replica = world.start().await;
    // Today has its partition.
    replica.reaches("audit_days_prepared", 7.0).await;
    sqlx::query(LARGE).execute(&world.pool).await.unwrap();
    let request = crate::world::client().get(format!("http://{}/audit/export", replica.public));
    let request = request.bearer_auth(world.issuer.token_for("ada"));
    let mut export = request.send().await.unwrap();
    export.chunk().await.unwrap().expect("it begins");
    replica.process.terminate();
    let end = loop {
        match export.chunk().await {
            Ok(Some(_)) => {}
            end => break end,
        }
    };
    assert!(end.is_err(), "{end:?}");
    let mut replica = replica;
    let status = replica.process.exit(crate::world::PATIENCE).await;
    assert_eq!(status.code(), Some(0), "{:#?}", replica.process.lines());
}
