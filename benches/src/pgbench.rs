//! `pgbench` with the statements of chat-api: what PostgreSQL alone does on this machine, with a client that does
//! nothing else.

use std::{fmt::Write as _, time::Duration};

use anyhow::{Context as _, Result};
use sqlx::PgPool;
use test_kit::Database;

use crate::{
    scripts::{DESCRIPTION, DUE_AT},
    seed,
    world::{CLIENTS, World},
};

const CREATE: &str = include_str!("../pgbench/create.sql");
const COMPLETE: &str = include_str!("../pgbench/complete.sql");

/// Runs pgbench on the script that is its first argument.
const SHELL: &str = r#"printf '%s' "$1" > /tmp/script.sql; shift; exec pgbench "$@" 2>&1"#;

/// Tasks that one client can complete in a second, and more.
const COMPLETIONS_PER_SECOND: u64 = 600;

/// What pgbench is told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    Create,
    Complete,
}

/// Transactions per second.
pub(crate) async fn run(
    world: &World,
    database: &Database,
    pool: &PgPool,
    script: Script,
    time: Duration,
) -> Result<f64> {
    let each = (COMPLETIONS_PER_SECOND * time.as_secs()).max(1);
    let (text, start) = match script {
        Script::Create => (CREATE, 0),
        Script::Complete => (COMPLETE, seed::for_clients(pool, each).await?),
    };
    sqlx::query("checkpoint").execute(pool).await?;
    let (clients, seconds) = (CLIENTS.to_string(), time.as_secs().to_string());
    let mut command = vec!["sh", "-c", SHELL, "sh", text];
    let (url, variables) = (address_inside(&database.url())?, variables(start, each));
    command.extend(["--no-vacuum", "--protocol=prepared", "--file=/tmp/script.sql"]);
    command.extend(["--client", &clients, "--time", &seconds]);
    command.extend(variables.iter().map(String::as_str));
    command.push(&url);
    let output = world.engines.postgres.run_inside(&command).await;
    sqlx::query("truncate chat.outbox").execute(pool).await?;
    let line = output.lines().find_map(|line| line.strip_prefix("tps = "));
    let number = line.and_then(|line| line.split_whitespace().next());
    let number = number.with_context(|| format!("pgbench tells no rate: {output}"))?;
    Ok(number.parse()?)
}

/// The database as it is reached beside the server, without the settings of another client.
fn address_inside(url: &str) -> Result<String> {
    let (address, _) = url.split_once('?').unwrap_or((url, ""));
    let (who, rest) = address.split_once('@').context("an address with a user")?;
    let (_, database) = rest.split_once('/').context("an address with a database")?;
    Ok(format!("{who}@127.0.0.1:5432/{database}"))
}

/// The values, as options. What the service binds as a value is one here too.
fn variables(start: i64, each: u64) -> Vec<String> {
    let payload = payload();
    let hex = payload.bytes().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let values = [
        ("n", "0".to_owned()),
        ("start", start.to_string()),
        ("each", each.to_string()),
        ("title", "Water the plants 1000".to_owned()),
        ("description", DESCRIPTION.to_owned()),
        ("open", "open".to_owned()),
        ("created", "created".to_owned()),
        ("completed", "completed".to_owned()),
        ("priority", "3".to_owned()),
        ("tags", "{garden,home}".to_owned()),
        ("due_kind", "instant".to_owned()),
        ("due_local", "2031-05-01 08:00:00".to_owned()),
        ("due_at", DUE_AT.to_owned()),
        ("reminders", "[]".to_owned()),
        ("first", "1".to_owned()),
        ("second", "2".to_owned()),
        ("now", "2030-01-01T00:00:00.123456Z".to_owned()),
        ("language", "english".to_owned()),
        ("correlation", "0199a3c0-5f5e-7c1d-9d7c-1f3a5b7c9d0e".to_owned()),
        ("fields", r#"{"status": {"to": "completed", "from": "open"}, "title": {"to": "Water the plants 1000", "from": null}}"#.to_owned()),
        ("ids", "{0199a3c0-5f5e-7c1d-9d7c-1f3a5b7c9d0e}".to_owned()),
        ("topics", "{task-events}".to_owned()),
        ("keys", "{1000}".to_owned()),
        ("types", "{dev.taskflow.task.created.v1}".to_owned()),
        ("payloads", format!(r#"{{"\\x{hex}"}}"#)),
        ("traces", "{00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01}".to_owned()),
        ("slots", "{7}".to_owned()),
    ];
    values.map(|(name, value)| format!("--define={name}={value}")).into()
}

/// As long as the event of such a task.
fn payload() -> String {
    let mut payload = format!(r#"{{"specversion":"1.0","data":{{"description":"{DESCRIPTION}"}}}}"#);
    while payload.len() < EVENT_BYTES {
        payload.push(' ');
    }
    payload
}

/// Bytes of the event of a task as the measures create it.
const EVENT_BYTES: usize = 900;

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// The statement without what is spelled differently: white space, names of columns for sqlx, and values.
    fn bare(statement: &str) -> String {
        let mut words = Vec::new();
        for word in statement.split_whitespace() {
            words.push(word);
        }
        let text = words.join(" ").replace("( ", "(").replace(" )", ")");
        let text = text.replace("as \"id!\"", "as id");
        let mut bare = String::new();
        let mut rest = text.as_str();
        while let Some(next) = rest.chars().next() {
            let (placeholder, length) = placeholder(rest, bare.chars().next_back());
            if placeholder {
                bare.push('?');
                rest = &rest[length..];
            } else {
                bare.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
        bare
    }

    /// Whether a value stands here: `$1`, `:name`, or `null` in its place; and how long it is.
    fn placeholder(rest: &str, before: Option<char>) -> (bool, usize) {
        let word = |text: &str| text.chars().take_while(|it| it.is_alphanumeric() || *it == '_').count();
        if let Some(number) = rest.strip_prefix('$') {
            return (true, 1 + word(number));
        }
        if let Some(name) = rest.strip_prefix(':')
            && before != Some(':')
            && name.starts_with(|it: char| it.is_ascii_lowercase())
        {
            return (true, 1 + word(name));
        }
        let is_value = before == Some(' ') && rest.starts_with("null") && !rest.starts_with("null order");
        (is_value, 4)
    }

    fn statements(script: &str) -> Vec<String> {
        let lines = script
            .lines()
            .filter(|line| !line.starts_with("--") && !line.starts_with("\\set"));
        let script = lines.collect::<Vec<_>>().join("\n").replace(" \\gset", ";");
        let statements = script.split(';').map(bare).filter(|it| !it.is_empty());
        statements.filter(|it| it != "begin" && it != "commit").collect()
    }

    /// What sqlx has seen of the queries of chat-api, and how the outbox is written.
    fn known() -> Vec<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let folder = root.join(".sqlx");
        let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let queries = files
            .filter(|path| path.extension().is_some_and(|it| it == "json"))
            .map(|path| {
                let file: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
                bare(file["query"].as_str().unwrap())
            });
        let append = fs::read_to_string(root.join("crates/outbox/src/append.rs")).unwrap();
        let (_, statement) = append.split_once("\"insert into {}").unwrap();
        let (statement, _) = statement.split_once("\",").unwrap();
        queries.chain([bare(&format!("insert into chat{statement}"))]).collect()
    }

    #[test]
    fn pgbench_runs_the_statements_of_the_service() {
        let known = known();
        for (script, count) in [(CREATE, 4), (COMPLETE, 4)] {
            let statements = statements(script);
            assert_eq!(statements.len(), count, "{statements:#?}");
            for statement in statements {
                assert!(
                    known.contains(&statement),
                    "the service has no such statement: {statement}"
                );
            }
        }
    }
}
