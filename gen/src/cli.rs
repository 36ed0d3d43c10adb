//! Arguments, and what each command does with the compiler.

mod explain;
mod folder;
mod inputs;
mod report;
mod write;

use anyhow::{Context as _, Result, bail};
use catalogue::Catalogue;
use clap::{Parser, Subcommand, ValueEnum};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use taskflow_gen::diagnostic::Severity;
use taskflow_gen::emit::SelfHosted;
use taskflow_gen::{Compilation, compile, compile_self_hosted, output, spec};

/// Compiles environments/<env>.yaml into clusters/<env>/.
///
/// Without a command it writes. Exit codes: 0 nothing to report, 1 files differ (check), 2 a spec or
/// the command line is wrong, 3 warnings under --deny-warnings, 4 a file could not be read or written or is not gen's to touch, 101 a bug.
#[derive(Debug, Parser)]
#[command(name = "gen", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// An environment; may be repeated. Default: all.
    #[arg(long = "env", value_name = "ENV", global = true)]
    environments: Vec<String>,
    /// The repository. Default: the nearest parent folder that holds `environments/`.
    #[arg(long, value_name = "DIR", global = true)]
    root: Option<PathBuf>,
    /// How problems are printed.
    #[arg(long, value_enum, default_value_t, global = true)]
    format: Format,
    /// Exit with 3 when there are warnings.
    #[arg(long, global = true)]
    deny_warnings: bool,
    /// Environments compiled side by side. Default: as many as there are cores.
    #[arg(short = 'j', long, value_name = "N", global = true)]
    jobs: Option<usize>,
    /// Print only problems.
    #[arg(short, long, global = true)]
    quiet: bool,
    /// What to write: the cluster's definition, or what one machine needs of one environment to run its services with Dapr.
    #[arg(long, value_enum, default_value_t)]
    target: Target,
    /// The folder that `--target local` writes into: empty, not there yet, or from an earlier run.
    #[arg(long, value_name = "DIR", required_if_eq("target", "local"))]
    out: Option<PathBuf>,
    /// The brokers of `--target local`, without TLS and users: `host:port` pairs, comma-separated.
    #[arg(long, value_name = "HOST:PORT", required_if_eq("target", "local"))]
    brokers: Option<String>,
    /// The collector of `--target local`, OTLP over gRPC without TLS. Without it no traces are sent.
    #[arg(long, value_name = "HOST:PORT")]
    otlp: Option<String>,
    /// Print what a diagnostic code means, and how to mend it.
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare clusters/ with what would be written, without writing: edited, stale, missing, foreign.
    Check,
    /// Print the JSON Schema of environment specs, or write it into a folder.
    Schema {
        /// Write `environment.v1.json` there instead of printing it.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// List the files and objects of each environment.
    Ls,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Target {
    /// `clusters/<env>/`, committed.
    #[default]
    Cluster,
    /// The self-hosted form of Dapr's resources, never committed.
    Local,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: the line, a caret, the reason and the fix.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
    /// Annotations of GitHub Actions.
    Github,
}

/// The documented exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    Nothing = 0,
    Differences = 1,
    Invalid = 2,
    Warnings = 3,
    Failure = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

pub(crate) fn run(arguments: &Arguments) -> Result<Exit> {
    if let Some(code) = &arguments.explain {
        return explain::explain(code);
    }
    let catalogue = Catalogue::taskflow();
    if let Some(Command::Schema { out }) = &arguments.command {
        return schema(&catalogue, out.as_deref());
    }
    let root = inputs::root(arguments.root.as_deref())?;
    let read = inputs::read(&root, &arguments.environments)?;
    let today = inputs::today();
    let local = local(arguments)?;
    let compilations = in_parallel(&read.texts, jobs(arguments), |texts| match &local {
        Some((_, target)) => compile_self_hosted(&catalogue, texts, today, target),
        None => compile(&catalogue, texts, today),
    });
    let worst = report::print(&compilations, &read, arguments.format)?;
    if worst == Some(Severity::Error) || !read.unreadable.is_empty() {
        return Ok(
            if read
                .unreadable
                .iter()
                .any(|problem| problem.code == spec::codes::UNREADABLE)
            {
                Exit::Failure
            } else {
                Exit::Invalid
            },
        );
    }
    let done = match &arguments.command {
        Some(Command::Check) => check(&root, &compilations, arguments)?,
        Some(Command::Ls) => list(&compilations)?,
        None if let Some((out, _)) = &local => write_locally(out, &compilations, arguments.quiet)?,
        _ => write::write(
            &root,
            &compilations,
            arguments.quiet || arguments.format != Format::Human,
        )?,
    };
    let warned = arguments.deny_warnings && worst == Some(Severity::Warning);
    Ok(if done == Exit::Nothing && warned {
        Exit::Warnings
    } else {
        done
    })
}

/// Where the self-hosted form goes, and what it reaches; `None` for a cluster.
fn local(arguments: &Arguments) -> Result<Option<(PathBuf, SelfHosted)>> {
    if arguments.target == Target::Cluster {
        return Ok(None);
    }
    if arguments.command.is_some() || arguments.environments.len() != 1 {
        bail!("`--target local` writes one environment: name it with --env, and no command");
    }
    let (Some(out), Some(brokers)) = (&arguments.out, &arguments.brokers) else {
        bail!("`--target local` needs --out and --brokers");
    };
    let addresses = brokers.split(',').chain(arguments.otlp.as_deref());
    for address in addresses {
        if address.parse::<spec::units::HostPort>().is_err() {
            bail!("`{address}` is no address; write host:port");
        }
    }
    let target = SelfHosted {
        brokers: brokers.clone(),
        otlp: arguments.otlp.clone(),
    };
    Ok(Some((out.clone(), target)))
}

fn write_locally(out: &std::path::Path, compilations: &[Compilation], quiet: bool) -> Result<Exit> {
    match compilations {
        [
            Compilation {
                tree: Some(tree), name, ..
            },
        ] => {
            if tree.len() <= 1 {
                bail!("no service of `{name}` uses Dapr: there is nothing to write");
            }
            write::write_into(out, tree, quiet)
        }
        _ => Ok(Exit::Nothing),
    }
}

fn schema(catalogue: &Catalogue, out: Option<&std::path::Path>) -> Result<Exit> {
    let text = format!("{:#}\n", spec::schema::environment(catalogue));
    match out {
        None => std::io::stdout().lock().write_all(text.as_bytes())?,
        Some(folder) => {
            std::fs::create_dir_all(folder).with_context(|| format!("could not create {}", folder.display()))?;
            let path = folder.join("environment.v1.json");
            std::fs::write(&path, text).with_context(|| format!("could not write {}", path.display()))?;
        }
    }
    Ok(Exit::Nothing)
}

fn check(root: &std::path::Path, compilations: &[Compilation], arguments: &Arguments) -> Result<Exit> {
    let mut out = std::io::stdout().lock();
    let mut exit = Exit::Nothing;
    let human = arguments.format == Format::Human;
    for (compilation, tree) in compilations.iter().filter_map(|c| Some((c, c.tree.as_ref()?))) {
        let found = folder::read(&root.join("clusters").join(&compilation.name))?;
        let differences = output::compare(tree, &found);
        for difference in &differences {
            let path = format!("clusters/{}/{}", compilation.name, difference.path);
            writeln!(out, "{}", report::difference(arguments.format, difference.state, &path))?;
        }
        if !differences.is_empty() {
            exit = Exit::Differences;
        }
        match differences.is_empty() {
            true if human && !arguments.quiet => {
                writeln!(out, "{}: {} files are as they should be", compilation.name, tree.len())?;
            }
            false if human => writeln!(out, "run `cargo run -p gen -- --env {}`", compilation.name)?,
            _ => {}
        }
    }
    Ok(exit)
}

fn list(compilations: &[Compilation]) -> Result<Exit> {
    let mut out = std::io::stdout().lock();
    for (compilation, tree) in compilations.iter().filter_map(|c| Some((c, c.tree.as_ref()?))) {
        for path in tree.keys() {
            writeln!(out, "clusters/{}/{path}", compilation.name)?;
        }
    }
    Ok(Exit::Nothing)
}

fn jobs(arguments: &Arguments) -> usize {
    arguments
        .jobs
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into))
        .max(1)
}

/// `work` over every item on at most `jobs` threads; the results in the items' order.
fn in_parallel<I: Sync, O: Send>(items: &[I], jobs: usize, work: impl Fn(&I) -> O + Sync) -> Vec<O> {
    let chunk = items.len().div_ceil(jobs.max(1)).max(1);
    let mut chunks = items.chunks(chunk);
    let all = |chunk: &[I]| chunk.iter().map(&work).collect::<Vec<O>>();
    std::thread::scope(|scope| {
        // The first chunk stays on this thread: one environment needs no other, whose memory would grow in small steps.
        let first = chunks.next().unwrap_or_default();
        let threads: Vec<_> = chunks.map(|chunk| scope.spawn(|| all(chunk))).collect();
        let mut results = all(first);
        for thread in threads {
            results.extend(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        results
    })
}
