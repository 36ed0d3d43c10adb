//! The process of notification: see the library.

use std::process::ExitCode;

use catalogue::services::NOTIFICATION;
use service_kit::cli::{self, Definition};

fn main() -> ExitCode {
    cli::main(Definition {
        service: &NOTIFICATION,
        migrations: Some(&notification::MIGRATIONS),
        settings: notification::Settings::read,
        build: notification::build,
    })
}
