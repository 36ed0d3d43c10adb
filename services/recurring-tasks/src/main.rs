//! The process of recurring-tasks: see the library.

use std::process::ExitCode;

use catalogue::services::RECURRING_TASKS;
use service_kit::cli::{self, Definition};

fn main() -> ExitCode {
    cli::main(Definition {
        service: &RECURRING_TASKS,
        migrations: Some(&recurring_tasks::MIGRATIONS),
        settings: recurring_tasks::Settings::read,
        build: recurring_tasks::build,
    })
}
