//! What the service serves, exports, records and reads is what its entry in the catalogue says.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use catalogue::{Catalogue, app_ids, services::WEBSOCKET, spans};
use service_kit::{
    cli::Foundation,
    config::{Reader, ServiceSettings},
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
use websocket::Settings;

use crate::world::{PATIENCE, World, client, get, metrics_of};

#[tokio::test]
async fn it_answers_its_routes_and_exports_its_metrics() {
    let world = World::new().await;
    let replica = world.start().await;
    drop(world.welcomed(&replica, "ada").await);
    let events = client().get(format!("http://{}/events", replica.public));
    drop(events.bearer_auth(world.issuer.token_for("ada")).send().await.unwrap());
    for (route, status) in WEBSOCKET.routes.iter().zip(["101", "200"]) {
        let (method, path) = (route.method.as_str(), route.path);
        let series = format!(r#"http_requests_total{{method="{method}",route="{path}",status="{status}"}}"#);
        assert_eq!(replica.value_of(&series).await, 1.0);
    }
    assert_eq!(get(replica.public, WEBSOCKET.probes.liveness).await.status, 200);
    assert_eq!(get(replica.public, WEBSOCKET.probes.readiness).await.status, 200);

    let exposed = get(replica.metrics, catalogue::paths::METRICS).await.text;
    for at_zero in [
        r#"websocket_dropped_clients_total{reason="slow"} 0"#,
        r#"websocket_refetches_total{reason="gap"} 0"#,
        "websocket_broadcast_latency_seconds_count 0",
    ] {
        assert!(exposed.contains(at_zero), "{at_zero}");
    }
    let exposed: BTreeSet<&str> = exposed
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let catalogue = Catalogue::taskflow();
    let promised: BTreeSet<&str> = catalogue.metrics_of(app_ids::WEBSOCKET).map(|it| it.name).collect();
    assert_eq!(exposed, promised);
    replica.stop().await;
}

#[tokio::test]
async fn it_reads_its_variables_and_no_others() {
    let world = World::new().await;
    let mut reader = Reader::new(&WEBSOCKET, world.variables());
    let settings = ServiceSettings::read(&mut reader).zip(Settings::read(&mut reader));
    assert_eq!(reader.unread(), Vec::<&str>::new());
    assert_eq!(reader.unknown(), []);
    reader.finish(settings).unwrap();
}

#[tokio::test]
async fn wrong_variables_are_told_and_there_is_nothing_to_migrate() {
    let world = World::new().await;
    let mut valid = world.run("check-config", &[]);
    assert!(valid.exit(PATIENCE).await.success(), "{:?}", valid.lines());
    let mut refused = world.run(
        "check-config",
        &[("TASKFLOW_MAX_CLIENTS", "many"), ("TASKFLOW_POD_NAME", "")],
    );
    assert_eq!(refused.exit(PATIENCE).await.code(), Some(2));
    let told = refused.lines().join("\n");
    assert!(
        told.contains("TASKFLOW_MAX_CLIENTS") && told.contains("TASKFLOW_POD_NAME"),
        "{told}"
    );
    let mut migration = world.run("migrate", &[]);
    assert_eq!(migration.exit(PATIENCE).await.code(), Some(2));
    assert!(migration.lines().join("\n").contains("websocket owns no schema"));
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
    let health = start_in_this_thread(&world, &tasks).await;
    test_kit::wait_until("it is in position", PATIENCE, async || {
        if health.is_ready() { Ok(()) } else { Err("it is not") }
    })
    .await;
    // What the test publishes is not the service's doing.
    world.change("ada", [1]).with_subscriber(NoSubscriber::default()).await;
    // The span of requests comes with the listeners, which are not started here.
    let own = spans::ALL
        .iter()
        .filter(|span| span.recorded_by.contains(&app_ids::WEBSOCKET) && span.name != spans::HTTP_REQUEST.name);
    let promised: Spans = own
        .map(|span| {
            let attributes = span.attributes.iter().map(|it| it.key.to_owned());
            (span.name.to_owned(), attributes.collect())
        })
        .collect();
    test_kit::wait_until("the spans are those of the catalogue", PATIENCE, async || {
        let recorded = recorded.0.lock().unwrap().clone();
        if recorded == promised {
            Ok(())
        } else {
            Err(format!("{recorded:?}"))
        }
    })
    .await;
    tasks.stop().cancel();
    tasks.finish(Instant::now() + PATIENCE).await.unwrap();
}

/// The whole service but its listeners.
async fn start_in_this_thread(world: &World, tasks: &Tasks) -> Health {
    let mut reader = Reader::new(&WEBSOCKET, world.variables());
    let settings = ServiceSettings::read(&mut reader).zip(Settings::read(&mut reader));
    let (common, own) = reader.finish(settings).unwrap();
    let metrics = metrics_of(app_ids::WEBSOCKET);
    let health = Health::new(&metrics, tasks.stop().clone());
    let foundation = Foundation {
        database: None,
        settings: common,
        metrics,
        health: health.clone(),
        tasks: tasks.clone(),
    };
    websocket::build(own, foundation).await.unwrap();
    health
}
