//! What websocket consists of, put together.

use std::{sync::Arc, time::Duration};

use catalogue::services::WEBSOCKET;
use event_bus::{BusSettings, ConsumeOptions, subscribe};
use service_kit::{
    auth::TokenChecker,
    cli::Foundation,
    config::ProcessSettings,
    health::{Check, NeededFor},
    limits::UserRate,
    server::{ConnectionLimits, Routes, upgraded_connections},
    shutdown::{BoxError, Tasks},
};
use tokio::sync::watch;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    connection::Reception,
    consumer::Broadcaster,
    http::{self, App, Door},
    hub::Hub,
    settings::Settings,
};

/// The longest time that a client has to answer the end of its connection.
const GOODBYE: Duration = Duration::from_secs(3);

/// Puts the service together: its tasks, and its routes.
pub async fn build(settings: Settings, foundation: Foundation) -> Result<Routes, BoxError> {
    let Foundation {
        settings: common,
        metrics,
        health,
        tasks,
        database: _,
    } = foundation;
    let stop = tasks.stop().clone();
    let drain = common.process.drain;
    let hub = Hub::new(settings.clients.per_user, settings.heartbeat, &metrics);
    tasks.spawn_infallible("gaps", {
        let (hub, stop) = (hub.clone(), stop.clone());
        async move { hub.watch_gaps(stop).await }
    });

    let options = consume_options(&common.process);
    let in_position = health.check("events", NeededFor::Requests);
    let position = options.in_position.subscribe();
    tasks.spawn_infallible("position", await_position(position, in_position, stop.clone()));
    let broadcaster = Arc::new(Broadcaster(hub.clone()));
    let bus = BusSettings::Direct(settings.kafka);
    let subscribed = subscribe(&WEBSOCKET, bus, options, broadcaster, &metrics, stop.clone())?;
    tasks.spawn("consumer", subscribed.running);

    let tokens = TokenChecker::new(settings.tokens, None, &health, &metrics);
    keep_keys_fresh(&tokens, &tasks);
    let per_second = common.limits.user_requests_per_second;
    let rate = UserRate::new(per_second.ok_or("the catalogue has no rate for websocket")?, &metrics);
    let clients = upgraded_connections(settings.clients.total);
    let sockets = TaskTracker::new();
    tasks.spawn_infallible(
        "clients",
        see_off(hub.clone(), sockets.clone(), drain / 2, stop.clone()),
    );
    let app = App {
        reception: Reception {
            hub,
            tokens,
            rate,
            heartbeat: settings.heartbeat,
            goodbye: GOODBYE.min(drain / 5),
            latency: Reception::latency(&metrics),
            stop: stop.clone(),
        },
        door: Door::new(clients, settings.public_url.clone(), &metrics, stop),
        sockets,
    };
    let usual = ConnectionLimits::default();
    Ok(Routes {
        public: http::public(app),
        pages: settings.public_url,
        connections: ConnectionLimits {
            // Server-sent events keep their place among the requests that are being answered.
            public: usual.public + clients,
            ..usual
        },
        ..Routes::default()
    })
}

fn keep_keys_fresh(tokens: &TokenChecker, tasks: &Tasks) {
    let (tokens, stop) = (tokens.clone(), tasks.stop().clone());
    tasks.spawn_infallible("token-keys", async move { tokens.keep_keys_fresh(stop).await });
}

fn consume_options(process: &ProcessSettings) -> ConsumeOptions {
    let replica = process.pod_name.as_deref().unwrap_or(WEBSOCKET.app_id);
    ConsumeOptions {
        drain: process.drain / 4,
        ..ConsumeOptions::new(replica)
    }
}

/// Reports that no event will be missed from now on: before that, nobody is to come.
async fn await_position(mut position: watch::Receiver<bool>, check: Check, stop: CancellationToken) {
    check.fails("the partitions are not read yet");
    let reached = async { position.wait_for(|reached| *reached).await.is_ok() };
    if stop.run_until_cancelled(reached).await == Some(true) {
        check.holds();
    }
    stop.cancelled().await;
}

/// When the service stops: asks every client to go, and waits for those with websockets. The others are requests, which
/// are waited for anyway.
async fn see_off(hub: Hub, sockets: TaskTracker, within: Duration, stop: CancellationToken) {
    stop.cancelled().await;
    hub.part(within).await;
    sockets.close();
    sockets.wait().await;
}
