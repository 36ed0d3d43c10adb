//! Holds a database with the migrations of the services whose folders are the arguments.
//!
//! Prints its address as `DATABASE_URL=…`, then an empty line, and drops it when its standard input ends. It reads the
//! migrations from the folders instead of from the services, which compile only once such a database has been seen.

use std::{env, io, path::Path};

use test_kit::{Database, database};

#[tokio::main]
async fn main() {
    let mut migrators = Vec::new();
    for service in env::args().skip(1) {
        migrators.push(database::migrator(Path::new(&service)).await);
    }
    let database = Database::migrated(&migrators.iter().collect::<Vec<_>>()).await;
    println!("DATABASE_URL={}\n", database.url());
    let input_ends = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink()));
    input_ends
        .await
        .expect("reading does not panic")
        .expect("standard input can be read");
}
