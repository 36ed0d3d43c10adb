//! The commands of dlq-monitor: those of every service, and `dlq` for operators.
//!
//! `dlq` works on the database that the environment names, as the service itself does: where the service runs, nothing
//! else is needed. A replay that it begins is carried out by the service.
//!
//! | exit code of `dlq` | means |
//! |---|---|
//! | 0 | done; of `replay`: every letter went back or was found overtaken; of `dry-run`: every letter would |
//! | 1 | letters were held back, a replay was stopped, or the database could not be used |
//! | 2 | the command line or the configuration is wrong |

mod print;

use std::{env, process::ExitCode, time::Duration};

use catalogue::{Catalogue, services::DLQ_MONITOR};
use clap::{Args, Parser, Subcommand};
use metrics::Metrics;
use service_kit::{
    cli::{self, Definition},
    config::{DatabaseSettings, Reader},
    database::{self, Database},
    telemetry::chain,
};
use tokio::{runtime::Runtime, time::sleep};
use uuid::Uuid;

use crate::{
    desk::{
        self, Actor, HIGHEST_RATE, Replay, Selection, Stopped,
        view::{Group, Head, Shown, Statistics},
    },
    store::{self, letters::Filter},
};

/// Exit code for a wrong command line or configuration.
const INVALID: u8 = 2;
/// Time between two looks how far a replay is.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Looks without progress after which a hint is given.
const LOOKS_BEFORE_HINT: u32 = 20;

#[derive(Parser)]
#[command(name = DLQ_MONITOR.app_id, about = DLQ_MONITOR.summary, version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    OfEveryService(cli::Command),
    /// Look at dead letters, and decide what becomes of them
    #[command(
        after_help = "The usual way: `stats`, `group`, `show` one of a group; mend and release the cause; `dry-run`, `replay`."
    )]
    Dlq(Box<Dlq>),
}

#[derive(Args)]
struct Dlq {
    /// Print JSON instead of text
    #[arg(long, global = true)]
    json: bool,
    /// Who does it, for the record; the user of the terminal without it
    #[arg(long = "as", global = true, value_name = "NAME")]
    actor: Option<String>,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// How many wait and for how long, how many came, what became of them
    Stats,
    /// What waits, by cause: the largest group first
    Group,
    /// Letters that wait, the oldest first
    List(Chosen),
    /// One letter with all that is known of it
    Show {
        /// Which
        id: Uuid,
    },
    /// Say what a replay would do, and do nothing
    DryRun {
        #[command(flatten)]
        chosen: Chosen,
        /// Also what came back after an earlier replay
        #[arg(long)]
        again: bool,
    },
    /// Put events back to where they came from, in order per key
    Replay {
        #[command(flatten)]
        chosen: Chosen,
        /// Letters a second at the most
        #[arg(long, default_value_t = desk::USUAL_RATE, value_parser = clap::value_parser!(i32).range(1..=i64::from(HIGHEST_RATE)))]
        rate: i32,
        /// Also what came back after an earlier replay
        #[arg(long)]
        again: bool,
        /// What to remember about it
        #[arg(long)]
        note: Option<String>,
        /// Return once it is begun
        #[arg(long)]
        no_wait: bool,
    },
    /// Stop a replay: what went has gone, the rest waits
    Stop {
        /// Which, as `replay` has told
        action: Uuid,
    },
    /// Give letters up for good
    Discard {
        #[command(flatten)]
        chosen: Chosen,
        /// Why, for the record
        #[arg(long = "because", value_name = "WHY")]
        note: String,
    },
}

/// Which letters: those that wait and fit all that is given
#[derive(Args)]
struct Chosen {
    /// These
    ids: Vec<Uuid>,
    /// Given up in this topic
    #[arg(long)]
    topic: Option<String>,
    /// Of this group, as `group` shows it
    #[arg(long)]
    group: Option<String>,
    /// Given up for this kind of failure
    #[arg(long)]
    reason: Option<String>,
    /// Given up by this service
    #[arg(long)]
    consumer: Option<String>,
    /// With an event of this type
    #[arg(long = "type")]
    event_type: Option<String>,
    /// About this task
    #[arg(long = "task")]
    task_id: Option<i64>,
    /// With this event
    #[arg(long = "event")]
    event_id: Option<Uuid>,
    /// All of them
    #[arg(long)]
    all: bool,
    /// So many at the most, the first in line
    #[arg(long)]
    limit: Option<i64>,
}

impl From<Chosen> for Selection {
    fn from(chosen: Chosen) -> Self {
        Self {
            ids: chosen.ids,
            topic: chosen.topic,
            group: chosen.group,
            reason: chosen.reason,
            consumer: chosen.consumer,
            event_type: chosen.event_type,
            task_id: chosen.task_id,
            event_id: chosen.event_id,
            all: chosen.all,
            limit: chosen.limit,
        }
    }
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{0}")]
    Refused(&'static str),
    #[error("the database could not be used")]
    Database(#[from] sqlx::Error),
}

/// Runs the process as its command line says.
#[must_use]
pub fn run() -> ExitCode {
    let reader = Reader::from_process(&DLQ_MONITOR);
    match CommandLine::parse().command {
        Command::OfEveryService(command) => {
            let definition = Definition {
                service: &DLQ_MONITOR,
                migrations: Some(&crate::MIGRATIONS),
                settings: crate::Settings::read,
                build: crate::build,
            };
            cli::run(command, definition, reader)
        }
        Command::Dlq(dlq) => operate(*dlq, reader),
    }
}

/// Needs the database and nothing else.
fn operate(dlq: Dlq, mut reader: Reader) -> ExitCode {
    let settings = DatabaseSettings::read(&mut reader);
    let settings = match reader.finish(settings) {
        Ok(settings) => settings,
        Err(invalid) => {
            eprintln!("{invalid}");
            return ExitCode::from(INVALID);
        }
    };
    let metrics = Metrics::new(&Catalogue::taskflow(), DLQ_MONITOR.app_id);
    let done = Runtime::new()
        .map_err(|error| Error::from(sqlx::Error::Io(error)))
        .and_then(|runtime| {
            runtime.block_on(async {
                let database = database::connect(&settings, &metrics);
                carry_out(dlq, &database).await
            })
        });
    match done {
        Ok(well) => ExitCode::from(u8::from(!well)),
        Err(error @ Error::Refused(_)) => {
            eprintln!("{error}");
            ExitCode::from(INVALID)
        }
        Err(error) => {
            eprintln!("{}", chain(&error));
            ExitCode::FAILURE
        }
    }
}

/// Says whether nothing was held back.
async fn carry_out(dlq: Dlq, database: &Database) -> Result<bool, Error> {
    let out = print::Output { json: dlq.json };
    let by = Actor {
        name: format!(
            "cli:{}",
            dlq.actor
                .or_else(|| env::var("USER").ok())
                .unwrap_or_else(|| "unknown".to_owned())
        ),
        correlation_id: Uuid::now_v7().to_string(),
    };
    match dlq.what {
        What::Stats => out.statistics(&Statistics::load(database).await?),
        What::Group => {
            let mut connection = database.acquire().await?;
            let groups = store::statistics::groups(&mut connection, &Filter::default(), 200).await?;
            out.groups(&groups.into_iter().map(Group::from).collect::<Vec<_>>());
        }
        What::List(chosen) => {
            let selection = Selection::from(chosen);
            let limit = selection.limit.unwrap_or(50).clamp(1, desk::MOST_LETTERS);
            let mut connection = database.acquire().await?;
            let page =
                store::letters::page(&mut connection, &selection.filter(), Some("waiting"), None, limit + 1).await?;
            let more = i64::try_from(page.len()).is_ok_and(|length| length > limit);
            let page = page
                .into_iter()
                .map(Head::from)
                .take(usize::try_from(limit).unwrap_or(usize::MAX));
            out.letters(&page.collect::<Vec<_>>(), more);
        }
        What::Show { id } => {
            let shown = Shown::load(database, id).await?;
            out.letter(&shown.ok_or(Error::Refused("there is no letter with this id; `dlq list` shows them"))?);
        }
        What::DryRun { chosen, again } => {
            let (action, items) = desk::dry_run(database, &meant(chosen)?, again, &by).await?;
            out.report(&action, &items);
            return Ok(action.held() == 0);
        }
        What::Replay {
            chosen,
            rate,
            again,
            note,
            no_wait,
        } => {
            let replay = Replay {
                selection: meant(chosen)?,
                rate,
                again,
                note,
            };
            let begun = desk::replay(database, &replay, &by).await?;
            out.begun(&begun);
            return if no_wait {
                Ok(true)
            } else {
                follow(database, begun.id, out).await
            };
        }
        What::Stop { action } => match desk::stop(database, action, &by).await? {
            Stopped::Now(action) => out.report(&action, &[]),
            Stopped::Before(action) => {
                out.report(&action, &[]);
                return Ok(false);
            }
            Stopped::Unknown => return Err(Error::Refused("there is no action with this id")),
        },
        What::Discard { chosen, note } => {
            if note.trim().is_empty() {
                return Err(Error::Refused("`--because` must say why"));
            }
            let action = desk::discard(database, &meant(chosen)?, &note, &by, None).await?;
            out.report(&action, &[]);
        }
    }
    Ok(true)
}

fn meant(chosen: Chosen) -> Result<Selection, Error> {
    let selection = Selection::from(chosen);
    match selection.check() {
        Ok(()) => Ok(selection),
        Err(desk::selection::Wrong::Empty) => Err(Error::Refused(
            "say which letters are meant: ids, `--group`, `--topic`, … or `--all`",
        )),
        Err(desk::selection::Wrong::Contradiction) => Err(Error::Refused("`--all` goes together with nothing else")),
        Err(desk::selection::Wrong::Ids) => Err(Error::Refused("at most 1000 ids can be given at once")),
        Err(desk::selection::Wrong::Limit) => Err(Error::Refused("`--limit` must be from 1 to 10000")),
    }
}

/// Tells how far a replay is until it ends; says whether nothing was held back.
async fn follow(database: &Database, id: Uuid, out: print::Output) -> Result<bool, Error> {
    let (mut told, mut looks) = (-1, 0);
    loop {
        let Some((action, items)) = desk::action(database, id).await? else {
            return Err(Error::Refused("the replay is gone"));
        };
        if action.state != "running" {
            out.report(&action, &items);
            return Ok(action.state == "done" && action.held() == 0);
        }
        if action.dealt_with() == told {
            looks += 1;
        } else {
            (told, looks) = (action.dealt_with(), 0);
            out.progress(&action);
        }
        if looks == LOOKS_BEFORE_HINT {
            print::hint(
                "nothing has happened for 10 s: is a replica of dlq-monitor serving? Ctrl-C ends waiting, not the replay",
            );
        }
        sleep(LOOK_EVERY).await;
    }
}
