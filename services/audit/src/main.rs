//! The process of audit: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    audit::command_line::run()
}
