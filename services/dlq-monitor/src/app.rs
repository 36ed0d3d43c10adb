//! What dlq-monitor consists of, put together.

use catalogue::services::DLQ_MONITOR;
use event_bus::{ConsumeOptions, Publisher, subscribe_to_records};
use outbox::{Bell, relay};
use service_kit::{
    auth::TokenChecker,
    cli::Foundation,
    config::ServiceSettings,
    database,
    limits::UserRate,
    server::Routes,
    shutdown::{BoxError, Tasks},
};

use crate::{
    gauges,
    http::{self, App},
    keeper::Keeper,
    replayer::Replayer,
    retention,
    settings::Settings,
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
        return Err("the catalogue gives dlq-monitor no schema".into());
    };
    let stop = tasks.stop().clone();
    let telling = Telling::new(&metrics);
    let bell = Bell::new();

    let publisher = Publisher::new(&settings.bus, &metrics)?;
    let direct = database::options(&reached.direct_url, DLQ_MONITOR.app_id);
    let relay = relay::Settings::new(*database.schema(), direct);
    let relayed = relay::run(relay, publisher, bell.clone(), metrics.clone(), stop.clone());
    tasks.spawn_infallible("outbox-relay", relayed);

    let keeper = Keeper {
        database: database.clone(),
        health: health.clone(),
        telling: telling.clone(),
    };
    let options = consume_options(&common);
    let subscribed = subscribe_to_records(&DLQ_MONITOR, settings.bus, options, keeper, &metrics, stop.clone())?;
    tasks.spawn("consumer", subscribed.running);

    let replayer = Replayer {
        database: database.clone(),
        bell,
        telling: telling.clone(),
    };
    tasks.spawn_infallible("replayer", replayer.run(stop.clone()));
    let counted = gauges::keep(database.clone(), metrics.clone(), telling.clone(), stop.clone());
    tasks.spawn_infallible("gauges", counted);
    tasks.spawn_infallible("retention", retention::keep(database.clone(), stop));

    let tokens = TokenChecker::new(settings.tokens, None, &health, &metrics);
    keep_keys_fresh(&tokens, &tasks);
    let per_second = common.limits.user_requests_per_second;
    let rate = UserRate::new(per_second.ok_or("the catalogue has no rate for dlq-monitor")?, &metrics);
    Ok(Routes {
        public: http::public(App { database, telling }, &tokens, &rate),
        internal: subscribed.routes,
        ..Routes::default()
    })
}

fn keep_keys_fresh(tokens: &TokenChecker, tasks: &Tasks) {
    let (tokens, stop) = (tokens.clone(), tasks.stop().clone());
    tasks.spawn_infallible("token-keys", async move { tokens.keep_keys_fresh(stop).await });
}

/// Some connections are left to replays, counts and requests. Leaving the group comes after the drain, inside the time
/// that the process has to stop.
fn consume_options(common: &ServiceSettings) -> ConsumeOptions {
    let connections = common.database.as_ref().map_or(1, |database| database.max_connections);
    let replica = common.process.pod_name.as_deref().unwrap_or(DLQ_MONITOR.app_id);
    ConsumeOptions {
        concurrency: connections.saturating_sub(3).max(1) as usize,
        drain: common.process.drain / 2,
        ..ConsumeOptions::new(replica)
    }
}
