//! Finding tasks by what a person types.

use domain::{id::UserId, search, task::Task};
use jiff::Timestamp;
use sqlx::PgConnection;

use super::{Error, Person};
use crate::store::search::{After, Found, Mode, Question, find};

/// Where a page of results begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Behind {
    /// How the results are compared; the same on every page.
    pub(crate) mode: Mode,
    /// The last task of the page before.
    pub(crate) after: After,
}

/// A page of what was found.
#[derive(Clone, Debug)]
pub(crate) struct Results {
    /// The tasks, best first.
    pub(crate) tasks: Vec<Task>,
    /// Where the next page begins, if there is one.
    pub(crate) next: Option<Behind>,
    /// How they were found.
    pub(crate) mode: Mode,
    /// Whether so much matched that only the newest matches were ranked.
    pub(crate) capped: bool,
    /// How the text was understood; `None` when nothing of it was.
    pub(crate) understood: Option<String>,
    /// What of the text had no effect, or was taken as plain words.
    pub(crate) ignored: Vec<String>,
}

/// Finds the person's tasks that fulfil the text. When there are none, and words were asked for, the first page holds
/// those whose titles have words like them.
pub(crate) async fn search_tasks(
    connection: &mut PgConnection,
    user: UserId,
    text: &str,
    behind: Option<Behind>,
    limit: usize,
) -> Result<Results, Error> {
    let query = search::parse(text);
    let mut results = Results {
        tasks: Vec::new(),
        next: None,
        mode: behind.map_or(Mode::Strict, |behind| behind.mode),
        capped: false,
        understood: query.expression.as_ref().map(ToString::to_string),
        ignored: query.ignored,
    };
    let Some(expression) = query.expression else {
        return Ok(results);
    };
    let person = Person::load(connection, user).await?;
    let mut question = Question {
        user: person.user.as_str(),
        expression: &expression,
        language: &person.language,
        zone: &person.zone,
        now: Timestamp::now(),
        mode: results.mode,
    };
    // One more than the page holds tells whether there is a next one.
    let rows = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let after = behind.map(|behind| behind.after);
    let mut found = find(connection, &question, after, rows).await?;
    if found.is_empty() && behind.is_none() && !expression.wanted_terms().is_empty() {
        question.mode = Mode::Typo;
        found = find(connection, &question, None, rows).await?;
        if !found.is_empty() {
            results.mode = Mode::Typo;
        }
    }
    results.capped = found.iter().any(|it| it.capped);
    results.next = next_page(&mut found, limit, results.mode);
    for it in found {
        results.tasks.push(it.row.try_into()?);
    }
    Ok(results)
}

/// Cuts a page to its size, and says where the next one begins.
fn next_page(found: &mut Vec<Found>, limit: usize, mode: Mode) -> Option<Behind> {
    if found.len() <= limit {
        return None;
    }
    found.truncate(limit);
    found.last().map(|last| Behind {
        mode,
        after: After {
            rank: last.rank,
            id: last.row.id,
        },
    })
}
