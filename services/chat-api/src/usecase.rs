//! What can be done with tasks. Each function works inside the caller's transaction: it loads, asks the domain, and
//! writes the task, its change and its event together.
//!
//! Rows are locked in one order, so that no two transactions ever wait for each other: the idempotency key, tasks by
//! their id, the person's profile.

pub(crate) mod accounts;
pub(crate) mod batch;
mod changed_fields;
pub(crate) mod command;
mod error;
pub(crate) mod lists;
pub(crate) mod occurrences;
pub(crate) mod profile;
pub(crate) mod search_tasks;
pub(crate) mod tasks;
mod write;

use domain::{id::UserId, time::Zone};
use events::CorrelationId;
use sqlx::PgConnection;

use crate::store;

pub(crate) use error::Error;

/// The person who asks, as far as tasks depend on them.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    /// Who it is.
    pub(crate) user: UserId,
    /// The zone that floating times are read in.
    pub(crate) zone: Zone,
    /// The language that their texts are searched in: a configuration of text search.
    pub(crate) language: String,
}

/// The zone of people who have chosen none.
pub(crate) const DEFAULT_ZONE: Zone = Zone::UTC;
/// The language of people who have chosen none.
pub(crate) const DEFAULT_LANGUAGE: &str = "english";

impl Person {
    /// Loads what the person has chosen.
    pub(crate) async fn load(connection: &mut PgConnection, user: UserId) -> Result<Self, Error> {
        let profile = store::profiles::find(connection, &user).await?;
        let zone = profile.as_ref().and_then(|profile| Zone::new(&profile.time_zone).ok());
        Ok(Self {
            user,
            zone: zone.unwrap_or(DEFAULT_ZONE),
            language: profile.map_or_else(|| DEFAULT_LANGUAGE.to_owned(), |profile| profile.language),
        })
    }
}

/// Who asks for changes, and what ties those together.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    /// Whose tasks change.
    pub(crate) person: Person,
    /// Names the act that everything comes from.
    pub(crate) correlation_id: CorrelationId,
}

/// What a caller demands of the version that it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// Nothing: the last write wins.
    #[default]
    None,
    /// That it is one of these versions.
    OneOf(Vec<i64>),
}

impl Precondition {
    /// Whether this version may be changed.
    pub(crate) fn allows(&self, version: i64) -> bool {
        match self {
            Self::None => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }
}
