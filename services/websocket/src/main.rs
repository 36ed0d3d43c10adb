//! The process of websocket: see the library.

use std::process::ExitCode;

use catalogue::services::WEBSOCKET;
use service_kit::cli::{self, Definition};

fn main() -> ExitCode {
    cli::main(Definition {
        service: &WEBSOCKET,
        migrations: None,
        settings: websocket::Settings::read,
        build: websocket::build,
    })
}
