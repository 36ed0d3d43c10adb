//! What is refused, and how.

use service_kit::{
    Problem,
    problem::{Fault, FieldError, codes},
};

use crate::desk::{
    MOST_LETTERS, Selection,
    selection::{MOST_IDS, Wrong},
};

/// Letters on a page where the request says nothing.
const USUAL_LIMIT: u16 = 50;
/// Letters on a page at the most.
const HIGHEST_LIMIT: u16 = 200;

/// How many entries a page holds.
pub(super) fn limit(asked: Option<u16>) -> Result<i64, Problem> {
    let limit = asked.unwrap_or(USUAL_LIMIT);
    if (1..=HIGHEST_LIMIT).contains(&limit) {
        return Ok(limit.into());
    }
    let message = "must be an integer from 1 to 200";
    Err(Problem::new(&codes::INVALID_PARAMETER)
        .detail(format!("Parameter `limit` {message}."))
        .at(FieldError::parameter("limit", Fault::OutOfRange, message)))
}

/// Refuses a field of the body.
pub(super) fn field(pointer: &'static str, fault: Fault, message: impl Into<String>) -> Problem {
    let message = message.into();
    Problem::new(&codes::INVALID_BODY)
        .detail(format!("`{pointer}` {message}."))
        .at(FieldError::body(pointer, fault, message))
}

/// Refuses a selection that means nothing, too much, or what cannot be.
pub(super) fn selection(selection: &Selection) -> Result<(), Problem> {
    selection.check().map_err(|wrong| match wrong {
        Wrong::Empty => {
            let message = "must say which letters are meant: name some, or say `all`";
            field("/selection", Fault::Missing, message)
        }
        Wrong::Contradiction => field(
            "/selection/all",
            Fault::Contradiction,
            "goes together with nothing else",
        ),
        Wrong::Ids => field("/selection/ids", Fault::TooLong, format!("must be at most {MOST_IDS}")),
        Wrong::Limit => {
            let message = format!("must be from 1 to {MOST_LETTERS}");
            field("/selection/limit", Fault::OutOfRange, message)
        }
    })
}
