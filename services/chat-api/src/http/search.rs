//! `GET /tasks/search`

use axum::extract::State;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use catalogue::{
    metrics::TASK_SEARCH_DURATION_SECONDS,
    spans::{SEARCH_RESULTS, SEARCH_TYPO, TASK_SEARCH, USER_ID},
};
use serde::{Deserialize, Serialize};
use service_kit::{
    Problem, database,
    extract::{Json, TypedQuery},
    problem::{Fault, FieldError, codes},
};
use tokio::time::Instant;
use tracing::{Instrument as _, field::Empty, info_span};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use crate::{
    app::App,
    operation,
    shape::task::TaskView,
    store::search::{After, Mode},
    usecase::search_tasks::{Behind, search_tasks},
};

/// Tasks on a page where the request says nothing.
const DEFAULT_LIMIT: u16 = 50;
/// Tasks on a page at the most.
const MAX_LIMIT: u16 = 200;

/// What to look for.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Search {
    /// Anything that a person types: words, `"phrases"`, `a & b`, `a | b`, `!a`, `pre*`, `( … )`, and filters such as
    /// `tag:work`, `priority:>=high`, `status:open`, `due:<2026-12-01`, `is:overdue`. Nothing is an error; what has no
    /// effect comes back in `ignored`.
    q: String,
    /// Tasks on a page.
    #[param(minimum = 1, maximum = 200, default = 50, nullable = false)]
    limit: Option<u16>,
    /// `next` of the page before.
    #[param(nullable = false, format = "cursor")]
    cursor: Option<String>,
}

/// A page of what was found.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct SearchResults {
    /// The tasks, best first.
    items: Vec<TaskView>,
    /// Where the next page begins; null on the last one.
    next: Option<String>,
    /// `strict`, or `typo` when nothing matched and titles with similar words are offered instead.
    mode: SearchMode,
    /// Whether so much matched that only the newest 5,000 matches were ranked.
    capped: bool,
    /// How the text was understood, in the same syntax; null when nothing of it was.
    understood: Option<String>,
    /// Parts of the text that had no effect or were taken as plain words.
    ignored: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SearchMode {
    /// By words, stems and beginnings.
    Strict,
    /// By likeness.
    Typo,
}

/// Find tasks
#[utoipa::path(
    get, path = "/tasks/search", tag = "tasks", operation_id = "search_tasks",
    params(Search),
    responses((status = 200, description = "What was found", body = SearchResults)),
)]
pub(super) async fn search(
    State(app): State<App>,
    caller: Caller,
    TypedQuery(search): TypedQuery<Search>,
) -> Result<Json<SearchResults>, Problem> {
    let limit = search.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(refuse("limit", Fault::OutOfRange, "must be a number from 1 to 200"));
    }
    let behind = search.cursor.as_deref().map(read_cursor).transpose()?;

    let span = info_span!(
        TASK_SEARCH.name,
        { USER_ID.key } = caller.user.as_str(),
        { SEARCH_RESULTS.key } = Empty,
        { SEARCH_TYPO.key } = Empty,
    );
    let begun = Instant::now();
    let mut connection = app.database.acquire().await.map_err(database::problem)?;
    let done = search_tasks(&mut connection, caller.user, &search.q, behind, limit.into())
        .instrument(span.clone())
        .await;
    operation::count(&app.metrics, "search", &done);
    let results = done?;
    span.record(SEARCH_RESULTS.key, results.tasks.len());
    span.record(SEARCH_TYPO.key, results.mode == Mode::Typo);
    let mode = SearchMode::from(results.mode);
    app.metrics
        .histogram(&TASK_SEARCH_DURATION_SECONDS, &[mode.as_str()])
        .observe(begun.elapsed().as_secs_f64());
    Ok(Json(SearchResults {
        items: results.tasks.iter().map(TaskView::from).collect(),
        next: results.next.map(|behind| cursor(&behind)),
        mode,
        capped: results.capped,
        understood: results.understood,
        ignored: results.ignored,
    }))
}

impl SearchMode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Typo => "typo",
        }
    }
}

impl From<Mode> for SearchMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Strict => Self::Strict,
            Mode::Typo => Self::Typo,
        }
    }
}

/// What a cursor holds. The rank stands as its bits: it must come back exactly.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cursor {
    mode: SearchMode,
    rank: u32,
    id: i64,
}

fn cursor(behind: &Behind) -> String {
    let cursor = Cursor {
        mode: behind.mode.into(),
        rank: behind.after.rank.to_bits(),
        id: behind.after.id,
    };
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).unwrap_or_default())
}

fn read_cursor(text: &str) -> Result<Behind, Problem> {
    let cursor: Option<Cursor> = BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .ok()
        .and_then(|json| serde_json::from_slice(&json).ok());
    let refused = || refuse("cursor", Fault::InvalidFormat, "must be the `next` of a page");
    let Cursor { mode, rank, id } = cursor.ok_or_else(refused)?;
    let rank = f32::from_bits(rank);
    if !rank.is_finite() {
        return Err(refused());
    }
    Ok(Behind {
        mode: match mode {
            SearchMode::Strict => Mode::Strict,
            SearchMode::Typo => Mode::Typo,
        },
        after: After { rank, id },
    })
}

fn refuse(name: &'static str, fault: Fault, message: &'static str) -> Problem {
    Problem::new(&codes::INVALID_PARAMETER)
        .detail(format!("Parameter `{name}` {message}."))
        .at(FieldError::parameter(name, fault, message))
}
