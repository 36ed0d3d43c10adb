//! A task that several devices write to at once, each with the version that it has read.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use crate::{
    ledger::Ledger,
    person::{Answer, Ask, Person},
};

/// Additions of one device at most: the text grows with each.
const MOST: usize = 300;

/// One device's side of the task.
pub(super) struct SharedTask {
    person: Person,
    id: Option<i64>,
    /// Names this device in what it adds.
    device: usize,
    tried: usize,
    added: BTreeSet<String>,
    contradictions: Vec<String>,
}

impl SharedTask {
    pub(super) const fn new(person: Person, device: usize) -> Self {
        Self {
            person,
            id: None,
            device,
            tried: 0,
            added: BTreeSet::new(),
            contradictions: Vec::new(),
        }
    }

    /// The number of the task. Each device creates it by itself, with the same key: there is one.
    async fn id(&mut self) -> i64 {
        if let Some(id) = self.id {
            return id;
        }
        let ask = Ask::new(Method::POST, "/tasks")
            .body(json!({"title": "shared"}))
            .header("idempotency-key", "shared");
        let answer = self.person.ask(&ask).await;
        let id = answer.expect(201)["id"].as_i64().expect("a task has a number");
        *self.id.insert(id)
    }

    /// Adds something of its own to the description, unless the other device was faster.
    pub(super) async fn add(&mut self) {
        if self.added.len() >= MOST {
            return;
        }
        let path = format!("/tasks/{}", self.id().await);
        let read = self.person.get(&path).await;
        let before = read.expect(200)["description"].as_str().unwrap_or_default().to_owned();
        self.tried += 1;
        let addition = format!("{}x{}", self.device, self.tried);
        let ask = Ask::new(Method::PATCH, path)
            .body(json!({"description": format!("{before}{addition} ")}))
            .header("if-match", read.header("etag"));
        let answer = self.person.ask(&ask).await;
        self.note(addition, &answer);
    }

    fn note(&mut self, addition: String, answer: &Answer) {
        let after = match answer.status {
            200 => &answer.body["description"],
            412 => &answer.body["current"]["description"],
            _ => {
                self.contradictions.push(format!("adding {addition}: {answer:?}"));
                return;
            }
        };
        let is_there = after.as_str().unwrap_or_default().split(' ').any(|it| it == addition);
        match (answer.status, is_there) {
            (200, true) => drop(self.added.insert(addition)),
            // The first attempt had an effect, and its answer was lost.
            (412, true) if answer.repeated => drop(self.added.insert(addition)),
            (412, false) => {}
            _ => self.contradictions.push(format!("adding {addition}: {answer:?}")),
        }
    }

    pub(super) fn into_ledger(self) -> Ledger {
        Ledger {
            additions: self.id.map(|id| (id, self.added)).into_iter().collect(),
            contradictions: self.contradictions,
            ..Ledger::default()
        }
    }
}
