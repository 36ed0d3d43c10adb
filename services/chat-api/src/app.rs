//! What chat-api consists of, put together.

use std::time::Duration;

use catalogue::services::CHAT_API;
use event_bus::Publisher;
use metrics::Metrics;
use outbox::{Bell, relay};
use service_kit::{
    auth::{LocalIssuer, ServiceTokenChecker, TokenChecker},
    cli::Foundation,
    database::{self, Database},
    limits::UserRate,
    server::Routes,
    shutdown::BoxError,
};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{
    http::{self, accounts::Accounts},
    settings::Settings,
    store,
};

/// `iss` of the tokens of built-in accounts where nobody says how people reach the application.
const LOCAL_ISSUER: &str = "http://127.0.0.1:8000";
/// How often per second the password of one name may be tried.
const TRIES_PER_SECOND: u32 = 2;

/// What answering requests needs. Clones share everything.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) database: Database,
    /// Rung after each commit with an event.
    pub(crate) bell: Bell,
    pub(crate) metrics: Metrics,
}

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
        return Err("the catalogue gives chat-api no schema".into());
    };
    let stop = tasks.stop();

    let bell = Bell::new();
    let publisher = Publisher::new(&settings.bus, &metrics)?;
    let direct = database::options(&reached.direct_url, CHAT_API.app_id);
    let relay = relay::Settings::new(*database.schema(), direct);
    tasks.spawn_infallible(
        "outbox-relay",
        relay::run(
            relay,
            publisher,
            bell.clone(),
            metrics.clone(),
            tasks.answered().clone(),
        ),
    );
    tasks.spawn_infallible("prune-idempotency-keys", prune_keys(database.clone(), stop.clone()));

    let issuer = settings.public_url.clone().unwrap_or_else(|| LOCAL_ISSUER.to_owned());
    let signer = settings.accounts;
    let audience = settings.tokens.audience.clone();
    let own = signer.as_ref().map(|signer| LocalIssuer {
        name: issuer.clone(),
        key: signer.public_key(),
    });
    let tokens = TokenChecker::new(settings.tokens, own, &health, &metrics);
    tasks.spawn_infallible("token-keys", {
        let (tokens, stop) = (tokens.clone(), stop.clone());
        async move { tokens.keep_keys_fresh(stop).await }
    });
    let services = ServiceTokenChecker::new(settings.service_key, &metrics);
    let per_second = common.limits.user_requests_per_second;
    let rate = UserRate::new(per_second.ok_or("the catalogue has no rate for chat-api")?, &metrics);

    let app = App {
        database,
        bell,
        metrics: metrics.clone(),
    };
    let mut public = http::public(&app, &tokens, &rate);
    if let Some(signer) = signer {
        public = public.merge(http::accounts::routes(Accounts {
            app: app.clone(),
            signer,
            issuer,
            audience,
            rate: UserRate::new(TRIES_PER_SECOND, &metrics),
        }));
    }
    Ok(Routes {
        public,
        pages: settings.public_url,
        internal: http::internal(&app, &services),
        ..Routes::default()
    })
}

/// Time between two looks for answers that are older than a day.
const PRUNE_EVERY: Duration = Duration::from_mins(5);
/// Keys deleted in one statement: none holds its locks for long.
const PRUNE_BATCH: i64 = 1000;

async fn prune_keys(database: Database, stop: CancellationToken) {
    let mut ticks = interval(PRUNE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        if let Err(error) = prune(&database, &stop).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "old idempotency keys stay a while: {error}");
        }
    }
}

async fn prune(database: &Database, stop: &CancellationToken) -> sqlx::Result<()> {
    while !stop.is_cancelled() {
        let pruned = store::idempotency::prune(&mut *database.acquire().await?, PRUNE_BATCH).await?;
        if pruned < PRUNE_BATCH.unsigned_abs() {
            break;
        }
    }
    Ok(())
}
