//! What audit consists of, put together.

use std::sync::Arc;

use catalogue::services::AUDIT;
use event_bus::{ConsumeOptions, subscribe};
use service_kit::{
    auth::TokenChecker,
    cli::Foundation,
    config::ServiceSettings,
    limits::UserRate,
    server::Routes,
    shutdown::{BoxError, Tasks},
};

use crate::{
    consumer::Recorder,
    days,
    http::{self, App},
    settings::Settings,
    verify,
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
    let database = database.ok_or("the catalogue gives audit no schema")?;
    let stop = tasks.stop();

    let options = consume_options(&common);
    let recorder = Arc::new(Recorder::new(&database, settings.retention, &health, &metrics));
    let subscribed = subscribe(&AUDIT, settings.bus, options, recorder, &metrics, stop.clone())?;
    tasks.spawn("consumer", subscribed.running);
    tasks.spawn_infallible(
        "days",
        days::keep(database.clone(), settings.retention, metrics.clone(), stop.clone()),
    );
    tasks.spawn_infallible(
        "verification",
        verify::keep_verifying(database.clone(), metrics.clone(), stop.clone()),
    );

    let tokens = TokenChecker::new(settings.tokens, None, &health, &metrics);
    keep_keys_fresh(&tokens, &tasks);
    let per_second = common.limits.user_requests_per_second;
    let rate = UserRate::new(per_second.ok_or("the catalogue has no rate for audit")?, &metrics);
    let app = App {
        database,
        stop: stop.clone(),
    };
    Ok(Routes {
        public: http::public(app, &tokens, &rate),
        internal: subscribed.routes,
        ..Routes::default()
    })
}

fn keep_keys_fresh(tokens: &TokenChecker, tasks: &Tasks) {
    let (tokens, stop) = (tokens.clone(), tasks.stop().clone());
    tasks.spawn_infallible("token-keys", async move { tokens.keep_keys_fresh(stop).await });
}

/// One connection is left to requests, days and verification. Leaving the group comes after the drain, inside the time
/// that the process has to stop.
fn consume_options(common: &ServiceSettings) -> ConsumeOptions {
    let connections = common.database.as_ref().map_or(1, |database| database.max_connections);
    let replica = common.process.pod_name.as_deref().unwrap_or(AUDIT.app_id);
    ConsumeOptions {
        concurrency: connections.saturating_sub(1).max(1) as usize,
        drain: common.process.drain / 2,
        ..ConsumeOptions::new(replica)
    }
}
