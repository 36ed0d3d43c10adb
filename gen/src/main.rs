//! The `gen` command: reads specs, calls the compiler, writes files.

mod cli;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("gen: this is a bug: {panic}");
        eprintln!("gen: please report it with the spec that caused it and the output of `gen --version`");
    }));
    let arguments = cli::Arguments::parse();
    match cli::run(&arguments) {
        Ok(exit) => exit.into(),
        // The reader of a pipe went away: `gen ls | head -1` is no failure.
        Err(error) if cli::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gen: {error:#}");
            cli::Exit::Failure.into()
        }
    }
}
