//! The own schema in PostgreSQL: a pool that survives outages, its health, its migrations.
//!
//! A service starts, and goes on, while its database is away: it is not ready, its requests are refused at once, its
//! events wait, and it recovers without a restart.
//!
//! # Through a transaction pooler
//! Statements are prepared by name, so the pooler must follow prepared statements itself (`PgBouncer` from 1.21 with
//! `max_prepared_statements`, as Neon's does). Doing without them is no way out: sqlx describes a statement and runs
//! it in two steps, which outside a transaction may meet two servers, and with its cache off it would still use names
//! and never free them (ADR 0033). What belongs to a session goes by the direct address: LISTEN, advisory locks,
//! migrations. The cache is also what makes a statement one round trip instead of two.

mod migration;
pub mod time;
mod watch;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use catalogue::{
    Schema,
    metrics::{DB_POOL_ACQUIRE_SECONDS, DB_POOL_ACQUIRE_TIMEOUTS_TOTAL, DB_POOL_CONNECTIONS, DB_POOL_MAX_CONNECTIONS},
};
use metrics::{Gauge, Histogram, IntCounter, Metrics};
use sqlx::{
    Connection as _, Postgres, Transaction,
    pool::{PoolConnection, PoolConnectionMetadata},
    postgres::{PgConnectOptions, PgPool, PgPoolOptions},
};
use tokio::time::timeout;

use crate::{
    Problem,
    config::{DatabaseSettings, Secret},
};

pub use migration::{MigrationError, migrate};
pub use watch::watch;

/// Time that a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// A connection that was idle for longer is tried before it is used: its server may have gone.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);
/// Time that a statement may take on the server where nobody says otherwise with `set local`.
const STATEMENT_TIMEOUT: &str = "15s";
/// Time that a database has to answer whether it is there.
const REACH_TIMEOUT: Duration = Duration::from_secs(1);
/// When a client should come back that met an outage.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The database of a service. Clones share the pool.
#[derive(Clone, Debug)]
pub struct Database {
    pool: PgPool,
    schema: Schema,
    /// Whether the watch has found it away. Queries are refused at once then, instead of waiting for a connection.
    away: Arc<AtomicBool>,
    counted: Counted,
}

#[derive(Clone, Debug)]
struct Counted {
    acquire_seconds: Histogram,
    acquire_timeouts: IntCounter,
    idle: Gauge,
    used: Gauge,
}

/// Prepares a pool; connections are opened when they are needed.
///
/// # Panics
/// Outside a tokio runtime, or when the service exports no metrics of a pool: a bug.
#[must_use]
pub fn connect(settings: &DatabaseSettings, metrics: &Metrics) -> Database {
    let pool = PgPoolOptions::new()
        .max_connections(settings.max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // In place of a round trip before each use.
        .test_before_acquire(false)
        .before_acquire(|connection, metadata: PoolConnectionMetadata| {
            Box::pin(async move {
                if metadata.idle_for > TRUSTED_IDLE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(pool_options(settings, metrics.app_id()));
    metrics
        .gauge(&DB_POOL_MAX_CONNECTIONS, &[])
        .set(settings.max_connections.into());
    Database {
        pool,
        schema: settings.schema,
        away: Arc::default(),
        counted: Counted {
            acquire_seconds: metrics.histogram(&DB_POOL_ACQUIRE_SECONDS, &[]),
            acquire_timeouts: metrics.counter(&DB_POOL_ACQUIRE_TIMEOUTS_TOTAL, &[]),
            idle: metrics.gauge(&DB_POOL_CONNECTIONS, &["idle"]),
            used: metrics.gauge(&DB_POOL_CONNECTIONS, &["used"]),
        },
    }
}

impl Database {
    /// A connection of the pool.
    ///
    /// # Errors
    /// When the database is away or none becomes free in time; [`is_unavailable`] holds then.
    pub async fn acquire(&self) -> sqlx::Result<PoolConnection<Postgres>> {
        self.counted(self.pool.acquire()).await
    }

    /// A transaction on a connection of the pool; dropped without a commit, it is rolled back.
    ///
    /// # Errors
    /// When the database is away or no connection becomes free in time; [`is_unavailable`] holds then.
    pub async fn begin(&self) -> sqlx::Result<Transaction<'static, Postgres>> {
        self.counted(self.pool.begin()).await
    }

    /// The schema that the service owns.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Whether the database answers within a second. A full pool does not make it unreachable: a connection beside the
    /// pool is tried then.
    pub async fn is_reachable(&self) -> bool {
        let through_pool = async { self.pool.acquire().await?.ping().await };
        match timeout(REACH_TIMEOUT, through_pool).await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) if !is_busy(&error) => return answers(&error),
            Ok(Err(_)) | Err(_) => {}
        }
        let options = self.pool.connect_options();
        let beside = Box::pin(async { sqlx::PgConnection::connect_with(&options).await?.close().await });
        match timeout(REACH_TIMEOUT, beside).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => answers(&error),
            Err(_) => false,
        }
    }

    /// Closes the pool once the connections in use are given back.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn counted<T>(&self, acquire: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
        if self.away.load(Ordering::Relaxed) {
            return Err(sqlx::Error::Io(std::io::ErrorKind::NotConnected.into()));
        }
        let begun = Instant::now();
        let acquired = acquire.await;
        self.counted.acquire_seconds.observe(begun.elapsed().as_secs_f64());
        if matches!(acquired, Err(sqlx::Error::PoolTimedOut)) {
            self.counted.acquire_timeouts.inc();
        }
        acquired
    }
}

/// Whether an error tells of an outage or overload of the database, and the same may succeed later; else it is a bug,
/// or a conflict that the caller knows by name.
#[must_use]
pub fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed
        // What was cut off in the middle of a handshake looks like another protocol.
        | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // Connection lost, resources used up, operator intervention (restart, cancelled by timeout); a standby
            // that has not taken over; a lock not given; a deadlock or a failed serialisation.
            ["08", "53", "57"].iter().any(|class| code.starts_with(class))
                || ["25006", "55P03", "40P01", "40001"].contains(&code.as_ref())
        }),
        _ => false,
    }
}

/// What a client gets for an error of the database that means nothing else: 503 with Retry-After when it is
/// [unavailable](is_unavailable), else 500.
#[must_use]
pub fn problem(error: sqlx::Error) -> Problem {
    if is_unavailable(&error) {
        Problem::unavailable(error, RETRY_AFTER)
    } else {
        Problem::internal(error)
    }
}

/// Whether the pool had no connection to give, which says nothing of the database.
fn is_busy(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::PoolTimedOut)
}

/// Whether the error came from a server that works: one that is starting or stopping does not.
fn answers(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.code().is_some_and(|code| !code.starts_with("57P")))
}

fn pool_options(settings: &DatabaseSettings, app_id: &str) -> PgConnectOptions {
    let options = options(&settings.url, app_id);
    if settings.pooled {
        // A pooler refuses, or leaks to others, what is set at the start of a session.
        return options.extra_float_digits(None);
    }
    options.options([("statement_timeout", STATEMENT_TIMEOUT)])
}

/// How to connect to an address of the settings.
///
/// # Panics
/// When it does not parse: settings hold only addresses that do.
#[must_use]
pub fn options(url: &Secret, app_id: &str) -> PgConnectOptions {
    let options: PgConnectOptions = url.expose().parse().expect("settings hold addresses that parse");
    options.application_name(app_id)
}
