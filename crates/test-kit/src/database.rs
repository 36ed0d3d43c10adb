//! A PostgreSQL database per test.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::Path,
    str::FromStr as _,
};

use sqlx::{
    _unstable::config::Config,
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{elsewhere, engines, test_name};

/// A database that one test owns.
///
/// It is dropped together with this value, and kept (its name is printed) when the test fails.
pub struct Database {
    name: String,
    server: PgConnectOptions,
}

impl Database {
    /// An empty database on the server of this run.
    pub async fn empty() -> Self {
        Self::migrated(&[]).await
    }

    /// A database with these migrations, applied in this order.
    ///
    /// They run once per server and content: the result is a template that the databases of tests are copied from.
    pub async fn migrated(migrators: &[&Migrator]) -> Self {
        Self::migrated_on(&engines::postgres_url(), migrators).await
    }

    /// The same on another server: that of an [`EnginePair`](crate::EnginePair).
    pub async fn migrated_on(server_url: &str, migrators: &[&Migrator]) -> Self {
        let server = PgConnectOptions::from_str(server_url).expect("the server's address is one of PostgreSQL");
        let mut connection = connect(&server).await;
        let name = format!("test_{}", test_name::unique());
        if migrators.is_empty() {
            execute(&mut connection, format!("create database {name}")).await;
        } else {
            let template = template(&server, &mut connection, migrators).await;
            execute(&mut connection, format!("create database {name} template {template}")).await;
        }
        connection.close().await.expect("the connection can be closed");
        Self { name, server }
    }

    /// Address of the database, for a service.
    pub fn url(&self) -> String {
        self.server.clone().database(&self.name).to_url_lossy().to_string()
    }

    /// A pool of at most 16 connections.
    pub async fn pool(&self) -> PgPool {
        PgPoolOptions::new()
            .max_connections(16)
            .connect_with(self.server.clone().database(&self.name))
            .await
            .expect("the test's database takes connections")
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the database {} is kept, since the test failed", self.name);
            return;
        }
        elsewhere::block_on(async {
            let mut connection = connect(&self.server).await;
            execute(&mut connection, format!("drop database {} with (force)", self.name)).await;
        });
    }
}

/// What `sqlx::migrate!()` embeds into the service in this folder, read from its files.
pub async fn migrator(service: &Path) -> Migrator {
    let config = Config::try_from_path_or_default(service.join("sqlx.toml"))
        .unwrap_or_else(|error| panic!("{}/sqlx.toml: {error}", service.display()))
        .migrate;
    let folder = service.join(config.migrations_dir());
    let mut migrator = Migrator::new(folder.as_path())
        .await
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    migrator.table_name = config.table_name().to_owned().into();
    migrator.create_schemas = config
        .create_schemas
        .iter()
        .map(|name| name.to_string().into())
        .collect();
    migrator
}

/// The template with these migrations, made by whoever comes first.
async fn template(server: &PgConnectOptions, connection: &mut PgConnection, migrators: &[&Migrator]) -> String {
    let digest = digest(migrators);
    let name = format!("template_{digest:016x}");
    sqlx::query("select pg_advisory_lock($1)")
        .bind(digest.cast_signed())
        .execute(&mut *connection)
        .await
        .expect("the lock on the template is granted");
    let exists = sqlx::query("select from pg_database where datname = $1")
        .bind(&name)
        .fetch_optional(&mut *connection)
        .await
        .expect("the databases can be listed")
        .is_some();
    if !exists {
        // Renamed when it is whole: a run that dies in the middle leaves nothing that looks like a template.
        let unfinished = format!("{name}_unfinished");
        execute(connection, format!("drop database if exists {unfinished}")).await;
        execute(connection, format!("create database {unfinished}")).await;
        let mut inside = connect(&server.clone().database(&unfinished)).await;
        for migrator in migrators {
            // A service makes its schema before it migrates.
            if let Some((schema, _)) = migrator.table_name.split_once('.') {
                execute(&mut inside, format!("create schema if not exists {schema}")).await;
            }
            migrator.run(&mut inside).await.expect("the migrations succeed");
        }
        inside.close().await.expect("the connection can be closed");
        execute(connection, format!("alter database {unfinished} rename to {name}")).await;
    }
    name // the lock ends with the connection
}

fn digest(migrators: &[&Migrator]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for migrator in migrators {
        migrator.table_name.hash(&mut hasher);
        for migration in migrator.iter() {
            (migration.version, &migration.checksum).hash(&mut hasher);
        }
    }
    hasher.finish()
}

async fn connect(options: &PgConnectOptions) -> PgConnection {
    PgConnection::connect_with(options).await.unwrap_or_else(|error| {
        panic!(
            "the PostgreSQL server of the tests takes no connection at {}: {error}",
            options.get_host()
        )
    })
}

async fn execute(connection: &mut PgConnection, statement: String) {
    sqlx::query(AssertSqlSafe(statement.clone()))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}
