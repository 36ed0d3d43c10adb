//! Searching among many tasks: words, phrases, prefixes, operators, filters; and words that nobody has written.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;

use crate::{
    http::{Connection, request},
    progress,
    report::{Bar, Goal, Plot, Section, number},
    seed,
    stats::{Spread, milliseconds, percentile},
    world::World,
};

const GOAL_MILLISECONDS: f64 = 50.0;
/// Each query is asked so often, unless the time is over before.
const ROUNDS: usize = 25;
const TIME: Duration = Duration::from_secs(12);

/// What people type: frequent and rare words, alone and together.
const QUERIES: &[&str] = &[
    "dentist",
    "zeppelin",
    "plants garden",
    "invoice OR insurance",
    "call AND plumber",
    "piano -violin",
    "\"water plants\"",
    "tele*",
    "passport priority:high",
    "tag:call quartz",
    "(museum OR theatre) AND tickets",
    "buy tomatoes is:open",
];
/// Words with a mistake in them, which nothing matches: the fallback compares every title.
const MISSPELT: &[&str] = &["zepelin", "dentits", "passprot", "grocceries", "microscpe"];

/// Tasks in a database, and whose they are.
struct Size {
    name: &'static str,
    people: i64,
    each: i64,
}

struct Found {
    name: &'static str,
    /// Sorted.
    queries: Vec<Duration>,
    misspelt: Vec<Duration>,
}

pub(crate) async fn measure(world: &World) -> Result<Section> {
    let size = |name, people, each| Size { name, people, each };
    let ten_thousand = size("10 k, one person", 1, 10_000);
    let all = vec![
        size("100 k, one person", 1, 100_000),
        size("1 M, 1,000 people", 1_000, 1_000),
        size("1 M, one person", 1, 1_000_000),
    ];
    let sizes = std::iter::once(ten_thousand).chain(world.pick(all, Vec::new()));
    let mut found = Vec::new();
    for size in sizes {
        found.push(search(world, &size).await?);
    }
    Ok(section(&found))
}

async fn search(world: &World, size: &Size) -> Result<Found> {
    progress(&format!(
        "search: writing {} tasks ({})",
        size.people * size.each,
        size.name
    ));
    let database = world.chat_database().await?;
    seed::searchable(&database.pool().await, size.people, size.each).await?;
    let chat = world.chat_on(database).await?;
    let mut connection = Connection::open(chat.address).await?;
    let token = world.tokens(1).remove(0);
    progress(&format!("search: {}", size.name));
    Ok(Found {
        name: size.name,
        queries: ask(world, &mut connection, &token, QUERIES).await?,
        misspelt: ask(world, &mut connection, &token, MISSPELT).await?,
    })
}

/// Asks them in turns; the first round is not counted.
async fn ask(world: &World, connection: &mut Connection, token: &str, queries: &[&str]) -> Result<Vec<Duration>> {
    let (rounds, time) = world.pick((ROUNDS, TIME), (5, Duration::from_secs(5)));
    let mut times = Vec::new();
    let begun = Instant::now();
    for round in 0..=rounds {
        for query in queries {
            let path = format!("/tasks/search?q={}", encode(query));
            let request = request("GET", &path, token, "", "");
            let asked = Instant::now();
            let answer = connection.send(&request).await?;
            ensure!(
                answer.status == 200,
                "{query}: {}",
                String::from_utf8_lossy(answer.body)
            );
            if round > 0 {
                times.push(asked.elapsed());
            }
        }
        if begun.elapsed() > time && round > 0 {
            break;
        }
    }
    times.sort_unstable();
    Ok(times)
}

fn encode(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

fn section(found: &[Found]) -> Section {
    let of = |all: &[Duration], part| milliseconds(percentile(all, part));
    let columns = [
        "tasks",
        "p50, ms",
        "p99, ms",
        "misspelt: p50, ms",
        "misspelt: p99, ms",
        "searches",
    ];
    let bars = found.iter().flat_map(|it| {
        let bar = |label: &str, value| Bar::new(format!("{}: {label}", it.name), Spread::of([value]));
        [bar("p50", of(&it.queries, 0.5)), bar("p99", of(&it.queries, 0.99))]
    });
    Section {
        title: "Search".to_owned(),
        method: format!(
            "One client asks one search after another: {} kinds of query (words, phrases, prefixes, AND, OR, NOT, filters), and \
             {} misspelt words that nothing matches, so that the fallback compares titles. Tasks have about 16 words, frequent \
             and rare ones; each size has a database of its own.",
            QUERIES.len(),
            MISSPELT.len()
        ),
        columns: columns.map(str::to_owned).into(),
        rows: found
            .iter()
            .map(|it| {
                let times = [
                    (&it.queries, 0.5),
                    (&it.queries, 0.99),
                    (&it.misspelt, 0.5),
                    (&it.misspelt, 0.99),
                ];
                let times = times.map(|(all, part)| number(of(all, part)));
                let searches = (it.queries.len() + it.misspelt.len()).to_string();
                std::iter::once(it.name.to_owned())
                    .chain(times)
                    .chain([searches])
                    .collect()
            })
            .collect(),
        goals: found
            .first()
            .map(|it| {
                Goal::at_most(
                    format!("search, {}: p99", it.name),
                    GOAL_MILLISECONDS,
                    of(&it.queries, 0.99),
                    " ms",
                )
            })
            .into_iter()
            .collect(),
        plots: vec![Plot {
            name: "search".to_owned(),
            title: "Search".to_owned(),
            unit: "milliseconds, logarithmic".to_owned(),
            bars: bars.collect(),
            goal: Some(GOAL_MILLISECONDS),
            logarithmic: true,
        }],
        data: json!(
            found
                .iter()
                .map(|it| json!({
                    "tasks": it.name,
                    "ms": it.queries.iter().copied().map(milliseconds).collect::<Vec<_>>(),
                    "misspelt_ms": it.misspelt.iter().copied().map(milliseconds).collect::<Vec<_>>(),
                }))
                .collect::<Vec<_>>()
        ),
        ..Section::default()
    }
}
