//! The listeners of a service, from the first connection to the last answer.
//!
//! | listener | answers | open connections |
//! |---|---|---|
//! | public | the routes for people, `/health`, `/ready` | [`ConnectionLimits::public`] |
//! | internal | the routes for the own sidecar and other services, `/ready/events` | [`ConnectionLimits::internal`] |
//! | metrics | `/metrics` | [`ConnectionLimits::metrics`] |
//!
//! A listener that is full closes the connection that has been idle for longest, so that ten thousand silent clients
//! keep nobody out; where no connection is idle it answers 503 and closes. A client has
//! [`ConnectionLimits::head_timeout`] to send the head of a request, and the same time to begin the next one.
//!
//! Stopping keeps every promise that was made: `/ready` answers 503 at once and each answer closes its connection;
//! after a short while nobody new is let in; what was begun is finished; the internal listener stays until the tasks
//! of the service have ended, because their sidecar still asks whether the service lives.

mod connections;
mod correlation;
mod descriptors;
mod listener;
mod observe;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{
    Router,
    http::header,
    response::{IntoResponse as _, Response},
    routing::get,
};
use catalogue::paths;
use metrics::Metrics;
use tokio::{
    net::TcpListener,
    time::{Instant, sleep_until, timeout_at},
};
use tower_http::catch_panic::CatchPanicLayer;

use self::{listener::Serving, observe::Observer};
use crate::{
    Problem,
    config::{LimitSettings, ProcessSettings},
    health::Health,
    limits,
    problem::{method_not_allowed, route_not_found},
    shutdown::Tasks,
};

pub use correlation::{CORRELATION_ID, CorrelationId};

/// Time in which new connections are still let in after the service has begun to stop: whoever sends clients here
/// needs a moment to notice.
const LAME_DUCK: Duration = Duration::from_secs(1);

/// Connections that each listener holds open at once, fewer where the process may not have so many open files; and how
/// long they may be silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Of the public listener.
    pub public: usize,
    /// Of the internal listener.
    pub internal: usize,
    /// Of the metrics listener.
    pub metrics: usize,
    /// Time that a client has to send the head of a request, and to begin the next one on the same connection.
    pub head_timeout: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            public: 1024,
            internal: 256,
            metrics: 16,
            head_timeout: Duration::from_secs(15),
        }
    }
}

/// How many of the connections that a service wants to hold beyond their first request it may hold, by the open files
/// that the system allows. [`ConnectionLimits`] do not count those that were upgraded.
#[must_use]
pub fn upgraded_connections(wanted: usize) -> usize {
    descriptors::fit_upgraded(wanted)
}

/// What a service answers, besides what every service does.
#[derive(Debug, Default)]
pub struct Routes {
    /// For people.
    pub public: Router,
    /// Address whose pages may call the public routes from a browser; `None` where no page calls them.
    pub pages: Option<String>,
    /// For the own sidecar and other services; nobody else reaches them.
    pub internal: Router,
    /// Connections that the listeners hold.
    pub connections: ConnectionLimits,
}

/// What serving needs to know of the service.
#[derive(Clone, Debug)]
pub struct Site {
    /// Its metrics.
    pub metrics: Metrics,
    /// Its health.
    pub health: Health,
    /// Its tasks, whose token stops it.
    pub tasks: Tasks,
    /// How much it takes on.
    pub limits: LimitSettings,
}

/// Why a service cannot be reached.
#[derive(Debug, thiserror::Error)]
#[error("could not listen on {address}, port {port}, for {listener} requests")]
pub struct ListenError {
    listener: &'static str,
    address: IpAddr,
    port: u16,
    #[source]
    source: io::Error,
}

/// The listeners of a service, bound and not yet answering.
#[derive(Debug)]
pub struct Listeners {
    public: TcpListener,
    internal: Option<TcpListener>,
    metrics: TcpListener,
}

impl Listeners {
    /// Binds every listener that the service has, and logs an event `listening` with the fields `listener` (`public`,
    /// `internal`, `metrics`) and `address` for each.
    ///
    /// # Errors
    /// When an address is taken or not allowed.
    pub async fn bind(settings: &ProcessSettings) -> Result<Self, ListenError> {
        let bind = |listener, port| listener::bind(listener, settings.listen_address, port);
        Ok(Self {
            public: bind("public", settings.http_port).await?,
            internal: match settings.internal_port {
                Some(port) => Some(bind("internal", port).await?),
                None => None,
            },
            metrics: bind("metrics", settings.metrics_port).await?,
        })
    }

    /// Where people reach the service.
    ///
    /// # Panics
    /// When the system does not know where a bound socket is bound to.
    #[must_use]
    pub fn public_address(&self) -> SocketAddr {
        self.public.local_addr().expect("a bound socket has an address")
    }
}

/// Answers requests until the service is told to stop, then finishes what was begun: requests and tasks alike. Says
/// whether all of it was finished in `drain`.
pub async fn run(listeners: Listeners, routes: Routes, site: Site, drain: Duration) -> bool {
    let open = Open::start(listeners, routes, &site);
    site.tasks.stop().cancelled().await;
    open.drain(&site.tasks, drain).await
}

/// The listeners of a service that answers.
struct Open {
    public: Serving,
    internal: Option<Serving>,
    metrics: Serving,
}

impl Open {
    fn start(listeners: Listeners, routes: Routes, site: &Site) -> Self {
        let limits = descriptors::fit(routes.connections);
        let start = |listener, routes, places| Serving::start(listener, routes, places, limits.head_timeout);
        let internal = limited(routes.internal, site).merge(site.health.internal_routes());
        let public = called_from(routes.pages.as_deref(), limited(routes.public, site));
        let public = public.merge(site.health.public_routes());
        Self {
            metrics: start(listeners.metrics, metrics_routes(&site.metrics), limits.metrics),
            internal: listeners
                .internal
                .map(|listener| start(listener, observed(internal, site), limits.internal)),
            public: start(listeners.public, observed(public, site), limits.public),
        }
    }

    /// Finishes what was begun, the public requests and the tasks first. Says whether all of it was finished in time.
    async fn drain(self, tasks: &Tasks, drain: Duration) -> bool {
        let begun = Instant::now();
        let deadline = begun + drain;
        tokio::select! {
            () = sleep_until(begun + LAME_DUCK.min(drain / 4)) => {}
            () = self.public.none_open() => {}
        }
        self.public.close();
        let requests = async {
            // Slow requests leave the tasks behind them half of the time.
            let left = timeout_at(begun + drain / 2, self.public.none_open()).await.is_err();
            tasks.answered().cancel();
            if left {
                drop(timeout_at(deadline, self.public.none_open()).await);
            }
        };
        let (tasks, ()) = tokio::join!(tasks.finish(deadline), requests);
        if let Some(internal) = &self.internal {
            internal.close();
            // Who is left after the deadline is counted below.
            drop(timeout_at(deadline, internal.none_open()).await);
        }
        self.metrics.close();
        if let Err(running) = &tasks {
            tracing::error!(tasks = running.0.join(","), "tasks did not end in time: {running}");
        }
        let left = self.public.open() + self.internal.as_ref().map_or(0, Serving::open);
        if left > 0 {
            tracing::error!(connections = left, "{left} connections did not end in time");
        }
        tasks.is_ok() && left == 0
    }
}

/// The service's own routes behind the limits.
fn limited(routes: Router, site: &Site) -> Router {
    let routes = routes
        .fallback(route_not_found)
        .method_not_allowed_fallback(method_not_allowed);
    limits::protect(routes, &site.limits, &site.metrics)
}

/// The routes, for pages of this address too. Outside of the limits, so that pages can read that they were refused.
fn called_from(pages: Option<&str>, routes: Router) -> Router {
    match pages {
        Some(address) => limits::allow_origin(routes, address),
        None => routes,
    }
}

/// All routes of a listener, with what is done around every request.
fn observed(routes: Router, site: &Site) -> Router {
    let observer = Observer::new(&site.metrics, site.tasks.stop().clone());
    routes
        .layer(CatchPanicLayer::custom(|_| panicked()))
        .layer(axum::middleware::from_fn_with_state(observer, observe::observe))
}

/// The hook has logged and counted the panic.
fn panicked() -> Response {
    Problem::internal("the handler panicked").into_response()
}

fn metrics_routes(metrics: &Metrics) -> Router {
    let metrics = metrics.clone();
    let answer = async move || ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics.render());
    Router::new().route(paths::METRICS, get(answer))
}
