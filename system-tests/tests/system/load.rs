//! A thousand completions in a row, and replicas that come and go while requests do not stop.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use catalogue::services::CHAT_API;
use futures::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{Facts, Ledger, Person, World, invariants, person::Ask, world::PATIENCE};
use test_kit::wait_until;
use tokio_util::sync::CancellationToken;

/// As many as the brief's loop has.
const TASKS: usize = 1000;
/// Operations in one batch, at most.
const BATCH: usize = 100;
/// Requests under way at once.
const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_completions_have_a_thousand_successors() {
    let world = World::start().await;
    let ada = world.person("ada");
    let ids = create_recurring(&ada).await;
    let begun = Instant::now();
    stream::iter(&ids)
        .for_each_concurrent(AT_ONCE, async |id| {
            ada.act(&format!("/tasks/{id}/complete")).await.expect(200);
        })
        .await;
    let completed = begun.elapsed();
    world.drained().await;
    println!(
        "{TASKS} completions in {completed:?}, {} of them asked for again; all successors and all of the record after {:?}",
        world.trouble.total(),
        begun.elapsed()
    );

    let facts = Facts::gather(&world).await;
    let predecessors: BTreeSet<i64> = facts.successors.iter().map(|(before, _)| *before).collect();
    assert_eq!(
        (facts.successors.len(), predecessors),
        (TASKS, ids.into_iter().collect())
    );
    assert_eq!((facts.tasks.len(), facts.trail.len()), (2 * TASKS, 3 * TASKS));
    assert_eq!(facts.dead_letters, 0);
    let broken = invariants::broken(&facts, &Ledger::default());
    let broken: Vec<_> = broken.iter().filter(|it| !it.starts_with("nobody knows of")).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The numbers of new tasks that come back every day.
async fn create_recurring(person: &Person) -> Vec<i64> {
    let create = json!({"create": {
        "title": "Every day",
        "due": {"kind": "zoned", "local": "2031-01-01T09:00:00", "zone": "Europe/Berlin"},
        "recurrence": {"rule": "FREQ=DAILY"},
    }});
    let batch = json!({"atomic": true, "operations": vec![create; BATCH]});
    let mut ids = Vec::new();
    while ids.len() < TASKS {
        let answer = person.post("/tasks/batch", batch.clone()).await;
        let results = answer.expect(200)["results"].as_array().expect("there are results");
        ids.extend(results.iter().map(number));
    }
    ids
}

fn number(result: &Value) -> i64 {
    let id = result["task"]["id"].as_i64().or_else(|| result["body"]["id"].as_i64());
    id.unwrap_or_else(|| panic!("no task: {result}"))
}

/// As in a rolling update: a replica joins, another is told to go, and nobody notices.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_joins_and_another_goes_without_a_failed_request() {
    let mut world = World::start().await;
    let first = world.person("ada");
    let door = Door::new(&first);
    let visitors = (0..4).map(|number| tokio::spawn(Arc::clone(&door).visits(number)));
    let visitors: Vec<_> = visitors.collect();
    door.lets_in(200).await;

    let second = world.core.another(&CHAT_API, &[]).await;
    second.becomes_ready().await;
    let at_second = first.at(second.public);
    door.opens(&[first.clone(), at_second.clone()]);
    door.lets_in(200).await;

    // A balancer stops sending to a replica once it says that it is not ready.
    let (leaving, watch) = (&mut world.core.chat_api, first.clone());
    leaving.process.terminate();
    wait_until("the replica that goes says so", PATIENCE, async || {
        match watch.once(&Ask::new(Method::GET, "/ready")).await {
            Ok(answer) if answer.status == 503 => Ok(()),
            answer => Err(format!("{answer:?}")),
        }
    })
    .await;
    door.opens(&[at_second]); // what is under way still comes to the other
    let status = leaving.process.exit(Duration::from_secs(30)).await;
    assert_eq!(status.code(), Some(0));
    door.lets_in(200).await;

    let failed = door.closes();
    let mut accepted = 0;
    for visitor in visitors {
        accepted += visitor.await.expect("a visitor does not panic");
    }
    assert_eq!(failed, Vec::<String>::new());
    println!("{accepted} requests, none failed, {} shed", door.shed.load(Relaxed));
    world.drained().await;
    let facts = Facts::gather(&world).await;
    assert_eq!((facts.tasks.len(), facts.trail.len()), (accepted, accepted));
}

/// What stands in front of replicas: each request goes to one of those that are open.
struct Door {
    open: Mutex<Vec<Person>>,
    accepted: AtomicUsize,
    /// Requests that a replica in good health refused, because the machine is slow: that is not a failure.
    shed: AtomicUsize,
    failed: Mutex<Vec<String>>,
    stop: CancellationToken,
}

impl Door {
    fn new(first: &Person) -> Arc<Self> {
        Arc::new(Self {
            open: Mutex::new(vec![first.clone()]),
            accepted: AtomicUsize::new(0),
            shed: AtomicUsize::new(0),
            failed: Mutex::default(),
            stop: CancellationToken::new(),
        })
    }

    fn opens(&self, replicas: &[Person]) {
        *self.open.lock().expect("nobody panics with it") = replicas.to_vec();
    }

    /// Waits until so many more requests were accepted.
    async fn lets_in(&self, more: usize) {
        let goal = self.accepted.load(Relaxed) + more;
        wait_until("requests are accepted", PATIENCE, async || {
            match self.accepted.load(Relaxed) {
                now if now >= goal => Ok(()),
                now => Err(format!("{now} of {goal}")),
            }
        })
        .await;
    }

    /// Tells the visitors to go; given back is what went wrong.
    fn closes(&self) -> Vec<String> {
        self.stop.cancel();
        self.failed.lock().expect("nobody panics with it").clone()
    }

    /// Asks without pause, each request once; says how many were accepted.
    async fn visits(self: Arc<Self>, visitor: usize) -> usize {
        let mut accepted = 0;
        for turn in visitor.. {
            if self.stop.is_cancelled() {
                break;
            }
            let person = {
                let open = self.open.lock().expect("nobody panics with it");
                open[turn % open.len()].clone()
            };
            let create = Ask::new(Method::POST, "/tasks").body(json!({"title": "one more"}));
            match person.once(&create).await {
                Ok(answer) if answer.status == 201 => {
                    accepted += 1;
                    self.accepted.fetch_add(1, Relaxed);
                }
                Ok(answer) if answer.status == 503 && !answer.header("retry-after").is_empty() => {
                    self.shed.fetch_add(1, Relaxed);
                }
                other => self
                    .failed
                    .lock()
                    .expect("nobody panics with it")
                    .push(format!("{other:?}")),
            }
        }
        accepted
    }
}
