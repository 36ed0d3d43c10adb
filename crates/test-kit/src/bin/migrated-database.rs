//! Holds a database with the migrations of the services whose folders are the arguments.
//!
//! Prints its address as `DATABASE_URL=…`, then an empty line, and drops it when its standard input ends. It reads the
//! migrations from the folders instead of from the services, which compile only once such a database has been seen.

use std::{env, io, path::Path};

use sqlx::{_unstable::config::Config, migrate::Migrator};
use test_kit::Database;

#[tokio::main]
async fn main() {
    let mut migrators = Vec::new();
    for service in env::args().skip(1) {
        migrators.push(migrator(Path::new(&service)).await);
    }
    let database = Database::migrated(&migrators.iter().collect::<Vec<_>>()).await;
    println!("DATABASE_URL={}\n", database.url());
    let input_ends = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink()));
    input_ends
        .await
        .expect("reading does not panic")
        .expect("standard input can be read");
}

/// What `sqlx::migrate!()` embeds into a service.
async fn migrator(service: &Path) -> Migrator {
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
