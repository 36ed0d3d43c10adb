//! Reading one task and listing a page: chat-api and the reference, in turns.

use std::{net::SocketAddr, time::Duration};

use anyhow::Result;
use serde_json::json;

use crate::{
    load, progress,
    reference::Reference,
    report::{Bar, Goal, Plot, Section, number, spread},
    scripts::Read,
    seed,
    stats::{Spread, milliseconds, percentile},
    world::{CLIENTS, World},
};

const ROUNDS: usize = 3;
const TIME: Duration = Duration::from_secs(5);
/// Tasks of each person.
const TASKS: usize = 200;
const TIMES_REFERENCE: f64 = 5.0;

struct Done {
    name: &'static str,
    chat: Vec<f64>,
    reference: Vec<f64>,
    p99: Vec<f64>,
}

pub(crate) async fn measure(world: &World) -> Result<Section> {
    let (rounds, time) = world.pick((ROUNDS, TIME), (1, Duration::from_secs(2)));
    let chat = world.chat().await?;
    let reference = Reference::start(world).await?;
    for database in [&chat.database, &reference.database] {
        let pool = database.pool().await;
        seed::for_people(&pool, i64::try_from(CLIENTS)?, i64::try_from(TASKS)?).await?;
        sqlx::query("vacuum analyze chat.task").execute(&pool).await?;
    }
    let mut all = [("read one", one as Paths), ("list 50", page as Paths)].map(|(name, paths)| {
        let (chat, reference, p99) = (Vec::new(), Vec::new(), Vec::new());
        (
            paths,
            Done {
                name,
                chat,
                reference,
                p99,
            },
        )
    });
    for round in 0..=rounds {
        progress(&format!(
            "reads: {}",
            if round == 0 {
                "warm-up".to_owned()
            } else {
                format!("round {round} of {rounds}")
            }
        ));
        for (paths, done) in &mut all {
            let time = if round == 0 { Duration::from_secs(1) } else { time };
            let of_chat = run(world, chat.address, *paths, time).await?;
            let of_reference = run(world, reference.address, *paths, time).await?;
            if round > 0 {
                done.chat.push(of_chat.per_second());
                done.p99.push(milliseconds(percentile(&of_chat.latencies, 0.99)));
                done.reference.push(of_reference.per_second());
            }
        }
    }
    reference.stop().await;
    Ok(section(all.map(|(_, done)| done), rounds, time))
}

/// What one person reads, by their place among the people.
type Paths = fn(usize) -> Vec<String>;

fn one(person: usize) -> Vec<String> {
    (1..=TASKS)
        .map(|number| format!("/tasks/{}", person * TASKS + number))
        .collect()
}

fn page(_: usize) -> Vec<String> {
    vec!["/tasks?status=open&limit=50".to_owned()]
}

async fn run(world: &World, address: SocketAddr, paths: Paths, time: Duration) -> Result<load::Load> {
    let tokens = world.tokens(CLIENTS).into_iter().enumerate();
    let scripts = tokens.map(|(person, token)| Read::new(&token, paths(person))).collect();
    Ok(load::run(address, scripts, time).await?.0)
}

fn section(all: [Done; 2], rounds: usize, time: Duration) -> Section {
    let ratio = |done: &Done| {
        Spread::of(
            done.chat
                .iter()
                .zip(&done.reference)
                .map(|(chat, reference)| chat / reference),
        )
    };
    let of = |values: &[f64]| Spread::of(values.iter().copied());
    let row = |done: &Done| {
        vec![
            done.name.to_owned(),
            spread(&of(&done.chat)),
            spread(&of(&done.reference)),
            spread(&ratio(done)),
            number(of(&done.p99).median),
        ]
    };
    let plot = |done: &Done| Plot {
        name: format!("reads-{}", done.name.replace(' ', "-")),
        title: format!("{}, {CLIENTS} clients", done.name),
        unit: "requests per second".to_owned(),
        bars: vec![
            Bar::new("chat-api", of(&done.chat)),
            Bar::new("FastAPI + SQLModel", of(&done.reference)),
        ],
        goal: Some(of(&done.reference).median * TIMES_REFERENCE),
        logarithmic: false,
    };
    let columns = [
        "request",
        "chat-api, 1/s",
        "FastAPI, 1/s",
        "times FastAPI",
        "p99 of chat-api, ms",
    ];
    Section {
        title: "Reads".to_owned(),
        method: format!(
            "{CLIENTS} clients, each a person with {TASKS} open tasks; {rounds} rounds of {} s each after a warm-up, in turns. \
             Both sides check the token of every request and remember those that were good.",
            time.as_secs()
        ),
        columns: columns.map(str::to_owned).into(),
        rows: all.iter().map(row).collect(),
        goals: all
            .iter()
            .map(|done| {
                Goal::at_least(
                    format!("{}: times FastAPI", done.name),
                    TIMES_REFERENCE,
                    ratio(done).median,
                    " ×",
                )
            })
            .collect(),
        plots: all.iter().map(plot).collect(),
        data: json!(all.map(|done| json!({
            "request": done.name,
            "chat_api_per_second": done.chat,
            "fastapi_per_second": done.reference,
            "p99_ms": done.p99,
        }))),
        ..Section::default()
    }
}
