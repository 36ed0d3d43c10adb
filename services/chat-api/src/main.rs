//! The process of chat-api: see the library.

use std::process::ExitCode;

use catalogue::services::CHAT_API;
use service_kit::cli::{self, Definition};

fn main() -> ExitCode {
    cli::main(Definition {
        service: &CHAT_API,
        migrations: Some(&chat_api::MIGRATIONS),
        settings: chat_api::Settings::read,
        build: chat_api::build,
    })
}
