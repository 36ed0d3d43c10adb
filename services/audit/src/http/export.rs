//! `GET /audit/export`: the record of all tasks of a person, as JSON lines.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderName, header},
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use service_kit::{
    Problem,
    auth::User,
    database::{Database, problem},
    extract::Query,
    telemetry::chain,
};

use super::{App, entry::Entry};
use crate::store::{self, rows::Behind};

/// Tasks that are asked for at once.
const TASKS: i64 = 200;
/// Rows that are in memory at once.
const ROWS: i64 = 500;

const HEADERS: [(HeaderName, &str); 3] = [
    (header::CONTENT_TYPE, "application/x-ndjson"),
    (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.jsonl\""),
    (header::CACHE_CONTROL, "no-store"),
];

/// There is nothing to choose.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Everything {}

/// Why an export ends before its end. The answer then stays without its last chunk, so that nobody takes it for whole.
#[derive(Debug, thiserror::Error)]
enum BrokenOff {
    #[error("could not read the record")]
    Database(#[from] sqlx::Error),
    #[error("the service stops")]
    Stopping,
}

// Answers with one line per row, by task and position. It is read in pages as the client takes them: an export has no
// connection and no transaction while the client is slow. Rows that are appended meanwhile may be among them.
/// Export the record of all tasks
///
/// One line per row, by task and position; each line is an `Entry`. An answer without its last chunk broke off.
#[utoipa::path(
    get, path = "/audit/export", tag = "record", operation_id = "export_record",
    responses((
        status = 200, description = "JSON lines", content_type = "application/x-ndjson", body = String,
        headers(
            ("Content-Disposition" = String, description = "Names the file"),
            ("Cache-Control" = String, description = "`no-store`"),
        ),
    )),
)]
pub(super) async fn stream(
    State(app): State<App>,
    user: User,
    Query(Everything {}): Query<Everything>,
) -> Result<([(HeaderName, &'static str); 3], Body), Problem> {
    let mut walk = Walk::begin(user.id());
    // Before the status is sent, so that an outage is told by it.
    let first = walk.next_page(&app.database).await.map_err(problem)?;
    let pages = stream::try_unfold((app, walk), next);
    let pages = stream::iter(first.map(Ok)).chain(pages);
    let pages = pages.inspect_err(|error| {
        let error = chain(error);
        tracing::warn!(error, "an export broke off: {error}");
    });
    Ok((HEADERS, Body::from_stream(pages)))
}

async fn next((app, mut walk): (App, Walk)) -> Result<Option<(String, (App, Walk))>, BrokenOff> {
    match walk.next_page(&app.database).await? {
        // Whoever waits for all of it would wait longer than a stopping service has.
        Some(_) if app.stop.is_cancelled() => Err(BrokenOff::Stopping),
        Some(page) => Ok(Some((page, (app, walk)))),
        None => Ok(None),
    }
}

/// The way through the rows of a person.
struct Walk {
    user_id: String,
    /// The tasks at hand.
    tasks: Vec<i64>,
    behind: Behind,
}

impl Walk {
    fn begin(user_id: &str) -> Self {
        let behind = Behind {
            task_id: 0,
            position: i64::MAX,
        };
        Self {
            user_id: user_id.to_owned(),
            tasks: Vec::new(),
            behind,
        }
    }

    /// The next lines; `None` at the end.
    async fn next_page(&mut self, database: &Database) -> sqlx::Result<Option<String>> {
        let mut connection = database.acquire().await?;
        loop {
            if self.tasks.is_empty() {
                let after = self.behind.task_id;
                self.tasks = store::chains::tasks_of(&mut connection, &self.user_id, after, TASKS).await?;
            }
            let Some(last_task) = self.tasks.last() else {
                return Ok(None);
            };
            let rows = store::rows::of_tasks(&mut connection, &self.tasks, self.behind, ROWS).await?;
            if let Some(last) = rows.last() {
                self.behind = Behind {
                    task_id: last.task_id,
                    position: last.position,
                };
                // What is behind is not looked for again.
                let done = self.tasks.partition_point(|task| *task < last.task_id);
                self.tasks.drain(..done);
                return Ok(Some(rows.into_iter().map(line).collect()));
            }
            self.behind.task_id = *last_task;
            self.tasks.clear();
        }
    }
}

fn line(row: crate::chain::Row) -> String {
    let mut line = serde_json::to_string(&Entry::from(row)).expect("texts and numbers can be written as JSON");
    line.push('\n');
    line
}
