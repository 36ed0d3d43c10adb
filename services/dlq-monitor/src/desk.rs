//! What operators can do, whichever way they ask: look, try, replay, discard. Every action is on record.

pub(crate) mod selection;
mod step;
pub(crate) mod view;

use std::collections::BTreeMap;

use serde_json::json;
use service_kit::database::Database;
use sqlx::PgConnection;
use uuid::Uuid;

use self::view::{Action, Item};
pub(crate) use self::{
    selection::Selection,
    step::{Stepped, step},
};
use crate::{
    store::{
        actions::{self, NewAction},
        items,
    },
    telling::Telling,
};

/// Letters of one action at the most.
pub(crate) const MOST_LETTERS: i64 = 10_000;
/// Letters of one dry run at the most: it is over before it answers.
pub(crate) const MOST_TRIED: i64 = 1_000;
/// Outcomes that an action shows.
const SHOWN: i64 = 200;
/// Letters a second where nobody says otherwise.
pub(crate) const USUAL_RATE: i32 = 20;
/// Letters a second at the most.
pub(crate) const HIGHEST_RATE: i32 = 500;

/// Who acts, and what names it.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub(crate) name: String,
    pub(crate) correlation_id: String,
}

/// How a replay is made.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    pub(crate) selection: Selection,
    /// Letters a second at the most.
    pub(crate) rate: i32,
    /// Also what came back after an earlier replay.
    pub(crate) again: bool,
    pub(crate) note: Option<String>,
}

/// Says what a replay would do, and does nothing of it.
pub(crate) async fn dry_run(
    database: &Database,
    selection: &Selection,
    again: bool,
    actor: &Actor,
) -> sqlx::Result<(Action, Vec<Item>)> {
    let mut transaction = database.begin().await?;
    let action = new_action("dry_run", selection, actor);
    actions::add(&mut transaction, &action).await?;
    let limit = selection.limit.unwrap_or(MOST_TRIED).min(MOST_TRIED);
    let selected = actions::choose(&mut transaction, action.id, &selection.filter(), limit).await?;
    let mut tried = Vec::new();
    for next in items::next(&mut transaction, action.id, MOST_TRIED).await? {
        let stepped = step(&mut transaction, action.id, next, again).await?;
        tried.push(Item::tried(next.letter_id, &stepped));
    }
    transaction.rollback().await?;

    let mut outcomes = BTreeMap::<&str, u32>::new();
    for item in &tried {
        *outcomes.entry(item.outcome.as_deref().unwrap_or_default()).or_default() += 1;
    }
    let mut transaction = database.begin().await?;
    actions::add(&mut transaction, &action).await?;
    actions::end_with(&mut transaction, action.id, selected, json!(outcomes)).await?;
    let action = shown(&mut transaction, action.id).await?;
    transaction.commit().await?;
    Ok((action, tried))
}

/// Begins a replay. Whichever replica of the service is awake carries it out.
pub(crate) async fn replay(database: &Database, replay: &Replay, actor: &Actor) -> sqlx::Result<Action> {
    let mut transaction = database.begin().await?;
    let action = NewAction {
        note: replay.note.as_deref(),
        rate_per_second: Some(replay.rate),
        again: replay.again,
        ..new_action("replay", &replay.selection, actor)
    };
    actions::add(&mut transaction, &action).await?;
    let limit = replay.selection.limit.unwrap_or(MOST_LETTERS).min(MOST_LETTERS);
    let selected = actions::choose(&mut transaction, action.id, &replay.selection.filter(), limit).await?;
    if selected == 0 {
        actions::end(&mut transaction, action.id, "done", Some(NOTHING)).await?;
    }
    let action = shown(&mut transaction, action.id).await?;
    transaction.commit().await?;
    Ok(action)
}

/// Discards letters for a reason.
pub(crate) async fn discard(
    database: &Database,
    selection: &Selection,
    reason: &str,
    actor: &Actor,
    telling: Option<&Telling>,
) -> sqlx::Result<Action> {
    let mut transaction = database.begin().await?;
    let action = NewAction {
        note: Some(reason),
        ..new_action("discard", selection, actor)
    };
    actions::add(&mut transaction, &action).await?;
    let limit = selection.limit.unwrap_or(MOST_LETTERS).min(MOST_LETTERS);
    let selected = actions::choose(&mut transaction, action.id, &selection.filter(), limit).await?;
    let discarded = items::discard_all(&mut transaction, action.id).await?;
    let detail = (selected == 0).then_some(NOTHING);
    actions::end(&mut transaction, action.id, "done", detail).await?;
    let action = shown(&mut transaction, action.id).await?;
    transaction.commit().await?;
    for (origin, count) in discarded {
        (0..count).for_each(|_| {
            if let Some(telling) = telling {
                telling.outcome(&origin, "discarded");
            }
        });
    }
    Ok(action)
}

/// What came of stopping an action.
#[derive(Clone, Debug)]
pub(crate) enum Stopped {
    /// It takes no further step.
    Now(Action),
    /// It had ended.
    Before(Action),
    /// There is none with this id.
    Unknown,
}

/// Stops a replay behind the step that is being taken.
pub(crate) async fn stop(database: &Database, id: Uuid, actor: &Actor) -> sqlx::Result<Stopped> {
    let mut transaction = database.begin().await?;
    let detail = format!("stopped by {}", actor.name);
    let now = actions::end(&mut transaction, id, "stopped", Some(&detail)).await?;
    let action = actions::find(&mut transaction, id).await?.map(Action::from);
    transaction.commit().await?;
    Ok(match action {
        Some(action) if now => Stopped::Now(action),
        Some(action) => Stopped::Before(action),
        None => Stopped::Unknown,
    })
}

/// An action and what became of its letters; `None` when there is none with this id.
pub(crate) async fn action(database: &Database, id: Uuid) -> sqlx::Result<Option<(Action, Vec<Item>)>> {
    let mut connection = database.acquire().await?;
    let Some(row) = actions::find(&mut connection, id).await? else {
        return Ok(None);
    };
    let back = crate::store::replays::came_back(&mut connection, id).await?;
    let items = items::of_action(&mut connection, id, SHOWN).await?;
    let action = Action::new(row, back.count);
    Ok(Some((action, items.into_iter().map(Item::from).collect())))
}

/// What an action says that found no letter.
const NOTHING: &str = "no letter that waits fits";

fn new_action<'a>(kind: &'static str, selection: &Selection, actor: &'a Actor) -> NewAction<'a> {
    NewAction {
        id: Uuid::now_v7(),
        kind,
        actor: &actor.name,
        correlation_id: &actor.correlation_id,
        asked: json!(selection),
        note: None,
        rate_per_second: None,
        again: false,
    }
}

async fn shown(connection: &mut PgConnection, id: Uuid) -> sqlx::Result<Action> {
    let row = actions::find(connection, id).await?.ok_or(sqlx::Error::RowNotFound)?;
    Ok(Action::new(row, 0))
}
