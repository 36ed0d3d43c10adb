//! Memory of each service, idle and while tasks are created and completed.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use test_kit::{Core, Replica};
use tokio::time::{interval, sleep};

use crate::{
    load,
    processes::resident_bytes,
    progress,
    report::{Bar, Plot, Section, number},
    scripts::{Complete, Create},
    stats::Spread,
    world::{CLIENTS, World},
};

const QUIET: Duration = Duration::from_secs(5);
const TIME: Duration = Duration::from_secs(10);

pub(crate) async fn measure(world: &World) -> Result<Section> {
    let (quiet, time) = world.pick((QUIET, TIME), (Duration::from_secs(1), Duration::from_secs(2)));
    let (database, topics) = (world.empty_database().await, world.topics().await);
    let core = Core::start(world.wiring(&database, &topics), &world.programs).await;
    let replicas: [(&str, &Replica); 3] = [
        ("chat-api", &core.chat_api),
        ("recurring-tasks", &core.recurring_tasks),
        ("audit", &core.audit),
    ];
    let processes = replicas.map(|(_, replica)| replica.process.process_id());
    progress("memory: idle");
    sleep(quiet).await;
    let idle = all(processes)?;
    progress("memory: under load");
    let mut most = idle;
    let load = async {
        let scripts = world.tokens(CLIENTS).into_iter().map(Create::new).collect();
        let (_, mut scripts) = load::run(core.chat_api.public, scripts, time).await?;
        let scripts = scripts.iter_mut().map(Complete::after).collect();
        load::run(core.chat_api.public, scripts, time).await.map(drop)
    };
    tokio::pin!(load);
    let mut ticks = interval(Duration::from_millis(100));
    loop {
        tokio::select! {
            ended = &mut load => break ended?,
            _ = ticks.tick() => {
                for (most, now) in most.iter_mut().zip(all(processes)?) {
                    *most = now.max(*most);
                }
            }
        }
    }
    let names = replicas.map(|(name, _)| name);
    Ok(section(names, idle, most, time))
}

/// Megabytes.
#[expect(clippy::cast_precision_loss, reason = "bytes of one process")]
fn all(processes: [u32; 3]) -> Result<[f64; 3]> {
    let mut sizes = [0.0; 3];
    for (size, process) in sizes.iter_mut().zip(processes) {
        *size = resident_bytes(process)? as f64 / 1e6;
    }
    Ok(sizes)
}

fn section(names: [&str; 3], idle: [f64; 3], most: [f64; 3], time: Duration) -> Section {
    let each = || {
        names
            .into_iter()
            .zip(idle)
            .zip(most)
            .map(|((name, idle), most)| (name, idle, most))
    };
    let exactly = |value| Spread::of([value]);
    Section {
        title: "Memory".to_owned(),
        method: format!(
            "Resident memory of each process of the core: some seconds after the start, and the most while {CLIENTS} clients \
             create for {} s and then complete what they have created.",
            time.as_secs()
        ),
        columns: ["service", "idle, MB", "most under load, MB"].map(str::to_owned).into(),
        rows: each()
            .map(|(name, idle, most)| vec![name.to_owned(), number(idle), number(most)])
            .collect(),
        plots: vec![Plot {
            name: "memory".to_owned(),
            title: "Resident memory".to_owned(),
            unit: "MB".to_owned(),
            bars: each()
                .flat_map(|(name, idle, most)| {
                    [
                        Bar::new(format!("{name}, idle"), exactly(idle)),
                        Bar::new(format!("{name}, under load"), exactly(most)),
                    ]
                })
                .collect(),
            goal: None,
            logarithmic: false,
        }],
        data: json!(
            each()
                .map(|(name, idle, most)| json!({"service": name, "idle_mb": idle, "most_mb": most}))
                .collect::<Vec<_>>()
        ),
        ..Section::default()
    }
}
