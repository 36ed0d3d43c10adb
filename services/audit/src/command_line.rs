//! The commands of audit: those of every service, and `verify`.
//!
//! | exit code of `verify` | means |
//! |---|---|
//! | 0 | every row is what was appended |
//! | 1 | rows were removed or altered, each told in a line; or the database could not be read |
//! | 2 | the command line or the configuration is wrong |

use std::process::ExitCode;

use catalogue::{Catalogue, services::AUDIT};
use clap::{Parser, Subcommand};
use metrics::Metrics;
use service_kit::{
    cli::{self, Definition},
    config::{DatabaseSettings, Reader},
    database,
    telemetry::chain,
};
use tokio::runtime::Runtime;

use crate::verify;

/// Exit code for a wrong configuration.
const INVALID: u8 = 2;

#[derive(Parser)]
#[command(name = AUDIT.app_id, about = AUDIT.summary, version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Subcommand)]
enum Command {
    #[command(flatten)]
    OfEveryService(cli::Command),
    /// Look for rows of the record that were removed or altered; may run beside `serve`
    Verify,
}

/// Runs the process as its command line says.
#[must_use]
pub fn run() -> ExitCode {
    let reader = Reader::from_process(&AUDIT);
    match CommandLine::parse().command {
        Command::OfEveryService(command) => {
            let definition = Definition {
                service: &AUDIT,
                migrations: Some(&crate::MIGRATIONS),
                settings: crate::Settings::read,
                build: crate::build,
            };
            cli::run(command, definition, reader)
        }
        Command::Verify => verify(reader),
    }
}

/// Needs the database and nothing else.
fn verify(mut reader: Reader) -> ExitCode {
    let settings = DatabaseSettings::read(&mut reader);
    let settings = match reader.finish(settings) {
        Ok(settings) => settings,
        Err(invalid) => {
            eprintln!("{invalid}");
            return ExitCode::from(INVALID);
        }
    };
    let metrics = Metrics::new(&Catalogue::taskflow(), AUDIT.app_id);
    let mut broken = 0;
    let verified = Runtime::new().map_err(sqlx::Error::Io).and_then(|runtime| {
        runtime.block_on(async {
            let database = database::connect(&settings, &metrics);
            verify::everything(&database, |flaw| {
                broken += flaw.rows();
                println!("{flaw}");
            })
            .await
        })
    });
    match verified {
        Ok(verified) => {
            println!("{} rows in {} chains: {broken} broken", verified.rows, verified.chains);
            ExitCode::from(u8::from(broken > 0))
        }
        Err(error) => {
            eprintln!("could not read the record: {}", chain(&error));
            ExitCode::FAILURE
        }
    }
}
