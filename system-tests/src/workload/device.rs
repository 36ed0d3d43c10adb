//! A device that is the only one to write to its tasks, so that it knows exactly how each must be.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::IteratorRandom as _};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    ledger::{Known, Ledger},
    person::{Answer, Ask, Person},
};

/// Tasks that are looked through for a next instance.
const NEXT: &str = "/tasks?status=open&sort=-created&limit=20";

/// A device and what it knows.
pub(super) struct Device {
    person: Person,
    name: String,
    random: StdRng,
    number: u64,
    pub(super) ledger: Ledger,
}

impl Device {
    pub(super) fn new(person: Person, name: String, seed: u64) -> Self {
        Self {
            person,
            name,
            random: StdRng::seed_from_u64(seed),
            number: 0,
            ledger: Ledger::default(),
        }
    }

    /// Does one thing or another.
    pub(super) async fn act(&mut self) {
        match self.random.random_range(0..100) {
            0..30 => self.create().await,
            30..50 => self.change().await,
            50..75 => self.turn("complete", |known| !known.completed).await,
            75..85 => self.turn("reopen", |known| known.completed).await,
            85..93 => self.adopt().await,
            _ => self.delete().await,
        }
    }

    async fn create(&mut self) {
        let title = self.unique("task");
        let mut body = json!({"title": title});
        if self.random.random_bool(0.6) {
            body["due"] = json!({"kind": "zoned", "local": "2031-01-31T09:00:00", "zone": "Europe/Berlin"});
            body["recurrence"] = json!({"rule": "FREQ=DAILY"});
        }
        let answer = self.keyed("/tasks", Some(body)).await;
        if answer.status == 201 {
            let known = Known::of(&answer.body);
            let id = number(&answer.body);
            if self.ledger.tasks.insert(id, known).is_some() {
                self.contradict("a number was given twice", &answer);
            }
        } else {
            self.contradict("creating", &answer);
        }
    }

    async fn change(&mut self) {
        if let Some(id) = self.choose(|known| !known.deleted) {
            self.rename(id).await;
        }
    }

    /// Gives a task another title, as it is known here.
    async fn rename(&mut self, id: i64) {
        let (known, title) = (self.ledger.tasks[&id].clone(), self.unique("renamed"));
        let ask = Ask::new(Method::PATCH, format!("/tasks/{id}"))
            .body(json!({"title": title}))
            .header("if-match", known.etag());
        let answer = self.person.ask(&ask).await;
        let task = match answer.status {
            200 => &answer.body,
            // The first attempt had an effect, and its answer was lost.
            412 if answer.repeated => &answer.body["current"],
            _ => return self.contradict("renaming", &answer),
        };
        let now = Known::of(task);
        let expected = Known {
            version: known.version + 1,
            title,
            ..known
        };
        if now != expected {
            self.contradict(&format!("renaming to {expected:?}"), &answer);
        }
        self.ledger.tasks.insert(id, now);
    }

    /// Completes or reopens one of these.
    async fn turn(&mut self, verb: &str, which: impl Fn(&Known) -> bool) {
        let Some(id) = self.choose(|known| !known.deleted && which(known)) else {
            return;
        };
        let answer = self.keyed(&format!("/tasks/{id}/{verb}"), None).await;
        if answer.status != 200 {
            return self.contradict(verb, &answer);
        }
        let (known, now) = (&self.ledger.tasks[&id], Known::of(&answer.body));
        let expected = Known {
            version: known.version + 1,
            completed: !known.completed,
            ..known.clone()
        };
        if now != expected {
            self.contradict(&format!("{verb} to {expected:?}"), &answer);
        }
        self.ledger.tasks.insert(id, now);
    }

    /// Finds a next instance that nobody has touched, and touches it.
    async fn adopt(&mut self) {
        let list = self.person.get(NEXT).await;
        let items = list.expect(200)["items"].as_array().cloned().unwrap_or_default();
        let next = items
            .iter()
            .find(|it| it["series"]["ordinal"].as_i64() > Some(1) && !self.ledger.tasks.contains_key(&number(it)));
        if let Some(next) = next {
            self.ledger.tasks.insert(number(next), Known::of(next));
            self.rename(number(next)).await;
        }
    }

    async fn delete(&mut self) {
        let Some(id) = self.choose(|known| !known.deleted) else {
            return;
        };
        let ask = Ask::new(Method::DELETE, format!("/tasks/{id}")).header("if-match", self.ledger.tasks[&id].etag());
        let answer = self.person.ask(&ask).await;
        if answer.status != 204 && !(answer.status == 404 && answer.repeated) {
            self.contradict("deleting", &answer);
        }
        let known = self.ledger.tasks.get_mut(&id).expect("it was chosen among them");
        known.deleted = true;
        known.version += 1;
    }

    /// Posts with a key; now and then a second time, though there was an answer.
    async fn keyed(&mut self, path: &str, body: Option<Value>) -> Answer {
        let mut ask = Ask::new(Method::POST, path).header("idempotency-key", self.unique("key"));
        if let Some(body) = body {
            ask = ask.body(body);
        }
        let answer = self.person.ask(&ask).await;
        if self.random.random_bool(0.2) {
            let again = self.person.ask(&ask).await;
            let same = (answer.status, &answer.body) == (again.status, &again.body);
            if !same || again.header("idempotency-replayed") != "true" {
                self.contradict(&format!("the same request again after {answer:?}"), &again);
            }
        }
        answer
    }

    fn choose(&mut self, which: impl Fn(&Known) -> bool) -> Option<i64> {
        let suitable = self.ledger.tasks.iter().filter(|(_, known)| which(known));
        suitable.map(|(id, _)| *id).choose(&mut self.random)
    }

    fn unique(&mut self, what: &str) -> String {
        self.number += 1;
        format!("{what}-{}-{}", self.name, self.number)
    }

    fn contradict(&mut self, what: &str, answer: &Answer) {
        self.ledger.contradictions.push(format!("{what}: {answer:?}"));
    }
}

fn number(task: &Value) -> i64 {
    task["id"].as_i64().unwrap_or_else(|| panic!("no task: {task}"))
}
