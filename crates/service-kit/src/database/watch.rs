//! Watching the database: reachable, migrated, how much of the pool is in use.

use std::{sync::atomic::Ordering, time::Duration};

use sqlx::migrate::Migrator;
use tokio_util::sync::CancellationToken;

use super::{Database, migration::applied_version};
use crate::health::{Check, Health, NeededFor};

/// Time between two looks while the database is there.
const INTERVAL: Duration = Duration::from_secs(1);
/// Time between two looks while it is away, or not migrated.
const IMPATIENT_INTERVAL: Duration = Duration::from_millis(200);
/// Looks in a row that must fail before a database that was there counts as away: one may only have been slow.
const PATIENCE: u32 = 2;

/// Reports to the checks `database` and `migrations` until it is told to stop. Both are needed for requests and events
/// alike.
pub fn watch(
    database: &Database,
    migrator: &Migrator,
    health: &Health,
    stop: CancellationToken,
) -> impl Future<Output = ()> + use<> {
    let wanted = migrator
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or_default();
    let watch = Watch {
        database: database.clone(),
        wanted,
        reachable: health.check("database", NeededFor::Everything),
        migrated: health.check("migrations", NeededFor::Everything),
    };
    async move {
        stop.run_until_cancelled(Box::pin(watch.run())).await;
    }
}

struct Watch {
    database: Database,
    /// The newest migration that this release knows.
    wanted: i64,
    reachable: Check,
    migrated: Check,
}

impl Watch {
    async fn run(self) {
        let (mut failures, mut is_migrated) = (PATIENCE, false);
        loop {
            failures = if self.database.is_reachable().await {
                0
            } else {
                failures.saturating_add(1)
            };
            let away = failures >= PATIENCE;
            self.database.away.store(away, Ordering::Relaxed);
            if away {
                self.reachable.fails("not reachable");
            } else if failures == 0 {
                self.reachable.holds();
                // What was applied once is not taken back.
                is_migrated = is_migrated || self.is_migrated().await;
            }
            self.count_connections();
            let content = failures == 0 && is_migrated;
            tokio::time::sleep(if content { INTERVAL } else { IMPATIENT_INTERVAL }).await;
        }
    }

    async fn is_migrated(&self) -> bool {
        let applied = async {
            let mut connection = self.database.acquire().await?;
            applied_version(&mut connection, &self.database.schema).await
        };
        match applied.await {
            Ok(Some(version)) if version >= self.wanted => {
                self.migrated.holds();
                true
            }
            Ok(_) => {
                self.migrated.fails("not applied");
                false
            }
            Err(error) => {
                tracing::debug!(error = %error, "migrations cannot be read: {error}");
                self.migrated.fails("cannot be read");
                false
            }
        }
    }

    fn count_connections(&self) {
        let (open, idle) = (self.database.pool.size(), self.database.pool.num_idle());
        let idle = u32::try_from(idle).unwrap_or(u32::MAX).min(open);
        self.database.counted.idle.set(idle.into());
        self.database.counted.used.set((open - idle).into());
    }
}
