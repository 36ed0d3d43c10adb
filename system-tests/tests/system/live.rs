//! Live clients at two replicas of websocket that die at random while people work: in the end every client has what the
//! database has.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use catalogue::services::WEBSOCKET;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use sqlx::Row as _;
use system_tests::{Workload, World, world::PATIENCE};
use test_kit::{Replica, wait_until};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use self::client::{Client, Tasks};

const HOW_LONG: Duration = Duration::from_secs(20);
const PODS: [&str; 2] = ["websocket-1", "websocket-2"];
/// Clients of each person; one more than one at each replica, so that some meet the other replica after a death.
const CLIENTS: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn after_every_death_each_client_has_what_the_database_has() {
    let seed = rand::rng().random_range(0..1_000_000);
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let world = World::start().await;
    let mut replicas = Vec::new();
    for pod in PODS {
        replicas.push(start(&world, pod).await);
    }
    let addresses = Arc::new(Mutex::new(replicas.iter().map(|it| it.public).collect::<Vec<_>>()));
    let stop = CancellationToken::new();
    let people = ["person-0", "person-1", "person-2"];
    let (mut clients, mut running) = (Vec::new(), JoinSet::new());
    for (person, number) in people
        .iter()
        .flat_map(|person| (0..CLIENTS).map(move |number| (*person, number)))
    {
        let client = Client::new(world.person(person), world.issuer.token_for(person));
        clients.push((person, client.tasks(), client.counts()));
        running.spawn(client.run(Arc::clone(&addresses), seed + number, stop.clone()));
    }
    let workload = Workload::begin(&world, seed);
    workload.goes_on(50).await;
    let (end, mut deaths) = (Instant::now() + HOW_LONG, 0);
    while Instant::now() < end {
        // The moment is what is tested: there is no state to wait for.
        sleep_until(Instant::now() + Duration::from_millis(random.random_range(300..2500))).await;
        let victim = random.random_range(0..PODS.len());
        if random.random_bool(0.3) {
            replicas[victim].process.terminate();
            let status = replicas[victim].process.exit(PATIENCE).await;
            assert_eq!(status.code(), Some(0), "{:#?}", replicas[victim].process.lines());
        } else {
            replicas[victim].process.kill();
        }
        replicas[victim] = start(&world, PODS[victim]).await;
        addresses.lock().unwrap()[victim] = replicas[victim].public;
        deaths += 1;
    }
    let ledger = workload.finish().await;
    world.settle(&ledger).await;
    let mut totals = [0; 3];
    for (person, tasks, counts) in &clients {
        let expected = tasks_of(&world, person).await;
        assert!(expected.len() > 3, "{person}: {expected:?}");
        wait_until(
            &format!("a client of {person} has what the database has"),
            PATIENCE,
            async || {
                let has = tasks.lock().unwrap().clone();
                if has == expected {
                    Ok(())
                } else {
                    Err(difference(&expected, &has))
                }
            },
        )
        .await;
        for (total, count) in totals.iter_mut().zip(counts.lock().unwrap().iter()) {
            *total += count;
        }
    }
    stop.cancel();
    running.join_all().await;
    let [changes, resumed, loaded] = totals;
    println!("{deaths} deaths: {changes} changes told, {resumed} times resumed, {loaded} times loaded");
    assert!(deaths > 3 && resumed > 0 && loaded > clients.len());
    assert!(changes > 100, "{changes} changes were told");
}

async fn start(world: &World, pod: &str) -> Replica {
    let replica = world.core.another(&WEBSOCKET, &[("TASKFLOW_POD_NAME", pod)]).await;
    replica.becomes_ready().await;
    replica
}

/// What the database has: version, title and status of each task of the person.
async fn tasks_of(world: &World, person: &str) -> Tasks {
    let query = sqlx::query("select id, version, title, status::text from chat.task where user_id = $1");
    let rows = query.bind(person).fetch_all(&world.pool).await.unwrap();
    let task = |row: &sqlx::postgres::PgRow| (row.get(0), (row.get(1), row.get(2), row.get(3)));
    rows.iter().map(task).collect()
}

fn difference(expected: &Tasks, has: &Tasks) -> String {
    let ids: BTreeSet<_> = expected.keys().chain(has.keys()).collect();
    let lines = ids.into_iter().filter(|id| expected.get(id) != has.get(id));
    let lines = lines.map(|id| format!("{id}: {:?}, not {:?}", has.get(id), expected.get(id)));
    lines.collect::<Vec<_>>().join("\n")
}

/// Where the replicas are now.
type Addresses = Arc<Mutex<Vec<SocketAddr>>>;
