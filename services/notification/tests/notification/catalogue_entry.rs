//! What the service serves, exports, records and reads is what its entry in the catalogue says.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use catalogue::{Catalogue, app_ids, environment_variables::TASKFLOW_BUS, services::NOTIFICATION, spans};
use notification::Settings;
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
    events::Task,
    world::{Answer, PATIENCE, World, client, get, metrics_of},
};

#[tokio::test]
async fn it_answers_its_routes_and_exports_its_metrics() {
    let world = World::new().await;
    let replica = world.start().await;
    for route in NOTIFICATION.routes {
        let method: reqwest::Method = route.method.as_str().parse().unwrap();
        let path = route.path.replace("{id}", "0197c1a0-0000-7000-8000-000000000001");
        let url = format!("http://{}{path}", replica.public);
        let answer = Answer::to(client().request(method.clone(), url)).await;
        assert_eq!(answer.problem(), (401, "token_missing".to_owned()), "{route:?}");
        let answer = world.send(&replica, "ada", method, &path, &serde_json::json!({})).await;
        assert_ne!(answer.status, 405, "{route:?}");
        let known = answer.status == 200 || ["not_found", "invalid_body"].contains(&answer.problem().1.as_str());
        assert!(known, "{route:?}: {answer:?}");
    }
    let probes = NOTIFICATION.probes;
    assert_eq!(get(replica.public, probes.liveness).await.status, 200);
    assert_eq!(get(replica.public, probes.readiness).await.status, 200);
    assert_eq!(get(replica.internal, probes.events.unwrap()).await.status, 200);

    let exposed = get(replica.metrics, catalogue::paths::METRICS).await.text;
    let exposed: BTreeSet<&str> = exposed
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let catalogue = Catalogue::taskflow();
    let promised: BTreeSet<&str> = catalogue.metrics_of(app_ids::NOTIFICATION).map(|it| it.name).collect();
    assert_eq!(exposed, promised);
    replica.stop().await;
}

#[tokio::test]
async fn it_reads_its_variables_and_no_others() {
    let world = World::new().await;
    let mut reader = Reader::new(&NOTIFICATION, world.variables());
    let settings = ServiceSettings::read(&mut reader).zip(Settings::read(&mut reader));
    assert_eq!(reader.unread(), Vec::<&str>::new());
    assert_eq!(reader.unknown(), []);
    reader.finish(settings).unwrap();
}

#[tokio::test]
async fn either_transport_can_be_chosen_and_no_other() {
    let world = World::new().await;
    let dapr = [
        (TASKFLOW_BUS.name, "dapr"),
        ("DAPR_API_TOKEN", "a"),
        ("APP_API_TOKEN", "b"),
    ];
    for chosen in [&dapr[..], &[]] {
        let mut valid = world.run("check-config", chosen);
        assert!(valid.exit(PATIENCE).await.success(), "{:?}", valid.lines());
    }
    for wrong in [&[(TASKFLOW_BUS.name, "pigeon")], &dapr[..1]] {
        let mut refused = world.run("check-config", wrong);
        assert_eq!(refused.exit(PATIENCE).await.code(), Some(2), "{wrong:?}");
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
    let receiver = crate::receiver::Receiver::start().await;
    let target = serde_json::json!({"kind": "webhook", "url": receiver.url()});
    let hook = "insert into notification.channel (id, user_id, kind, name, target, secret, enabled)
        values (gen_random_uuid(), 'ada', 'webhook', '', $1, 'whsec_AAAA', true)";
    sqlx::query(hook).bind(target).execute(&world.pool).await.unwrap();
    // What the test publishes is not the service's doing.
    world
        .publish(&[Task::in_seconds("ada", 7, 2).is_saved()])
        .with_subscriber(NoSubscriber::default())
        .await;
    receiver.gets(1).await;
    world.states(7, &["delivered"]).await;
    tasks.stop().cancel();
    tasks.answered().cancel();
    tasks.finish(Instant::now() + PATIENCE).await.unwrap();

    let own = spans::ALL
        .iter()
        .filter(|span| span.recorded_by.contains(&app_ids::NOTIFICATION))
        // Requests come with the listeners, which are not started here; over this transport no job wakes anybody.
        .filter(|span| ![spans::HTTP_REQUEST.name, spans::REMINDER_WAKE.name].contains(&span.name));
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
    let mut reader = Reader::new(&NOTIFICATION, world.variables());
    let settings = ServiceSettings::read(&mut reader).zip(Settings::read(&mut reader));
    let (common, own) = reader.finish(settings).unwrap();
    let metrics = metrics_of(app_ids::NOTIFICATION);
    let health = Health::new(&metrics, tasks.stop().clone());
    let foundation = Foundation {
        database: common.database.as_ref().map(|it| database::connect(it, &metrics)),
        settings: common,
        metrics,
        health,
        tasks: tasks.clone(),
    };
    notification::build(own, foundation).await.unwrap();
}
