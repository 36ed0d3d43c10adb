//! Two clients count up in the same task, each change with If-Match: at the end nothing is missing.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::{
    http::{Connection, request},
    progress,
    report::{Goal, Section, number},
    scripts::{create_request, id_of},
    stats::{milliseconds, percentile},
    world::World,
};

const CHANGES: u64 = 100_000;

/// What one of the two saw.
#[derive(Default)]
struct Seen {
    changes: u64,
    conflicts: u64,
    latencies: Vec<Duration>,
}

pub(crate) async fn measure(world: &World) -> Result<Section> {
    let changes = world.pick(CHANGES, 2_000);
    let chat = world.chat().await?;
    let token = world.tokens(1).remove(0);
    let mut connection = Connection::open(chat.address).await?;
    let id = id_of(connection.send(&create_request(&token, "0")).await?.body)?;
    progress(&format!("two-writers: {changes} changes"));
    let begun = Instant::now();
    let (one, two) = tokio::try_join!(
        count_up(chat.address, id, &token, changes),
        count_up(chat.address, id, &token, changes),
    )?;
    let time = begun.elapsed();
    // Another one: the first was silent for longer than the service waits.
    let mut connection = Connection::open(chat.address).await?;
    let answer = connection
        .send(&request("GET", &format!("/tasks/{id}"), &token, "", ""))
        .await?;
    let last: Value = serde_json::from_slice(answer.body)?;
    let (title, version) = (last["title"].as_str().context("a title")?, last["version"].as_u64());
    let complete = title == changes.to_string() && version == Some(changes + 1) && one.changes + two.changes == changes;
    ensure!(complete, "an update was lost: {last}");
    let mut latencies = [one.latencies, two.latencies].concat();
    latencies.sort_unstable();
    let conflicts = one.conflicts + two.conflicts;
    Ok(section(changes, conflicts, time, &latencies))
}

/// Adds one to the number in the title until that is there; whoever is second looks again.
async fn count_up(address: SocketAddr, id: i64, token: &str, until: u64) -> Result<Seen> {
    let mut connection = Connection::open(address).await?;
    let path = format!("/tasks/{id}");
    let mut task: Value = serde_json::from_slice(connection.send(&request("GET", &path, token, "", "")).await?.body)?;
    let mut seen = Seen::default();
    loop {
        let count: u64 = task["title"].as_str().context("a title")?.parse()?;
        if count >= until {
            return Ok(seen);
        }
        let (condition, body) = (
            format!("if-match: \"{}\"\r\n", task["version"]),
            format!(r#"{{"title":"{}"}}"#, count + 1),
        );
        let begun = Instant::now();
        let answer = connection
            .send(&request("PATCH", &path, token, &condition, &body))
            .await?;
        seen.latencies.push(begun.elapsed());
        let body: Value = serde_json::from_slice(answer.body)?;
        task = match answer.status {
            200 => {
                seen.changes += 1;
                body
            }
            412 => {
                seen.conflicts += 1;
                body["current"].clone()
            }
            status => anyhow::bail!("{status}: {body}"),
        };
    }
}

fn section(changes: u64, conflicts: u64, time: Duration, latencies: &[Duration]) -> Section {
    #[expect(clippy::cast_precision_loss, reason = "numbers of requests")]
    let (rate, asked, share) = (
        changes as f64 / time.as_secs_f64(),
        (changes + conflicts) as f64 / time.as_secs_f64(),
        conflicts as f64 / (changes + conflicts) as f64,
    );
    let [p50, p99] = [0.5, 0.99].map(|part| milliseconds(percentile(latencies, part)));
    Section {
        title: "Two writers".to_owned(),
        method: "Two clients change the same task at the same time, each change with `If-Match`; who gets 412 takes the \
                 version that came with it and tries again. Each change adds one to a number, and at the end number and \
                 version must be the number of changes."
            .to_owned(),
        columns: ["changes", "lost", "refused (412)", "changes, 1/s", "requests, 1/s", "p50 / p99, ms"]
            .map(str::to_owned)
            .into(),
        rows: vec![vec![
            changes.to_string(),
            "0".to_owned(),
            format!("{conflicts} ({} %)", number(share * 100.0)),
            number(rate),
            number(asked),
            format!("{} / {}", number(p50), number(p99)),
        ]],
        goals: vec![Goal::at_most("lost updates", 0.0, 0.0, "")],
        data: json!({"changes": changes, "conflicts": conflicts, "seconds": time.as_secs_f64(), "p50_ms": p50, "p99_ms": p99}),
        ..Section::default()
    }
}
