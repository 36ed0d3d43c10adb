//! `GET /me` and `PUT /me`: what the caller has chosen.

use std::collections::BTreeSet;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use domain::{id::UserId, time::Zone};
use serde::{Deserialize, Serialize};
use service_kit::{Problem, database, extract::Json, problem::Fault};
use utoipa::ToSchema;

use super::{
    answer::Answer,
    caller::Caller,
    conditional::{IfMatch, IfMatchHeader, IfNoneMatch, IfNoneMatchHeader},
};
use crate::{
    app::App,
    error::etag,
    shape::{invalid::InvalidFields, language::Language, text::ZoneName},
    store::profiles::ProfileRow,
    usecase::profile,
};

/// The caller, and what they have chosen.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// Who it is.
    #[schema(min_length = 1, max_length = 255)]
    user_id: String,
    /// IANA name of the zone in which floating times are meant.
    #[schema(value_type = ZoneName)]
    time_zone: String,
    /// Language of their tasks, for searches.
    language: Language,
    /// How reminders reach them.
    #[schema(max_items = 4)]
    channels: BTreeSet<Channel>,
}

/// What people choose.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choices {
    /// IANA name of the zone in which floating times are meant.
    #[schema(value_type = ZoneName)]
    time_zone: String,
    /// Language of their tasks, for searches.
    language: Language,
    /// How reminders reach them.
    #[schema(max_items = 4)]
    channels: BTreeSet<Channel>,
}

/// A way by which reminders reach people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Channel {
    /// In the open application.
    InApp,
    /// A push message to a browser.
    WebPush,
    /// A mail.
    Email,
    /// A call of an address of theirs.
    Webhook,
}

impl Channel {
    const ALL: [Self; 4] = [Self::InApp, Self::WebPush, Self::Email, Self::Webhook];

    const fn as_str(self) -> &'static str {
        match self {
            Self::InApp => "in_app",
            Self::WebPush => "web_push",
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }
}

impl Me {
    /// What a row says. What no release of this service ever wrote is left out.
    pub(crate) fn new(user: &UserId, row: &ProfileRow) -> Self {
        let named = |name: &String| Channel::ALL.into_iter().find(|channel| channel.as_str() == name);
        Self {
            user_id: user.to_string(),
            time_zone: row.time_zone.clone(),
            language: Language::of_configuration(&row.language).unwrap_or(Language::Undetermined),
            channels: row.channels.iter().filter_map(named).collect(),
        }
    }
}

/// Read what the caller has chosen
#[utoipa::path(
    get, path = "/me", tag = "me", operation_id = "read_me",
    params(IfNoneMatchHeader),
    responses(
        (status = 200, description = "The caller", body = Me, headers(("ETag" = String, description = "Its version"))),
        (status = 304, description = "The caller has it already", headers(("ETag" = String, description = "Its version"))),
    ),
)]
pub(super) async fn read(State(app): State<App>, caller: Caller, have: IfNoneMatch) -> Result<Response, Problem> {
    let mut connection = app.database.acquire().await.map_err(database::problem)?;
    let row = profile::read(&mut connection, &caller.user).await?;
    if have.has(row.version) {
        let tag = [(header::ETAG, etag(row.version))];
        return Ok((StatusCode::NOT_MODIFIED, tag).into_response());
    }
    answer(&caller.user, &row).map(Answer::into_response)
}

/// Choose anew
///
/// With another zone, floating times mean other instants at once. Another language holds for tasks that are written
/// from now on.
#[utoipa::path(
    put, path = "/me", tag = "me", operation_id = "replace_me",
    params(IfMatchHeader),
    request_body = Choices,
    responses((status = 200, description = "The caller", body = Me, headers(("ETag" = String, description = "Its version")))),
)]
pub(super) async fn replace(
    State(app): State<App>,
    caller: Caller,
    IfMatch(precondition): IfMatch,
    Json(chosen): Json<Choices>,
) -> Result<Answer, Problem> {
    let unknown = |_| {
        InvalidFields::one(
            "/time_zone",
            Fault::InvalidFormat,
            "must be the IANA name of a time zone",
        )
    };
    let zone = Zone::new(&chosen.time_zone).map_err(unknown)?;
    let row = ProfileRow {
        time_zone: zone.name().to_owned(),
        language: chosen.language.configuration().to_owned(),
        channels: chosen.channels.iter().map(|it| it.as_str().to_owned()).collect(),
        version: 0,
    };
    let mut transaction = app.database.begin().await.map_err(database::problem)?;
    let row = profile::write(&mut transaction, &caller.user, &precondition, &zone, row).await?;
    transaction.commit().await.map_err(database::problem)?;
    answer(&caller.user, &row)
}

fn answer(user: &UserId, row: &ProfileRow) -> Result<Answer, Problem> {
    Ok(Answer::json(StatusCode::OK, &Me::new(user, row))?.header(header::ETAG, etag(row.version)))
}
