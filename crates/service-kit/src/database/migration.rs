//! Bringing the schema to what this release needs.

use std::time::Duration;

use catalogue::Schema;
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, PgConnection,
    migrate::{MigrateError, Migrator},
    postgres::PgConnectOptions,
};
use tokio::time::{Instant, sleep, timeout_at};

use super::options;
use crate::{config::DatabaseSettings, telemetry::chain};

/// Time that a migration waits for a lock on a table. Whoever waits for one makes all others wait behind it, so it
/// gives up soon and begins again.
const LOCK_TIMEOUT: &str = "3s";
/// Time between two attempts.
const PAUSE: Duration = Duration::from_secs(1);

/// Why the schema could not be migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The database was away, or held by another replica or a long transaction, until the deadline.
    #[error("could not migrate schema `{schema}` in time")]
    Late {
        /// Name of the schema.
        schema: &'static str,
        /// The last failure before the deadline; `None` when another replica was at work all the time.
        #[source]
        last: Option<MigrateError>,
    },
    /// A migration is wrong, or was changed after it had been applied.
    #[error("could not migrate schema `{schema}`")]
    Failed {
        /// Name of the schema.
        schema: &'static str,
        /// What is wrong.
        #[source]
        source: MigrateError,
    },
}

/// Applies the migrations that are missing, over the direct address, and makes the schema first where it is not there.
///
/// Any number of replicas may do so at once: one is at work, the others wait and find nothing to do. A database that is
/// away is waited for. Migrations of a newer release are left alone, so that an older one can come back.
///
/// A migration is one transaction, which gives up and is tried again when it does not get a lock in 3 seconds. One that
/// begins with `-- no-transaction`, for `create index concurrently if not exists`, waits for as long as it takes; the
/// unfinished index that an interrupted one leaves is removed before the next attempt.
///
/// # Errors
/// When a migration fails, or not all are applied at the deadline.
pub async fn migrate(
    settings: &DatabaseSettings,
    migrator: &Migrator,
    deadline: Instant,
) -> Result<(), MigrationError> {
    let schema = settings.schema;
    // A server that goes on after its client has gone would finish what nobody notes.
    let check = [("client_connection_check_interval", "1s")];
    let connect = options(&settings.direct_url, schema.owner).options(check);
    let migrator = own_table(migrator, &schema);
    let mut last = None;
    loop {
        match timeout_at(deadline, attempt(&connect, &migrator, &schema)).await {
            Ok(Ok(Attempt::Done)) => return Ok(()),
            Ok(Ok(Attempt::OthersAtWork)) => tracing::debug!(schema = schema.name, "another replica migrates"),
            Ok(Err(error)) if may_pass(&error) => {
                let error_chain = chain(&error);
                tracing::warn!(
                    schema = schema.name,
                    error = error_chain,
                    "migrating is tried again: {error_chain}"
                );
                last = Some(error);
            }
            Ok(Err(source)) => {
                return Err(MigrationError::Failed {
                    schema: schema.name,
                    source,
                });
            }
            Err(_) => {
                return Err(MigrationError::Late {
                    schema: schema.name,
                    last,
                });
            }
        }
        sleep(PAUSE).await;
    }
}

/// The newest version that the schema has, or `None` when it was never migrated.
pub(super) async fn applied_version(connection: &mut PgConnection, schema: &Schema) -> sqlx::Result<Option<i64>> {
    let table = table(schema);
    let there: bool = sqlx::query_scalar("select to_regclass($1) is not null")
        .bind(&table)
        .fetch_one(&mut *connection)
        .await?;
    if !there {
        return Ok(None);
    }
    let newest = AssertSqlSafe(format!("select max(version) from {table} where success"));
    sqlx::query_scalar(newest).fetch_one(connection).await
}

enum Attempt {
    Done,
    OthersAtWork,
}

async fn attempt(connect: &PgConnectOptions, migrator: &Migrator, schema: &Schema) -> Result<Attempt, MigrateError> {
    let mut connection = PgConnection::connect_with(connect).await?;
    // Not a waiting lock: a waiting statement holds a snapshot, and `create index concurrently` of the replica at work
    // would wait for it in turn.
    let lock = "select pg_try_advisory_lock(hashtextextended($1, 0))";
    let key = format!("taskflow.migrate.{}", schema.name);
    let alone: bool = sqlx::query_scalar(lock).bind(key).fetch_one(&mut connection).await?;
    if !alone {
        connection.close().await?;
        return Ok(Attempt::OthersAtWork);
    }
    // `create schema if not exists` asks for the right to create one even where it is there.
    let exists = "select to_regnamespace($1) is not null";
    let exists: bool = sqlx::query_scalar(exists)
        .bind(schema.name)
        .fetch_one(&mut connection)
        .await?;
    if !exists {
        connection
            .execute(AssertSqlSafe(format!("create schema {}", schema.name)))
            .await?;
        tracing::info!(schema = schema.name, "made schema {}", schema.name);
    }
    let before = applied_version(&mut connection, schema).await?;
    drop_unfinished_indexes(&mut connection, schema).await?;
    for migration in migrator.iter() {
        // Building an index concurrently waits for every older transaction, and makes nobody wait.
        let patience = if migration.no_tx { "0" } else { LOCK_TIMEOUT };
        connection
            .execute(AssertSqlSafe(format!("set lock_timeout = '{patience}'")))
            .await?;
        migrator
            .run_direct(Some(migration.version), &mut connection, false)
            .await?;
    }
    let after = applied_version(&mut connection, schema).await?;
    tracing::info!(
        schema = schema.name,
        before,
        after,
        "schema {} is migrated",
        schema.name
    );
    // The end of the session gives the lock back.
    connection.close().await?;
    Ok(Attempt::Done)
}

/// What is left of an index whose concurrent building was cut short: it answers no query, and its name is in the way of
/// the next attempt.
async fn drop_unfinished_indexes(connection: &mut PgConnection, schema: &Schema) -> Result<(), MigrateError> {
    let unfinished = "select format('%I.%I', nspname, relname) from pg_index
                      join pg_class on pg_class.oid = indexrelid join pg_namespace on pg_namespace.oid = relnamespace
                      where not indisvalid and relkind = 'i' and nspname = $1";
    let indexes: Vec<String> = sqlx::query_scalar(unfinished)
        .bind(schema.name)
        .fetch_all(&mut *connection)
        .await?;
    for index in indexes {
        tracing::warn!(index, "dropping the unfinished index {index}");
        connection
            .execute(AssertSqlSafe(format!("drop index concurrently {index}")))
            .await?;
    }
    Ok(())
}

/// The same migrations, noted in the schema's own table, without the lock that all schemas of a database would share.
fn own_table(migrator: &Migrator, schema: &Schema) -> Migrator {
    let mut own = Migrator::with_migrations(migrator.iter().cloned().collect());
    own.dangerous_set_table_name(table(schema));
    own.set_ignore_missing(true);
    own.set_locking(false);
    own
}

fn table(schema: &Schema) -> String {
    format!("{}._sqlx_migrations", schema.name)
}

/// Whether the same attempt may succeed later.
fn may_pass(error: &MigrateError) -> bool {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => super::is_unavailable(error),
        _ => false,
    }
}
