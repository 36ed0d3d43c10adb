//! Clients that trickle keep nobody else from chat-api, and are cut off.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde_json::json;
use system_tests::World;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{interval, timeout},
};

/// How many trickle the head of a request at once.
const HEADS: usize = 500;
/// How many trickle a body. Each holds one of the places of a replica for as long as a body may take: fewer than those.
const BODIES: usize = 50;
/// Time between two bytes: no read of the server ever waits for long.
const TRICKLE: Duration = Duration::from_millis(300);
/// More than the head of a request or its body may take together.
const LONGEST: Duration = Duration::from_mins(1);

/// Sends byte after byte of a request that has no end, until it is cut off; given back is what came.
async fn trickle(address: SocketAddr, beginning: &str) -> String {
    let stream = TcpStream::connect(address).await.expect("the listener lets us in");
    let (mut reads, mut writes) = stream.into_split();
    writes.write_all(beginning.as_bytes()).await.expect("it reads at first");
    let sends = async {
        let mut pace = interval(TRICKLE);
        while writes.write_all(b" ").await.is_ok() {
            pace.tick().await;
        }
    };
    let mut came = Vec::new();
    let ends = async {
        tokio::select! {
            () = sends => {}
            // A connection that is cut may be reset.
            read = reads.read_to_end(&mut came) => drop(read),
        }
    };
    timeout(LONGEST, ends).await.expect("it is cut off");
    String::from_utf8_lossy(&came).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_trickle_are_cut_off_and_keep_nobody_out() {
    let world = World::start().await;
    let (ada, address) = (world.person("ada"), world.core.chat_api.public);
    let token = world.issuer.token_for("mallory");
    let head = "POST /tasks HTTP/1.1\r\nhost: x\r\nx-slow:".to_owned();
    let body = format!(
        "POST /tasks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: 100000\r\n\r\n{{"
    );
    let slow = [(head, HEADS), (body, BODIES)].map(|(beginning, many)| {
        tokio::spawn(async move { join_all((0..many).map(|_| trickle(address, &beginning))).await })
    });

    let begun = Instant::now();
    let mut answered = 0;
    while !slow.iter().all(tokio::task::JoinHandle::is_finished) {
        let asked = Instant::now();
        let answer = ada.post("/tasks", json!({"title": "in between"})).await;
        answer.expect(201);
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        answered += 1;
    }
    println!(
        "{answered} requests answered in {:?} beside the slow ones",
        begun.elapsed()
    );
    assert!(answered > 20);
    let [heads, bodies] = slow;
    for came in heads.await.expect("no panic") {
        assert_eq!(came, "", "there is no request to answer");
    }
    for came in bodies.await.expect("no panic") {
        assert!(came.starts_with("HTTP/1.1 408"), "{came}");
    }
    assert_eq!(world.trouble.total(), 0, "nobody else noticed");
}
