//! What clients ask of a service with chat-api's routes.

use std::{collections::VecDeque, mem};

use anyhow::{Context as _, Result, ensure};

use crate::{http::request, load::Script};

/// Fields of the task that all measures write, and pgbench too.
pub(crate) const DESCRIPTION: &str =
    "Not too much water for the fern, and the ones on the balcony only in the evening.";
pub(crate) const DUE_AT: &str = "2031-05-01T08:00:00Z";

/// Creates tasks, and keeps their numbers.
pub(crate) struct Create {
    token: String,
    count: u64,
    pub(crate) created: VecDeque<i64>,
}

impl Create {
    pub(crate) fn new(token: String) -> Self {
        Self {
            token,
            count: 0,
            created: VecDeque::new(),
        }
    }
}

/// The request that creates a task with this title.
pub(crate) fn create_request(token: &str, title: &str) -> Vec<u8> {
    let body = format!(
        r#"{{"title":"{title}","description":"{DESCRIPTION}","priority":"high","tags":["garden","home"],"due":{{"kind":"instant","at":"{DUE_AT}"}}}}"#
    );
    request("POST", "/tasks", token, "", &body)
}

impl Script for Create {
    fn next(&mut self) -> Option<Vec<u8>> {
        self.count += 1;
        Some(create_request(&self.token, &format!("Water the plants {}", self.count)))
    }

    fn done(&mut self, status: u16, body: &[u8]) -> Result<()> {
        ensure!(status == 201, "{status}: {}", String::from_utf8_lossy(body));
        self.created.push_back(id_of(body)?);
        Ok(())
    }
}

/// The number of a task, which both services write first.
pub(crate) fn id_of(body: &[u8]) -> Result<i64> {
    let text = str::from_utf8(body).context("a body is text")?;
    let digits = text.strip_prefix(r#"{"id":"#).context("a task begins with its id")?;
    let (digits, _) = digits.split_once(',').context("something follows the id")?;
    Ok(digits.parse()?)
}

/// Completes tasks of which it is the only one to know.
pub(crate) struct Complete {
    token: String,
    tasks: VecDeque<i64>,
}

impl Complete {
    /// Those that somebody has created.
    pub(crate) fn after(create: &mut Create) -> Self {
        Self {
            token: create.token.clone(),
            tasks: mem::take(&mut create.created),
        }
    }
}

impl Script for Complete {
    fn next(&mut self) -> Option<Vec<u8>> {
        let id = self.tasks.pop_front()?;
        Some(request("POST", &format!("/tasks/{id}/complete"), &self.token, "", ""))
    }

    fn done(&mut self, status: u16, body: &[u8]) -> Result<()> {
        ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(body));
        Ok(())
    }
}

/// Sends requests from a list, round and round.
pub(crate) struct Read {
    requests: Vec<Vec<u8>>,
    next: usize,
}

impl Read {
    pub(crate) fn new(token: &str, paths: impl IntoIterator<Item = String>) -> Self {
        let requests = paths.into_iter().map(|path| request("GET", &path, token, "", ""));
        Self {
            requests: requests.collect(),
            next: 0,
        }
    }
}

impl Script for Read {
    fn next(&mut self) -> Option<Vec<u8>> {
        self.next = (self.next + 1) % self.requests.len();
        Some(self.requests[self.next].clone())
    }

    fn done(&mut self, status: u16, body: &[u8]) -> Result<()> {
        ensure!(status == 200, "{status}: {}", String::from_utf8_lossy(body));
        Ok(())
    }
}
