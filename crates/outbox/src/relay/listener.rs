//! The connection that listens: it hears the rings of other replicas, passes on our own, and counts what waits.

use std::time::Duration;

use catalogue::{
    Schema,
    metrics::{OUTBOX_OLDEST_UNPUBLISHED_AGE_SECONDS, OUTBOX_UNPUBLISHED_ROWS},
};
use metrics::{Gauge, Metrics};
use sqlx::{
    AssertSqlSafe, Executor as _, PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::time::{Instant, sleep_until, timeout};

use crate::bell::Bell;

/// Longest wait for the server, for each question.
const DEADLINE: Duration = Duration::from_secs(35);

/// Shortest time between two looks at what waits.
const COUNT_INTERVAL: Duration = Duration::from_secs(5);

/// How much of one connection counting may take: one part in this many. A million rows of 1 KiB take a third of a
/// second to count, and are then counted every ten seconds.
const COUNT_SHARE: u32 = 30;

/// A lost notification costs one poll interval, so none is worth a wait for the disk.
const SETTINGS: &str = "
    set synchronous_commit = off; set max_parallel_workers_per_gather = 0; set jit = off;
    set statement_timeout = '30s'; set idle_session_timeout = 0;
    set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 4;
";

/// Listens until the connection is lost. Cancel it to stop.
pub(super) async fn listen(
    options: &PgConnectOptions,
    schema: Schema,
    bell: &Bell,
    backlog: &mut Backlog,
    connected: impl FnOnce(),
) -> sqlx::Result<()> {
    let pool = pool_of_one(
        options
            .clone()
            .application_name(&format!("{} outbox listener", schema.owner)),
    );
    let mut listener = within(PgListener::connect_with(&pool)).await?;
    listener.eager_reconnect(false);
    let channel = channel(schema);
    within(listener.listen(&channel)).await?;
    let own_pid: i32 = within(sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut listener)).await?;
    // Rings that were passed on before we listened are gone.
    bell.ring_here();
    connected();
    loop {
        tokio::select! {
            heard = listener.try_recv() => {
                let Some(notification) = heard? else {
                    return Err(sqlx::Error::Io(std::io::ErrorKind::ConnectionAborted.into()));
                };
                if notification.process_id() != own_pid.cast_unsigned() {
                    bell.ring_here();
                }
            }
            () = bell.heard_for_others() => {
                let notify = sqlx::query("select pg_notify($1, '')").bind(&channel);
                within(notify.execute(&mut listener)).await?;
            }
            () = sleep_until(backlog.next_look) => backlog.look(&mut listener, schema).await?,
        }
    }
}

/// The channel of a schema.
fn channel(schema: Schema) -> String {
    format!("{}_outbox", schema.name)
}

/// What a listener connects by; it never reconnects through it.
fn pool_of_one(options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute(SETTINGS).await?;
                Ok(())
            })
        })
        .connect_lazy_with(options)
}

/// What waits in the outbox, as metrics.
pub(super) struct Backlog {
    rows: Gauge,
    oldest_age_seconds: Gauge,
    /// When the oldest row was written, as far as known.
    oldest: Option<Instant>,
    next_look: Instant,
}

impl Backlog {
    pub(super) fn new(metrics: &Metrics) -> Self {
        Self {
            rows: metrics.gauge(&OUTBOX_UNPUBLISHED_ROWS, &[]),
            oldest_age_seconds: metrics.gauge(&OUTBOX_OLDEST_UNPUBLISHED_AGE_SECONDS, &[]),
            oldest: None,
            next_look: Instant::now(),
        }
    }

    /// What waited at the last look gets older while the database cannot be asked.
    pub(super) fn grow_older(&self) {
        let age = self.oldest.map_or(Duration::ZERO, |oldest| oldest.elapsed());
        self.oldest_age_seconds.set(age.as_secs_f64());
    }

    async fn look(&mut self, listener: &mut PgListener, schema: Schema) -> sqlx::Result<()> {
        let began = Instant::now();
        let count = format!(
            "select count(*)::float8, coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8
             from {}.outbox",
            schema.name
        );
        let count = sqlx::query_as(AssertSqlSafe(count));
        let (rows, age_seconds): (f64, f64) = within(count.fetch_one(listener)).await?;
        let now = Instant::now();
        self.oldest = now
            .checked_sub(Duration::try_from_secs_f64(age_seconds).unwrap_or_default())
            .filter(|_| rows > 0.0);
        self.rows.set(rows);
        self.grow_older();
        self.next_look = now + COUNT_INTERVAL.max(began.elapsed() * COUNT_SHARE);
        Ok(())
    }
}

/// Waits for an answer, within the deadline.
async fn within<T>(question: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    let answer = timeout(DEADLINE, question).await;
    answer.unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())))
}
