//! The tags of a person's tasks.

use domain::id::UserId;
use sqlx::{PgConnection, Result};

/// A tag, and how many tasks have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TagRow {
    pub(crate) name: String,
    pub(crate) open_tasks: i64,
    pub(crate) tasks: i64,
}

/// Tags of this person behind the tag `behind`, in the order of their bytes.
pub(crate) async fn page(
    connection: &mut PgConnection,
    user: &UserId,
    behind: Option<&str>,
    limit: i64,
) -> Result<Vec<TagRow>> {
    sqlx::query_as!(
        TagRow,
        r#"select tag as "name!", count(*) filter (where status = 'open') as "open_tasks!", count(*) as "tasks!"
        from chat.task, unnest(tags) as tag
        where user_id = $1 and ($2::text is null or tag collate "C" > $2)
        group by tag order by tag collate "C" limit $3"#,
        user.as_str(),
        behind,
        limit,
    )
    .fetch_all(connection)
    .await
}
