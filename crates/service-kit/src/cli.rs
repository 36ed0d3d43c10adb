//! The command line that all services share, and the life of their process.
//!
//! ```text
//! chat-api serve           answers and works until it is told to stop
//! chat-api migrate         brings the schema to what this release needs
//! chat-api check-config    tells everything that is wrong with the configuration
//! ```
//!
//! | exit code | means |
//! |---|---|
//! | 0 | done; of `serve`: stopped when asked, everything begun was finished |
//! | 1 | failed; of `serve`: a task ended unasked, or work was left at the deadline |
//! | 2 | the command line or the configuration is wrong |
//! | 130, 143 | ended at once by a second SIGINT or SIGTERM |
//!
//! There is no default command: what a process does to its database is said where it is started.

use std::{process::ExitCode, time::Duration};

use catalogue::{Catalogue, Service};
use clap::{Command as Parser, FromArgMatches as _, Subcommand};
use metrics::Metrics;
use sqlx::migrate::Migrator;
use tokio::{
    runtime::Runtime,
    time::{Instant, timeout},
};

use crate::{
    config::{DatabaseSettings, InvalidConfiguration, Reader, ServiceSettings, UnknownVariable},
    database::{self, Database},
    health::Health,
    server::{self, Listeners, Routes, Site},
    shutdown::{BoxError, Tasks, stop_on_signal},
    telemetry::{self, Telemetry, chain},
};

/// Exit code for a wrong command line or configuration.
const INVALID: u8 = 2;
/// Time that `migrate` has; the Job around it has a little more.
const MIGRATION_TIME: Duration = Duration::from_mins(4);
/// Time to close idle connections to the database.
const GOODBYE_TIME: Duration = Duration::from_millis(200);
/// Part of the drain that is kept for the last spans.
const FLUSH_PART: u32 = 5;

/// What every service can be told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Answer and work until told to stop
    Serve,
    /// Bring the database schema to what this release needs
    Migrate,
    /// Tell everything that is wrong with the configuration
    CheckConfig,
}

/// What makes a service: the rest is the same for all.
#[derive(Clone, Debug)]
pub struct Definition<S, B> {
    /// Its entry in the catalogue.
    pub service: &'static Service,
    /// Its migrations; present exactly when it owns a schema.
    pub migrations: Option<&'static Migrator>,
    /// Reads its own settings, besides those of every service.
    pub settings: fn(&mut Reader) -> Option<S>,
    /// Puts it together: its routes, and its tasks, spawned on [`Foundation::tasks`].
    pub build: B,
}

/// What a service is built upon.
#[derive(Clone, Debug)]
pub struct Foundation {
    /// Settings that every service has.
    pub settings: ServiceSettings,
    /// Its metrics.
    pub metrics: Metrics,
    /// Its health: a check for everything that it needs.
    pub health: Health,
    /// Its long-running tasks.
    pub tasks: Tasks,
    /// Its database, watched already; present exactly when the service owns a schema.
    pub database: Option<Database>,
}

/// Runs the process of a service as its command line says, which is one of [`Command`].
pub fn main<S, B>(definition: Definition<S, B>) -> ExitCode
where
    B: AsyncFnOnce(S, Foundation) -> Result<Routes, BoxError>,
{
    let Service { app_id, summary, .. } = *definition.service;
    let parser = Parser::new(app_id)
        .about(summary)
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true);
    let matches = Command::augment_subcommands(parser).get_matches();
    let command = Command::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let reader = Reader::from_process(definition.service);
    run(command, definition, reader)
}

/// Runs one command with the variables of the reader: for services that have commands of their own beside these.
pub fn run<S, B>(command: Command, definition: Definition<S, B>, reader: Reader) -> ExitCode
where
    B: AsyncFnOnce(S, Foundation) -> Result<Routes, BoxError>,
{
    match command {
        Command::Serve => serve(definition, reader),
        Command::Migrate => migrate(&definition, reader),
        Command::CheckConfig => check_config(&definition, reader),
    }
}

fn check_config<S, B>(definition: &Definition<S, B>, mut reader: Reader) -> ExitCode {
    let settings = read(definition, &mut reader);
    let (unknown, checked) = (reader.unknown(), reader.finish(settings));
    for variable in &unknown {
        eprintln!("{variable}");
    }
    if let Err(invalid) = &checked {
        eprintln!("{invalid}");
    }
    if checked.is_ok() && unknown.is_empty() {
        println!("the configuration of {} is valid", definition.service.app_id);
        return ExitCode::SUCCESS;
    }
    ExitCode::from(INVALID)
}

fn migrate<S, B>(definition: &Definition<S, B>, mut reader: Reader) -> ExitCode {
    telemetry::with_log(|| {
        let Some(migrations) = definition.migrations else {
            tracing::error!("{} owns no schema", definition.service.app_id);
            return ExitCode::from(INVALID);
        };
        // A migration is given its database and nothing else.
        let settings = DatabaseSettings::read(&mut reader);
        let settings = match reader.finish(settings) {
            Ok(settings) => settings,
            Err(invalid) => return refuse(&invalid),
        };
        let migrated = block_on(async {
            let deadline = Instant::now() + MIGRATION_TIME;
            database::migrate(&settings, migrations, deadline)
                .await
                .map_err(BoxError::from)
        });
        match migrated {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error),
        }
    })
}

fn serve<S, B>(definition: Definition<S, B>, mut reader: Reader) -> ExitCode
where
    B: AsyncFnOnce(S, Foundation) -> Result<Routes, BoxError>,
{
    let settings = read(&definition, &mut reader);
    let unknown = reader.unknown();
    let (settings, own) = match reader.finish(settings) {
        Ok(settings) => settings,
        Err(invalid) => return telemetry::with_log(|| refuse(&invalid)),
    };
    match block_on(live(definition, settings, own, unknown)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => telemetry::with_log(|| fail(&error)),
    }
}

/// The life of a serving process. Says whether it ended well.
async fn live<S, B>(
    definition: Definition<S, B>,
    settings: ServiceSettings,
    own: S,
    unknown: Vec<UnknownVariable>,
) -> Result<bool, BoxError>
where
    B: AsyncFnOnce(S, Foundation) -> Result<Routes, BoxError>,
{
    let metrics = Metrics::new(&Catalogue::taskflow(), definition.service.app_id);
    let telemetry = Telemetry::start(&settings, &metrics)?;
    for variable in unknown {
        // Only a warning: an older release must start with the variables of a newer one.
        tracing::warn!(variable = variable.name, "{variable}");
    }
    let drain = settings.process.drain;
    let flush = drain / FLUSH_PART;
    let ended_well = work(definition, settings, own, metrics, drain.saturating_sub(flush))
        .await
        .unwrap_or_else(|error| {
            let error = chain(&*error);
            tracing::error!(error, "the service could not start: {error}");
            false
        });
    telemetry.flush(flush).await;
    Ok(ended_well)
}

async fn work<S, B>(
    definition: Definition<S, B>,
    settings: ServiceSettings,
    own: S,
    metrics: Metrics,
    drain: Duration,
) -> Result<bool, BoxError>
where
    B: AsyncFnOnce(S, Foundation) -> Result<Routes, BoxError>,
{
    let tasks = Tasks::new();
    stop_on_signal(tasks.stop().clone())?;
    let health = Health::new(&metrics, tasks.stop().clone());
    let database = settings
        .database
        .as_ref()
        .map(|settings| database::connect(settings, &metrics));
    if let (Some(database), Some(migrations)) = (&database, definition.migrations) {
        let watch = database::watch(database, migrations, &health, tasks.stop().clone());
        tasks.spawn_infallible("database-watch", watch);
    }
    let site = Site {
        metrics: metrics.clone(),
        health: health.clone(),
        tasks: tasks.clone(),
        limits: settings.limits,
    };
    let process = settings.process.clone();
    let foundation = Foundation {
        settings,
        metrics,
        health,
        tasks: tasks.clone(),
        database: database.clone(),
    };
    let routes = (definition.build)(own, foundation).await?;
    let listeners = Listeners::bind(&process).await?;
    let finished = server::run(listeners, routes, site, drain).await;
    if let Some(database) = database {
        // Says goodbye to the server; a connection that is still in use is cut.
        drop(timeout(GOODBYE_TIME, database.close()).await);
    }
    tracing::info!(finished, "stopped");
    Ok(finished && !tasks.has_failed())
}

fn read<S, B>(definition: &Definition<S, B>, reader: &mut Reader) -> Option<(ServiceSettings, S)> {
    let settings = ServiceSettings::read(reader);
    let own = (definition.settings)(reader);
    Some((settings?, own?))
}

fn block_on<T>(future: impl Future<Output = Result<T, BoxError>>) -> Result<T, BoxError> {
    // Whoever makes a TLS connection first would otherwise have to choose; a second choice changes nothing.
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = Runtime::new()?;
    let done = runtime.block_on(future);
    // Work that did not end in time is not waited for a second time.
    runtime.shutdown_background();
    done
}

fn refuse(invalid: &InvalidConfiguration) -> ExitCode {
    for error in &invalid.errors {
        tracing::error!(variable = error.variable, "{error}");
    }
    ExitCode::from(INVALID)
}

fn fail(error: &BoxError) -> ExitCode {
    let error = chain(&**error);
    tracing::error!(error, "{error}");
    ExitCode::FAILURE
}
