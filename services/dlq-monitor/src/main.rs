//! The process of dlq-monitor: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    dlq_monitor::command_line::run()
}
