//! How the service is put together.

use std::sync::Arc;

use catalogue::{app_ids, services::RECURRING_TASKS};
use event_bus::{ConsumeOptions, subscribe};
use service_kit::{cli::Foundation, health::NeededFor, server::Routes, shutdown::BoxError};

use crate::{
    chat_api::{self, ChatApi},
    consumer::Successors,
    inbox,
    settings::Settings,
};

/// Starts the tasks of the service. Its only routes are those that a sidecar delivers to.
///
/// # Errors
/// When a client cannot be made.
///
/// # Panics
/// Without a database: a bug.
pub async fn build(settings: Settings, foundation: Foundation) -> Result<Routes, BoxError> {
    let Foundation {
        settings: common,
        metrics,
        health,
        tasks,
        database,
    } = foundation;
    let database = database.expect("the service owns a schema");
    let chat_api = Arc::new(ChatApi::new(settings.chat_api, settings.signer)?);
    let stop = tasks.stop().clone();

    let reachable = health.check(app_ids::CHAT_API, NeededFor::Events);
    let watch = chat_api::watch(Arc::clone(&chat_api), reachable, stop.clone());
    tasks.spawn_infallible("chat-api-watch", watch);
    tasks.spawn_infallible("inbox-pruning", inbox::prune_regularly(database.clone(), stop.clone()));

    // Each delivery holds a connection while it calls; one is left for everything else.
    let concurrency = common
        .database
        .map_or(1, |it| it.max_connections.saturating_sub(1).max(1));
    let options = ConsumeOptions {
        concurrency: concurrency as usize,
        // Leaving the group comes after it, inside the same time to stop.
        drain: common.process.drain / 2,
        ..ConsumeOptions::new(common.process.pod_name.unwrap_or_default())
    };
    let handler = Arc::new(Successors::new(database, chat_api, health, &metrics));
    let subscribed = subscribe(&RECURRING_TASKS, settings.bus, options, handler, &metrics, stop)?;
    tasks.spawn("consumer", subscribed.running);
    Ok(Routes {
        internal: subscribed.routes,
        ..Routes::default()
    })
}
