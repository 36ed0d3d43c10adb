//! Where a key places its record: the Java client, librdkafka and we agree.

use std::{
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use event_bus::{murmur2, partition_for_key};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use test_kit::Topics;

use crate::{sample, support};

const KEYS: usize = 10_000;

#[test]
fn the_java_client_places_keys_as_we_do() {
    let questions: Vec<(Vec<u8>, u32)> = keys().into_iter().zip([1, 3, 12, 1000].into_iter().cycle()).collect();
    let ours: Vec<String> = questions
        .iter()
        .map(|(key, partitions)| format!("{} {}", murmur2(key), partition_for_key(key, *partitions)))
        .collect();
    let theirs = ask_java(&questions);
    assert_eq!(theirs.len(), KEYS);
    let different = ours
        .iter()
        .zip(&theirs)
        .zip(&questions)
        .find(|((ours, theirs), _)| ours != theirs);
    assert_eq!(different, None);
}

/// Half of them task ids, the others of any length and any bytes.
fn keys() -> Vec<Vec<u8>> {
    let mut random = StdRng::seed_from_u64(20_261_101);
    let edges = [1, 21, 123, (1 << 53) - 1].map(|id: u64| id.to_string().into_bytes());
    let mut keys = edges.to_vec();
    while keys.len() < KEYS / 2 {
        keys.push(random.random_range(1..1_u64 << 53).to_string().into_bytes());
    }
    while keys.len() < KEYS {
        let length = random.random_range(0..40);
        keys.push((0..length).map(|_| random.random()).collect());
    }
    keys
}

fn ask_java(questions: &[(Vec<u8>, u32)]) -> Vec<String> {
    let mut java = Command::new("java")
        .arg("-cp")
        .arg(kafka_jars().join("*"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/event_bus/Partition.java"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a JDK is installed");
    let mut lines = String::new();
    for (key, partitions) in questions {
        for byte in key {
            write!(lines, "{byte:02x}").unwrap();
        }
        writeln!(lines, " {partitions}").unwrap();
    }
    // It answers only when it has read all, so neither side waits for the other.
    java.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = java.wait_with_output().unwrap();
    assert!(output.status.success(), "java failed");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn kafka_jars() -> PathBuf {
    let variable = "TASKFLOW_KAFKA";
    let folder = std::env::var_os(variable).map(PathBuf::from);
    folder.unwrap_or_else(|| {
        panic!("{variable} is not set: `cargo xtask test` prepares the tools and sets it; for `cargo test` alone, `cargo xtask tools --env kafka` prints it")
    })
}

#[tokio::test]
async fn our_publisher_places_keys_as_we_say() {
    const PARTITIONS: i32 = 12;
    let topics = Topics::create(&[(catalogue::topics::TASK_EVENTS, PARTITIONS)]).await;
    let publisher = support::publisher(&topics);
    let events: Vec<_> = (1..=100).map(|task| sample::task_updated(task, 1)).collect();
    for result in publisher.publish(&events).await {
        result.unwrap();
    }
    for record in support::read(&topics, catalogue::topics::TASK_EVENTS, events.len()).await {
        let expected = partition_for_key(record.key.as_deref().unwrap(), PARTITIONS.unsigned_abs());
        assert_eq!(record.partition.unsigned_abs(), expected);
    }
}
