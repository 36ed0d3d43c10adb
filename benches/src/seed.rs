//! Many tasks at once, straight into the table.

use anyhow::Result;
use sqlx::{AssertSqlSafe, PgPool};

use crate::world::CLIENTS;

/// So many open tasks for each client of pgbench, with numbers one after another: those of the client `c` begin behind
/// `start + c * each`. Returns `start`.
pub(crate) async fn for_clients(pool: &PgPool, each: u64) -> Result<i64> {
    let start: i64 = sqlx::query_scalar("select coalesce(max(id), 0) from chat.task")
        .fetch_one(pool)
        .await?;
    let clients = i64::try_from(CLIENTS)?;
    let each = i64::try_from(each)?;
    insert(pool, &format!("((number - 1) / {each})::text"), start, clients * each).await?;
    Ok(start)
}

/// So many open tasks for each of the people of [`World::tokens`](crate::world::World::tokens).
pub(crate) async fn for_people(pool: &PgPool, people: i64, each: i64) -> Result<()> {
    insert(pool, &format!("'person-' || ((number - 1) / {each})"), 0, people * each).await
}

/// Words as they stand in tasks, the frequent ones first: the place of a word is squared away from the end.
const WORDS: &[&str] = &[
    "call",
    "buy",
    "pay",
    "water",
    "book",
    "clean",
    "write",
    "check",
    "send",
    "plan",
    "repair",
    "order",
    "visit",
    "learn",
    "read",
    "cook",
    "plants",
    "invoice",
    "dentist",
    "groceries",
    "rent",
    "report",
    "meeting",
    "birthday",
    "garden",
    "kitchen",
    "holiday",
    "insurance",
    "passport",
    "laundry",
    "bicycle",
    "window",
    "curtains",
    "budget",
    "contract",
    "presentation",
    "newsletter",
    "backup",
    "password",
    "firewall",
    "balcony",
    "tomatoes",
    "recipe",
    "flight",
    "hotel",
    "luggage",
    "pharmacy",
    "prescription",
    "vaccination",
    "electricity",
    "plumber",
    "carpenter",
    "piano",
    "violin",
    "rehearsal",
    "choir",
    "library",
    "museum",
    "exhibition",
    "theatre",
    "tickets",
    "parcel",
    "return",
    "warranty",
    "telescope",
    "microscope",
    "harbour",
    "lighthouse",
    "zeppelin",
    "quartz",
];

/// Inserts tasks with numbers behind `start`; `user` is an expression over `number`, 1 for the first.
pub(crate) async fn insert(pool: &PgPool, user: &str, start: i64, count: i64) -> Result<()> {
    let words: Vec<String> = WORDS.iter().map(|word| format!("'{word}'")).collect();
    let (words, last) = (words.join(","), WORDS.len());
    // Pseudo-random, and the same each time: `hashint8` spreads the number, squaring favours the front of the list.
    let word = |salt: u32| {
        format!(
            "(array[{words}])[1 + floor({last} * power((hashint8extended(number, {salt}) & 65535) / 65536.0, 2))::integer]"
        )
    };
    let texts = |salts: std::ops::Range<u32>| salts.map(word).collect::<Vec<_>>().join(" || ' ' || ");
    let statement = format!(
        "insert into chat.task (id, user_id, title, description, status, priority, tags, due_kind, due_local, due_at,
             reminders, version, created_at, updated_at, search_language)
         select {start} + number, {user}, {title} || ' ' || number, {description}, 'open', number % 5,
             array[{tag}], 'instant', timestamp '2031-01-01' + number * interval '1 minute',
             timestamptz '2031-01-01 00:00Z' + number * interval '1 minute', '[]', 1, now(), now(), 'english'
         from generate_series(1::bigint, {count}) as number",
        title = texts(1..5),
        description = texts(10..22),
        tag = word(30),
    );
    sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
    sqlx::query("select setval(pg_get_serial_sequence('chat.task', 'id'), (select max(id) from chat.task))")
        .execute(pool)
        .await?;
    Ok(())
}

/// As [`for_people`], for searches: the indexes of words are made at the end, which is many times faster, and everything
/// is where vacuum puts it sooner or later.
pub(crate) async fn searchable(pool: &PgPool, people: i64, each: i64) -> Result<()> {
    const INDEXES: &str =
        "select indexname, indexdef from pg_indexes where schemaname = 'chat' and indexdef like '% USING gin %'";
    let indexes: Vec<(String, String)> = sqlx::query_as(INDEXES).fetch_all(pool).await?;
    for (name, _) in &indexes {
        sqlx::query(AssertSqlSafe(format!("drop index chat.{name}")))
            .execute(pool)
            .await?;
    }
    for_people(pool, people, each).await?;
    for (_, definition) in indexes {
        sqlx::query(AssertSqlSafe(definition)).execute(pool).await?;
    }
    sqlx::query("vacuum analyze chat.task").execute(pool).await?;
    Ok(())
}
