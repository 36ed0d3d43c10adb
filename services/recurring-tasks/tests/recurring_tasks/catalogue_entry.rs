//! What the service serves, exports and records is what its entry in the catalogue says.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use catalogue::{Catalogue, app_ids, services::RECURRING_TASKS, spans};
use metrics::Metrics;
use recurring_tasks::Settings;
use service_kit::{
    cli::Foundation,
    config::{Reader, ServiceSettings},
    database,
    health::Health,
    shutdown::Tasks,
};
use tokio::time::Instant;
use tracing::{Subscriber, span};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
    registry::LookupSpan,
};

use crate::{
    completions::Recurring,
    world::{PATIENCE, World, get},
};

#[tokio::test]
async fn it_answers_its_probes_and_exports_its_metrics() {
    let world = World::new().await;
    let replica = world.start().await;
    world.publish([&Recurring::weekly(1).completed()]).await;
    world.commands(1).await;
    let probes = RECURRING_TASKS.probes;
    replica.reaches(r#"occurrences_total{outcome="created"}"#, 1).await;
    assert_eq!(get(replica.public, probes.liveness).await.0, 200);
    assert_eq!(get(replica.public, probes.readiness).await.0, 200);
    assert_eq!(get(replica.internal, probes.events.unwrap()).await.0, 200);
    assert!(RECURRING_TASKS.routes.is_empty(), "nobody calls it");

    let (_, exposed) = get(replica.metrics, catalogue::paths::METRICS).await;
    let exposed: BTreeSet<&str> = exposed
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let catalogue = Catalogue::taskflow();
    let promised: BTreeSet<&str> = catalogue
        .metrics_of(app_ids::RECURRING_TASKS)
        .map(|it| it.name)
        .collect();
    assert_eq!(exposed, promised);
    replica.stop().await;
}

/// The names of spans, with the names of their fields.
type Spans = BTreeSet<(String, BTreeSet<String>)>;

/// Keeps the spans that are begun.
#[derive(Clone, Default)]
struct Recorded(Arc<Mutex<Spans>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorded {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        if *metadata.level() <= tracing::Level::INFO {
            let fields = metadata.fields().iter().map(|field| field.name().to_owned());
            let own = fields.filter(|name| !name.starts_with("otel."));
            self.0
                .lock()
                .unwrap()
                .insert((metadata.name().to_owned(), own.collect()));
        }
    }
}

#[tokio::test]
async fn it_records_its_spans() {
    let world = World::new().await;
    // Before anything is recorded: publishing is a span too, and not one of the service.
    world.publish([&Recurring::weekly(1).completed()]).await;
    let recorded = Recorded::default();
    let subscriber = tracing_subscriber::registry().with(recorded.clone());
    let _here = tracing::subscriber::set_default(subscriber);
    let tasks = Tasks::new();
    start_in_this_thread(&world, &tasks).await;
    world.commands(1).await;
    tasks.stop().cancel();
    tasks.finish(Instant::now() + PATIENCE).await.unwrap();

    let own = spans::ALL
        .iter()
        .filter(|span| span.recorded_by.contains(&app_ids::RECURRING_TASKS));
    // It has no routes of its own, and probes are not recorded.
    let promised = own.filter(|span| span.name != spans::HTTP_REQUEST.name);
    let promised = promised.map(|span| {
        let attributes = span.attributes.iter().map(|it| it.key.to_owned());
        (span.name.to_owned(), attributes.collect())
    });
    let promised: Spans = promised.collect();
    let recorded = recorded.0.lock().unwrap();
    let ours = recorded
        .iter()
        .filter(|(name, _)| spans::ALL.iter().any(|it| it.name == name));
    assert_eq!(ours.cloned().collect::<Spans>(), promised);
}

/// The whole service but its listeners.
async fn start_in_this_thread(world: &World, tasks: &Tasks) {
    let mut reader = Reader::new(&RECURRING_TASKS, world.variables());
    let settings = ServiceSettings::read(&mut reader).zip(Settings::read(&mut reader));
    let (common, own) = reader.finish(settings).unwrap();
    let metrics = Metrics::new(&Catalogue::taskflow(), app_ids::RECURRING_TASKS);
    let health = Health::new(&metrics, tasks.stop().clone());
    let foundation = Foundation {
        database: common.database.as_ref().map(|it| database::connect(it, &metrics)),
        settings: common,
        metrics,
        health,
        tasks: tasks.clone(),
    };
    recurring_tasks::build(own, foundation).await.unwrap();
}
