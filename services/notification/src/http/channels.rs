//! `/channels`: the ways by which reminders reach the caller.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use domain::time::Zone;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service_kit::{
    Problem,
    database::{problem, time::Instant},
    extract::{Json, Path},
    problem::{Fault, codes},
};
use sqlx::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{App, caller::Caller, page::refuse_field};
use crate::{
    channels::{Answer, Kind, Target, new_secret, target::is_usable},
    message::Message,
    quiet::Quiet,
    store::channels::{self, ChannelRow},
};

/// Channels of one person at the most.
const MOST: i64 = 20;
/// Characters of a name.
const NAME_CHARS: usize = 100;

/// A new channel.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewChannel {
    /// Where it leads.
    target: Target,
    /// What the person calls it.
    #[serde(default)]
    #[schema(max_length = 100)]
    name: String,
    /// Whether anything is sent.
    #[serde(default = "yes")]
    #[schema(default = true)]
    enabled: bool,
    /// Hours in which nothing is sent; what falls due in them is sent when they end.
    #[schema(nullable = false)]
    quiet: Option<QuietHours>,
}

/// What can be changed of a channel.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Choices {
    /// What the person calls it.
    #[schema(max_length = 100)]
    name: String,
    /// Whether anything is sent.
    enabled: bool,
    /// Hours in which nothing is sent; none without it.
    #[schema(nullable = false)]
    quiet: Option<QuietHours>,
}

/// Hours of the day, by the clocks where the person lives.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QuietHours {
    /// When they begin.
    #[schema(example = "22:00", pattern = "^[0-2][0-9]:[0-5][0-9]$")]
    from: String,
    /// When they end; over midnight where it is not later.
    #[schema(example = "07:00", pattern = "^[0-2][0-9]:[0-5][0-9]$")]
    until: String,
}

/// A channel.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Channel {
    /// Which channel.
    id: Uuid,
    /// Where it leads.
    #[schema(value_type = Target)]
    target: serde_json::Value,
    /// What the person calls it.
    name: String,
    /// Whether anything is sent.
    enabled: bool,
    /// Hours in which nothing is sent.
    quiet: Option<QuietHours>,
    /// When it was added.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Since when nothing is sent any more, because its far end is gone for good.
    #[schema(value_type = Option<String>, format = DateTime)]
    retired_at: Option<Timestamp>,
    /// What its far end said.
    retired_because: Option<String>,
    /// Signs calls of a webhook as Standard Webhooks says. Shown once, when it is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// The channels of the caller.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Channels {
    /// The oldest first. In the application is one of them without being here.
    items: Vec<Channel>,
    /// The kinds that can be used here.
    offered: Vec<Kind>,
    /// What browsers subscribe with, in base64url; null where Web Push is off.
    vapid_public_key: Option<String>,
}

/// What a test came to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Tried {
    /// `accepted`, `retry` (it could not be reached now), `failed` or `gone`.
    outcome: &'static str,
    /// What its far end said.
    detail: String,
}

const fn yes() -> bool {
    true
}

impl Channel {
    fn new(row: ChannelRow, shows_secret: bool) -> Self {
        Self {
            id: row.id,
            quiet: quiet_of(&row),
            target: row.target,
            name: row.name,
            enabled: row.enabled,
            created_at: row.created_at.0,
            retired_at: row.retired_at.map(|it| it.0),
            retired_because: row.retired_because,
            secret: row.secret.filter(|_| shows_secret),
        }
    }
}

fn quiet_of(row: &ChannelRow) -> Option<QuietHours> {
    Some(QuietHours {
        from: row.quiet_from.clone()?,
        until: row.quiet_until.clone()?,
    })
}

/// List channels
#[utoipa::path(
    get, path = "/channels", tag = "channels", operation_id = "list_channels",
    responses((status = 200, description = "All of them", body = Channels)),
)]
pub(super) async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Channels>, Problem> {
    let mut connection = app.database.acquire().await.map_err(problem)?;
    let rows = channels::of_user(&mut connection, &caller.user_id)
        .await
        .map_err(problem)?;
    let kinds = [Kind::InApp, Kind::WebPush, Kind::Email, Kind::Webhook];
    Ok(Json(Channels {
        items: rows.into_iter().map(|row| Channel::new(row, false)).collect(),
        offered: kinds.into_iter().filter(|kind| app.providers.offers(*kind)).collect(),
        vapid_public_key: app.providers.vapid_public_key().map(str::to_owned),
    }))
}

/// Add a channel
#[utoipa::path(
    post, path = "/channels", tag = "channels", operation_id = "add_channel",
    request_body = NewChannel,
    responses(
        (status = 201, description = "The channel, with its secret", body = Channel),
        (status = 409, description = "The caller has as many channels as possible", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
pub(super) async fn add(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<NewChannel>,
) -> Result<Response, Problem> {
    is_usable(&body.target, app.providers.guard())
        .map_err(|(pointer, message)| refuse_field(pointer, Fault::InvalidFormat, message))?;
    let kind = body.target.kind();
    if !app.providers.offers(kind) {
        let message = "is of a kind that is not offered here".to_owned();
        return Err(refuse_field("/target/kind", Fault::NotAllowed, message));
    }
    let (quiet_from, quiet_until) = quiet_hours(body.quiet)?;
    let row = ChannelRow {
        id: Uuid::now_v7(),
        kind: kind.as_str().to_owned(),
        name: named(body.name)?,
        target: serde_json::to_value(&body.target).map_err(Problem::internal)?,
        secret: (kind == Kind::Webhook).then(new_secret),
        enabled: body.enabled,
        quiet_from,
        quiet_until,
        created_at: Instant(Timestamp::now()),
        retired_at: None,
        retired_because: None,
    };
    let mut transaction = app.database.begin().await.map_err(problem)?;
    let count = channels::lock_and_count(&mut transaction, &caller.user_id)
        .await
        .map_err(problem)?;
    if count >= MOST {
        let detail = format!("There are {MOST} channels already; delete one first.");
        return Err(Problem::new(&codes::CONFLICT).detail(detail));
    }
    channels::add(&mut transaction, &caller.user_id, &row)
        .await
        .map_err(problem)?;
    transaction.commit().await.map_err(problem)?;
    let location = format!("/channels/{}", row.id);
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((StatusCode::CREATED, headers, Json(Channel::new(row, true))).into_response())
}

/// Change a channel
#[utoipa::path(
    put, path = "/channels/{id}", tag = "channels", operation_id = "replace_channel",
    params(("id" = Uuid, Path, description = "Which channel")),
    request_body = Choices,
    responses((status = 200, description = "As it is now", body = Channel)),
)]
pub(super) async fn replace(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(body): Json<Choices>,
) -> Result<Json<Channel>, Problem> {
    let (quiet_from, quiet_until) = quiet_hours(body.quiet)?;
    let name = named(body.name)?;
    let mut transaction = app.database.begin().await.map_err(problem)?;
    let row = find(&mut transaction, &caller.user_id, id).await?;
    let row = ChannelRow {
        name,
        enabled: body.enabled,
        quiet_from,
        quiet_until,
        ..row
    };
    if !channels::change(&mut transaction, &caller.user_id, &row)
        .await
        .map_err(problem)?
    {
        return Err(Problem::new(&codes::NOT_FOUND));
    }
    transaction.commit().await.map_err(problem)?;
    Ok(Json(Channel::new(row, false)))
}

/// Delete a channel
///
/// What is on its way through it is not sent.
#[utoipa::path(
    delete, path = "/channels/{id}", tag = "channels", operation_id = "delete_channel",
    params(("id" = Uuid, Path, description = "Which channel")),
    responses((status = 204, description = "It is gone")),
)]
pub(super) async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    let mut connection = app.database.acquire().await.map_err(problem)?;
    if channels::delete(&mut connection, &caller.user_id, id)
        .await
        .map_err(problem)?
    {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::new(&codes::NOT_FOUND))
    }
}

/// Try a channel
///
/// Sends a message that says so, at once and once.
#[utoipa::path(
    post, path = "/channels/{id}/test", tag = "channels", operation_id = "test_channel",
    params(("id" = Uuid, Path, description = "Which channel")),
    responses((status = 200, description = "What it came to", body = Tried)),
)]
pub(super) async fn test(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Tried>, Problem> {
    // No connection is held while the far end takes its time.
    let row = {
        let mut connection = app.database.acquire().await.map_err(problem)?;
        find(&mut connection, &caller.user_id, id).await?
    };
    let target: Target = serde_json::from_value(row.target).map_err(Problem::internal)?;
    let message = Message::test(Timestamp::now(), Zone::UTC, app.application.clone());
    let answer = app.providers.send(&target, row.secret.as_deref(), &message).await;
    if let Answer::Gone(detail) = &answer {
        let mut connection = app.database.acquire().await.map_err(problem)?;
        channels::retire(&mut connection, id, detail).await.map_err(problem)?;
    }
    let (outcome, detail) = match answer {
        Answer::Accepted(detail) => ("accepted", detail),
        Answer::Retry(detail) => ("retry", detail),
        Answer::Failed(detail) => ("failed", detail),
        Answer::Gone(detail) => ("gone", detail),
    };
    Ok(Json(Tried { outcome, detail }))
}

async fn find(connection: &mut PgConnection, user_id: &str, id: Uuid) -> Result<ChannelRow, Problem> {
    let found = channels::find(connection, user_id, id).await.map_err(problem)?;
    found.ok_or_else(|| Problem::new(&codes::NOT_FOUND))
}

fn named(name: String) -> Result<String, Problem> {
    if name.chars().count() > NAME_CHARS || name.contains(char::is_control) {
        let message = format!("must have at most {NAME_CHARS} characters, none of them a control character");
        return Err(refuse_field("/name", Fault::TooLong, message));
    }
    Ok(name)
}

fn quiet_hours(quiet: Option<QuietHours>) -> Result<(Option<String>, Option<String>), Problem> {
    match quiet {
        None => Ok((None, None)),
        Some(it) if Quiet::new(&it.from, &it.until).is_some() => Ok((Some(it.from), Some(it.until))),
        Some(_) => {
            let message = "must hold two times of the day that differ, such as `22:00` and `07:00`".to_owned();
            Err(refuse_field("/quiet", Fault::InvalidFormat, message))
        }
    }
}
