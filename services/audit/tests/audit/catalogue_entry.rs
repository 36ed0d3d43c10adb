//! What the service serves, exports, records and reads is what its entry in the catalogue says.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use audit::Settings;
use catalogue::{Catalogue, app_ids, environment_variables::TASKFLOW_BUS, services::AUDIT, spans};
use service_kit::{
    cli::Foundation,
    config::{Reader, ServiceSettings},
    database,
    health::Health,
    shutdown::Tasks,
};
use tokio::time::Instant;
use tracing::{Subscriber, instrument::WithSubscriber as _, span, subscriber::NoSubscriber};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
    registry::LookupSpan,
};

use crate::{
    events::task_event,
    world::{PATIENCE, World, get, metrics_of},
};

#[tokio::test]
async fn it_answers_its_routes_and_exports_its_metrics() {
    let world = World::new().await;
    let replica = world.start().await;
    world.publish(&[task_event("ada", 7, 1)]).await;
    world.rows(1).await;
    for route in AUDIT.routes {
        let answer = world.get(&replica, "ada", &route.path.replace("{id}", "7")).await;
        assert_eq!(answer.status, 200, "{}", route.path);
        let (method, path) = (route.method.as_str(), route.path);
        let series = format!(r#"http_requests_total{{method="{method}",route="{path}",status="200"}}"#);
        assert_eq!(replica.value_of(&series).await, 1.0);
    }
    let probes = AUDIT.probes;
    assert_eq!(get(replica.public, probes.liveness).await.status, 200);
    assert_eq!(get(replica.public, probes.readiness).await.status, 200);
    assert_eq!(get(replica.internal, probes.events.unwrap()).await.status, 200);

    let exposed = get(replica.metrics, catalogue::paths::METRICS).await.text;
    let exposed: BTreeSet<&str> = exposed
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let catalogue = Catalogue::taskflow();
    let promised: BTreeSet<&str> = catalogue.metrics_of(app_ids::AUDIT).map(|it| it.name).collect();
    assert_eq!(exposed, promised);
    replica.stop().await;
}

#[tokio::test]
async fn it_reads_its_variables_and_no_others() {
    let world = World::new().await;
    let mut reader = Reader::new(&AUDIT, world.variables());
    let settings = ServiceSettings::read(&mut reader).zip(Settings::read(&mut reader));
    assert_eq!(reader.unread(), Vec::<&str>::new());
    assert_eq!(reader.unknown(), []);
    reader.finish(settings).unwrap();
}

#[tokio::test]
async fn it_speaks_over_dapr_where_both_tokens_are_there() {
    let world = World::new().await;
    let dapr = [
        (TASKFLOW_BUS.name, "dapr"),
        ("DAPR_API_TOKEN", "a"),
        ("APP_API_TOKEN", "b"),
    ];
    let mut refused = world.run("check-config", &dapr[..2]);
    assert_eq!(refused.exit(PATIENCE).await.code(), Some(2));
    for variables in [&[][..], &dapr] {
        let mut valid = world.run("check-config", variables);
        assert!(valid.exit(PATIENCE).await.success(), "{:?}", valid.lines());
    }
}

/// The names of spans, with the names of their fields.
type Spans = BTreeSet<(String, BTreeSet<String>)>;

#[derive(Clone, Default)]
struct Recorded(Arc<Mutex<Spans>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorded {
    fn on_new_span(&self, attributes: &span::Attributes<'_>, _: &span::Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        if spans::ALL.iter().any(|it| it.name == metadata.name()) {
            let fields = metadata.fields().iter().map(|field| field.name().to_owned());
            let own = fields.filter(|name| !name.starts_with("otel."));
            let mut recorded = self.0.lock().unwrap();
            recorded.insert((metadata.name().to_owned(), own.collect()));
        }
    }
}

#[tokio::test]
async fn it_records_its_spans() {
    let recorded = Recorded::default();
    let subscriber = tracing_subscriber::registry().with(recorded.clone());
    let _here = tracing::subscriber::set_default(subscriber);
    let world = World::new().await;
    let tasks = Tasks::new();
    start_in_this_thread(&world, &tasks).await;
    // What the test publishes is not the service's doing.
    world
        .publish(&[task_event("ada", 7, 1)])
        .with_subscriber(NoSubscriber::default())
        .await;
    world.rows(1).await;
    test_kit::wait_until("verification has run", PATIENCE, async || {
        let verified = "select verified_at is not null from audit.verification";
        let verified: bool = sqlx::query_scalar(verified).fetch_one(&world.pool).await.unwrap();
        if verified { Ok(()) } else { Err("it has not") }
    })
    .await;
    tasks.stop().cancel();
    tasks.finish(Instant::now() + PATIENCE).await.unwrap();

    // The span of requests comes with the listeners, which are not started here.
    let own = spans::ALL
        .iter()
        .filter(|span| span.recorded_by.contains(&app_ids::AUDIT) && span.name != spans::HTTP_REQUEST.name);
    let promised: Spans = own
        .map(|span| {
            let attributes = span.attributes.iter().map(|it| it.key.to_owned());
            (span.name.to_owned(), attributes.collect())
        })
        .collect();
    assert_eq!(*recorded.0.lock().unwrap(), promised);
}

/// The whole service but its listeners.
async fn start_in_this_thread(world: &World, tasks: &Tasks) {
    let mut reader = Reader::new(&AUDIT, world.variables());
    let settings = ServiceSettings::read(&mut reader).zip(Settings::read(&mut reader));
    let (common, own) = reader.finish(settings).unwrap();
    let metrics = metrics_of(app_ids::AUDIT);
    let health = Health::new(&metrics, tasks.stop().clone());
    let foundation = Foundation {
        database: common.database.as_ref().map(|it| database::connect(it, &metrics)),
        settings: common,
        metrics,
        health,
        tasks: tasks.clone(),
    };
    audit::build(own, foundation).await.unwrap();
}
