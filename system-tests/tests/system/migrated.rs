//! A database with the migrations of every service, and the files that they are read from.

use std::{
    fs,
    path::{Path, PathBuf},
};

use catalogue::{Catalogue, Schema};
use sqlx::PgConnection;
use test_kit::{Database, database};

/// Root of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of the checkout.
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The schemas that have migrations, with the folder of their owner.
pub(crate) fn schemas() -> Vec<(Schema, PathBuf)> {
    let all = Catalogue::taskflow().schemas.into_iter();
    let with_folder = all.map(|schema| (schema, root().join("services").join(schema.owner)));
    with_folder
        .filter(|(_, folder)| folder.join("migrations").is_dir())
        .collect()
}

/// A database as a cluster has it after the migrations of this release.
pub(crate) async fn database() -> Database {
    let mut migrators = Vec::new();
    for (_, folder) in schemas() {
        migrators.push(database::migrator(&folder).await);
    }
    Database::migrated(&migrators.iter().collect::<Vec<_>>()).await
}

/// A connection to it that no pool keeps.
pub(crate) async fn connection(database: &Database) -> PgConnection {
    let connection = database.pool().await.acquire().await;
    connection.expect("it takes connections").detach()
}
