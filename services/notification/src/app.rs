//! What notification consists of, put together.

use std::{sync::Arc, time::Duration};

use axum::Router;
use catalogue::services::NOTIFICATION;
use event_bus::{BusSettings, ConsumeOptions, Publisher, subscribe};
use outbox::{Bell, relay};
use service_kit::{
    auth::TokenChecker,
    cli::Foundation,
    config::ServiceSettings,
    database,
    limits::UserRate,
    server::{ConnectionLimits, Routes},
    shutdown::{BoxError, Tasks},
};

use crate::{
    channels::Providers,
    claim::Claims,
    consumer::Consumer,
    courier::Courier,
    http::{self, App},
    jobs::{self, HEAD_START, Lanes, Scheduler},
    settings::Settings,
    sweeper::{self, Pace},
    telling::Telling,
};

/// Puts the service together: its tasks, and its routes.
pub async fn build(settings: Settings, foundation: Foundation) -> Result<Routes, BoxError> {
    let Foundation {
        settings: common,
        metrics,
        health,
        tasks,
        database,
    } = foundation;
    let (Some(database), Some(reached)) = (database, &common.database) else {
        return Err("the catalogue gives notification no schema".into());
    };
    let stop = tasks.stop().clone();
    let (jobs, changes) = match &settings.bus {
        BusSettings::Sidecar(sidecar) => {
            let (lanes, far_ends) = Lanes::new();
            (Some(lanes), Some((Scheduler::new(sidecar)?, far_ends)))
        }
        BusSettings::Direct(_) => (None, None),
    };
    let telling = Telling::new(&metrics, jobs);
    let bell = Bell::new();
    let providers = Providers::new(settings.guard, settings.mail.as_ref(), settings.push)?;

    let publisher = Publisher::new(&settings.bus, &metrics)?;
    let direct = database::options(&reached.direct_url, NOTIFICATION.app_id);
    let relay = relay::Settings::new(*database.schema(), direct);
    let answered = tasks.answered().clone();
    let relayed = relay::run(relay, publisher, bell.clone(), metrics.clone(), answered);
    tasks.spawn_infallible("outbox-relay", relayed);

    let claims = Claims {
        database: database.clone(),
        bell,
        telling: telling.clone(),
    };
    let callbacks = match (&settings.bus, changes) {
        (BusSettings::Sidecar(sidecar), Some((scheduler, changes))) => {
            tasks.spawn_infallible("jobs", scheduler.follow(changes, telling.clone(), stop.clone()));
            jobs::routes(claims.clone(), sidecar, &metrics)
        }
        _ => Router::new(),
    };
    let sweeping = sweeper::sweep(claims, pace(settings.sweep, &settings.bus), stop.clone());
    tasks.spawn_infallible("sweeper", sweeping);
    let courier = Courier {
        database: database.clone(),
        providers: providers.clone(),
        telling: telling.clone(),
        application: settings.public_url.clone(),
    };
    tasks.spawn_infallible("courier", courier.run(stop.clone()));

    let consumer = Arc::new(Consumer {
        database: database.clone(),
        health: health.clone(),
        telling: telling.clone(),
    });
    let options = consume_options(&common);
    let subscribed = subscribe(&NOTIFICATION, settings.bus, options, consumer, &metrics, stop.clone())?;
    tasks.spawn("consumer", subscribed.running);

    let tokens = TokenChecker::new(settings.tokens, None, &health, &metrics);
    keep_keys_fresh(&tokens, &tasks);
    let per_second = common.limits.user_requests_per_second;
    let rate = UserRate::new(
        per_second.ok_or("the catalogue has no rate for notification")?,
        &metrics,
    );
    let app = App {
        database,
        providers,
        telling,
        application: settings.public_url.clone(),
    };
    Ok(Routes {
        public: http::public(app, &tokens, &rate),
        pages: settings.public_url,
        internal: subscribed.routes.merge(callbacks),
        connections: ConnectionLimits {
            internal: jobs::CONNECTIONS,
            ..ConnectionLimits::default()
        },
    })
}

/// Where there are jobs, they come first.
const fn pace(period: Duration, bus: &BusSettings) -> Pace {
    Pace {
        period,
        head_start: match bus {
            BusSettings::Sidecar(_) => HEAD_START,
            BusSettings::Direct(_) => Duration::ZERO,
        },
    }
}

fn keep_keys_fresh(tokens: &TokenChecker, tasks: &Tasks) {
    let (tokens, stop) = (tokens.clone(), tasks.stop().clone());
    tasks.spawn_infallible("token-keys", async move { tokens.keep_keys_fresh(stop).await });
}

/// Some connections are left to the sweeper, the courier and requests. Leaving the group comes after the drain, inside
/// the time that the process has to stop.
fn consume_options(common: &ServiceSettings) -> ConsumeOptions {
    let connections = common.database.as_ref().map_or(1, |database| database.max_connections);
    let replica = common.process.pod_name.as_deref().unwrap_or(NOTIFICATION.app_id);
    ConsumeOptions {
        concurrency: connections.saturating_sub(3).max(1) as usize,
        drain: common.process.drain / 2,
        ..ConsumeOptions::new(replica)
    }
}
