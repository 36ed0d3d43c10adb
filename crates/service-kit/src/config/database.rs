//! The database.

use catalogue::{
    Schema, database,
    environment_variables::{TASKFLOW_DATABASE_DIRECT_URL, TASKFLOW_DATABASE_MAX_CONNECTIONS, TASKFLOW_DATABASE_URL},
};
use sqlx::postgres::PgConnectOptions;

use super::{Reader, Secret, values::integer};

/// How the database is reached.
#[derive(Clone, Debug)]
pub struct DatabaseSettings {
    /// For ordinary queries; may lead through a transaction pooler. It is known to parse.
    pub url: Secret,
    /// Without a pooler, for migrations and the relay. It is known to parse.
    pub direct_url: Secret,
    /// Whether `url` and `direct_url` lead to different places: `url` then is taken for a transaction pooler's.
    pub pooled: bool,
    /// Largest pool of this replica.
    pub max_connections: u32,
    /// The schema that the service owns.
    pub schema: Schema,
}

impl DatabaseSettings {
    /// Reads them. `None` when the reader has noted a problem.
    ///
    /// # Panics
    /// When the service owns no schema: a bug.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let owned = reader.service().schema;
        let schema = database::ALL
            .iter()
            .find(|it| Some(it.name) == owned)
            .expect("the service owns a schema");
        let url = reader.required(&TASKFLOW_DATABASE_URL, postgres_url);
        let direct_url = reader.optional(&TASKFLOW_DATABASE_DIRECT_URL, postgres_url);
        let max_connections = reader.optional(&TASKFLOW_DATABASE_MAX_CONNECTIONS, integer(1..=200));
        let url = url?;
        let direct_url = direct_url.unwrap_or_else(|| url.clone());
        Some(Self {
            pooled: url != direct_url,
            url,
            direct_url,
            max_connections: max_connections.unwrap_or(schema.default_pool_connections),
            schema: *schema,
        })
    }
}

fn postgres_url(value: &str) -> Option<Secret> {
    let scheme = value.starts_with("postgresql://") || value.starts_with("postgres://");
    (scheme && value.parse::<PgConnectOptions>().is_ok()).then(|| Secret::new(value))
}
