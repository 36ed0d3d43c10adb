//! The compiler: a typed environment spec and the catalogue in, a cluster definition out.
//!
//! Parse → resolve → emit → check → finish. Everything here is pure: reading and writing files is the
//! business of the `gen` binary.

pub mod artefact;
pub mod capacity;
pub mod check;
pub mod diagnostic;
pub mod emit;
pub mod output;
pub mod pins;
pub mod promql;
pub mod pubsub_kafka;
pub mod release;
pub mod resolve;
pub mod source;
pub mod spec;
pub mod stage;
pub mod yaml;

use artefact::Artefacts;
use catalogue::Catalogue;
use diagnostic::{Diagnostic, Severity};
use emit::SelfHosted;
use output::Tree;
use source::Source;
use spec::units::Date;

/// What compiling one environment gave.
#[derive(Debug)]
pub struct Compilation {
    /// The environment's name, from the file's name.
    pub name: String,
    /// The files, by path below `clusters/<env>/`; `None` if there was an error.
    pub tree: Option<Tree>,
    /// Everything that was found, in reading order.
    pub diagnostics: Vec<Diagnostic>,
}

/// The texts that one environment is compiled from.
#[derive(Clone, Debug)]
pub struct Texts {
    /// The environment's name: the spec's file name without `.yaml`.
    pub name: String,
    /// `environments/<env>.yaml`
    pub spec: Source,
    /// `environments/<env>.lock.yaml`, where there is one.
    pub lock: Option<Source>,
}

/// Compiles one environment. The same inputs give the same bytes; `today` only decides whether waivers still hold.
pub fn compile(catalogue: &Catalogue, texts: &Texts, today: Date) -> Compilation {
    compile_with(catalogue, texts, today, &|_, artefacts| {
        output::finish(&texts.spec.path, artefacts)
    })
}

/// Compiles the self-hosted form of one environment's Dapr resources; a spec that is wrong for a cluster is refused here, too.
pub fn compile_self_hosted(catalogue: &Catalogue, texts: &Texts, today: Date, target: &SelfHosted) -> Compilation {
    compile_with(catalogue, texts, today, &|inputs, _| {
        let mut artefacts = Artefacts::default();
        emit::emit_self_hosted(inputs, target, &mut artefacts);
        output::finish(&texts.spec.path, &artefacts)
    })
}

/// What an environment and its artefacts become, if its rules are kept.
type Render<'a> = &'a (dyn Fn(emit::Inputs<'_>, &Artefacts) -> Tree + Sync);

fn compile_with(catalogue: &Catalogue, texts: &Texts, today: Date, render: Render<'_>) -> Compilation {
    let (tree, mut diagnostics) = match compiled(catalogue, texts, today, render) {
        Ok((tree, diagnostics)) => (Some(tree), diagnostics),
        Err(diagnostics) => (None, diagnostics),
    };
    diagnostic::sort(&mut diagnostics);
    Compilation {
        name: texts.name.clone(),
        tree,
        diagnostics,
    }
}

fn compiled(
    catalogue: &Catalogue,
    texts: &Texts,
    today: Date,
    render: Render<'_>,
) -> Result<(Tree, Vec<Diagnostic>), Vec<Diagnostic>> {
    let written = spec::parse(texts.spec.clone(), catalogue)?;
    let lock = texts
        .lock
        .as_ref()
        .map(spec::lock::parse)
        .transpose()?
        .unwrap_or_default();
    if written.spec.environment.0 != texts.name {
        let message = format!(
            "the file is `{}`, the environment `{}`",
            texts.spec.path, written.spec.environment
        );
        return Err(vec![
            Diagnostic::error(
                spec::codes::OTHER_NAME,
                &texts.spec.path,
                written.span("/environment"),
                message,
            )
            .reason("the file's name is the folder under clusters/")
            .fix(format!("write `environment: {}`, or rename the file", texts.name)),
        ]);
    }
    let environment = resolve::resolve(&written, lock, catalogue);
    let inputs = emit::Inputs {
        env: &environment,
        catalogue,
    };
    let artefacts = emit::emit(inputs);
    // Rendering takes as long as checking, and both only read.
    let (findings, tree) = std::thread::scope(|scope| {
        let rendering = scope.spawn(|| render(inputs, &artefacts));
        let findings = check::check(&check::Subject::new(
            &written,
            &environment,
            catalogue,
            &artefacts,
            today,
        ));
        let tree = rendering.join();
        (findings, tree.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    if findings.iter().any(|finding| finding.severity == Severity::Error) {
        return Err(findings);
    }
    Ok((tree, findings))
}
