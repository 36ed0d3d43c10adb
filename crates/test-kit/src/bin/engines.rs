//! Holds one PostgreSQL and one Kafka for the tests of a run.
//!
//! Prints the variables that tests read, one `NAME=value` a line, then an empty line; removes the containers when its
//! standard input ends, so that they do not outlive whoever started it, however that one ends.

use std::io;

use test_kit::{EnginePair, containers, engines};

#[tokio::main]
async fn main() {
    let pair = EnginePair::start_fast().await;
    println!("{}={}", engines::POSTGRES_URL, pair.postgres.address());
    println!("{}={}\n", engines::KAFKA, pair.kafka.address());
    let input_ends = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink()));
    input_ends
        .await
        .expect("reading does not panic")
        .expect("standard input can be read");
    drop(pair);
    containers::remove_orphans().await; // those of tests that were killed
}
