//! The images that tests run PostgreSQL and Kafka from: the official ones, or stand-ins that we build from packages
//! where no registry gives them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::docker::Docker;
use crate::machine::{self, Program};
use crate::tools::{self, TOOLS, Tool, folder};
use crate::{commands, workspace};

/// A stand-in carries the digest of its recipe here; an official image has no such label.
const LABEL: &str = "dev.taskflow.recipe";

/// A folder of `tools/images/`. Its `tag` is the image's name, for the tests too.
struct Image {
    name: &'static str,
    /// How long it takes to build.
    usual_seconds: u64,
    /// The tool that goes into it.
    tool: Option<&'static str>,
}

const BASE: Image = Image {
    name: "debian",
    usual_seconds: 60,
    tool: None,
};

const IMAGES: &[Image] = &[
    Image {
        name: "postgres",
        usual_seconds: 25,
        tool: None,
    },
    Image {
        name: "kafka",
        usual_seconds: 20,
        tool: Some("kafka"),
    },
];

/// Makes sure that the engine has every image.
pub(crate) fn prepare(docker: &Docker) -> Result<()> {
    let mut missing = Vec::new();
    for image in IMAGES {
        if image.is_present(docker)? {
            continue;
        }
        let tag = image.tag()?;
        eprintln!("images: pulling {tag}, once …");
        match commands::run_quietly(docker.client().args(["pull", "--quiet", &tag])) {
            Ok(()) => {}
            Err(why) => missing.push((image, why)),
        }
    }
    let Some((_, why)) = missing.first() else {
        return Ok(());
    };
    let reason = commands::last_lines(&why.to_string(), 1);
    if !machine::is_root() {
        bail!(
            "could not pull the images of the tests, and only root can build stand-ins for them: {reason}\n\
             run this once as root (`sudo -E cargo xtask engines`), or let the tests use servers of your own: \
             CONTRIBUTING.md, \"Servers of your own\""
        );
    }
    eprintln!("images: no registry gives them ({reason}); building stand-ins from packages, once");
    machine::require([Program::Debootstrap])?;
    if !BASE.is_present(docker)? {
        BASE.build(docker)?;
    }
    for (image, _) in missing {
        image.build(docker)?;
    }
    // Those that the new ones have replaced.
    let filter = format!("label={LABEL}");
    commands::run_quietly(docker.client().args(["image", "prune", "--force", "--filter", &filter]))
}

impl Image {
    fn recipe(&self) -> PathBuf {
        workspace::root().join("tools/images").join(self.name)
    }

    fn tag(&self) -> Result<String> {
        let path = self.recipe().join("tag");
        let tag = fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
        Ok(tag.trim().to_owned())
    }

    fn tool(&self) -> Option<&'static Tool> {
        TOOLS.iter().find(|tool| Some(tool.name) == self.tool)
    }

    /// Changes with everything that the stand-in is built from.
    fn digest(&self) -> Result<String> {
        let mut digest = format!(
            "{}-{}",
            folder::digest(&BASE.recipe())?,
            folder::digest(&self.recipe())?
        );
        if let Some(tool) = self.tool() {
            digest = format!("{digest}-{}", tool.digest()?);
        }
        Ok(digest)
    }

    /// Whether the engine has the official image, or a stand-in of the present recipe.
    fn is_present(&self, docker: &Docker) -> Result<bool> {
        let format = format!("{{{{index .Config.Labels {LABEL:?}}}}}");
        let output = docker
            .client()
            .args(["image", "inspect", "--format", &format, &self.tag()?])
            .stdin(Stdio::null())
            .output()
            .context("could not start docker")?;
        let label = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(output.status.success() && (label.is_empty() || label == self.digest()?))
    }

    fn build(&self, docker: &Docker) -> Result<()> {
        let tag = self.tag()?;
        if let Some(tool) = self.tool() {
            tools::prepare(&[tool])?;
        }
        eprintln!("images: building {tag}, usually {} s …", self.usual_seconds);
        let begin = Instant::now();
        let mut build = Command::new("bash");
        build
            .arg(self.recipe().join("build.sh"))
            .arg(&tag)
            .arg(format!("{LABEL}={}", self.digest()?))
            .args(self.tool().map(tools::home).transpose()?)
            .env("DOCKER_HOST", docker.host())
            .env("DOCKER_BUILDKIT", "0"); // the newer builder is a package of its own, and not everywhere
        commands::run_quietly(&mut build)?;
        eprintln!("images: {tag} is ready after {} s", begin.elapsed().as_secs());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kafka_that_is_built_is_the_one_that_is_pulled() {
        let tag = IMAGES
            .iter()
            .find(|image| image.name == "kafka")
            .unwrap()
            .tag()
            .unwrap();
        let (_, version) = tag.rsplit_once(':').unwrap();
        let project = fs::read_to_string(workspace::root().join("tools/kafka/pom.xml")).unwrap();
        assert!(
            project.contains(&format!("<artifactId>kafka_2.13</artifactId><version>{version}<")),
            "tools/kafka has another version than {tag}"
        );
    }
}
