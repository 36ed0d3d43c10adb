//! A real etcd and kube-apiserver on loopback, with the real projects' resource definitions.

mod definitions;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) use self::definitions::Kind;
use crate::kubectl::Kubectl;
use crate::ports;
use crate::process::Process;
use crate::setup::{run, tool};
use crate::wait::wait_until;

/// Dropped from the top: the API server goes before its etcd, since without etcd it hangs.
pub(crate) struct ControlPlane {
    apiserver: Process,
    etcd: Process,
    pub(crate) kubectl: Kubectl,
    /// Everything that the processes write.
    _folder: TempDir,
}

impl ControlPlane {
    /// Starts one, with the resource definitions of these kinds established.
    pub(crate) fn start(kinds: &BTreeSet<Kind>) -> Result<Self, String> {
        let control_plane = Self::start_empty()?;
        let definitions = definitions::of(kinds, &tool("TASKFLOW_CRDS"))?;
        if !definitions.is_empty() {
            control_plane.install(&definitions)?;
        }
        Ok(control_plane)
    }

    /// Another process may take a port between our choice and its use: then everything is started again.
    fn start_empty() -> Result<Self, String> {
        let mut failures = Vec::new();
        for _ in 0..3 {
            match Self::try_start() {
                Ok(control_plane) => return Ok(control_plane),
                Err(error) => failures.push(error),
            }
        }
        Err(failures.join("\n"))
    }

    fn try_start() -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let [client, peer, api] = ports::free();
        let kube = tool("TASKFLOW_KUBE");
        let token = write_credentials(folder.path())?;
        let mut control_plane = Self {
            etcd: Process::start("etcd", &kube, &etcd_arguments(client, peer), folder.path()),
            apiserver: Process::start(
                "apiserver",
                &kube,
                &apiserver_arguments(client, api, folder.path()),
                folder.path(),
            ),
            kubectl: Kubectl::new(&kube, folder.path(), api, &token),
            _folder: folder,
        };
        wait_until("the API server is ready", Duration::from_mins(2), || {
            if let Err(ended) = control_plane
                .etcd
                .is_running()
                .and_then(|()| control_plane.apiserver.is_running())
            {
                return Ok(Err(ended)); // no use in waiting on
            }
            control_plane.kubectl.is_ready().map(Ok)
        })??;
        Ok(control_plane)
    }

    /// Applies objects, strictly, and returns them as the server keeps them, in the same order. A warning is an error.
    pub(crate) fn apply(&self, what: &str, namespace: Option<&str>, objects: &[Value]) -> Result<Vec<Value>, String> {
        self.apply_with(what, namespace, objects, &["--output=json"])
    }

    /// As [`Self::apply`], but nothing is kept.
    pub(crate) fn dry_run(&self, what: &str, namespace: Option<&str>, objects: &[Value]) -> Result<(), String> {
        let arguments = ["--output=json", "--dry-run=server"];
        self.apply_with(what, namespace, objects, &arguments).map(drop)
    }

    fn apply_with(
        &self,
        what: &str,
        namespace: Option<&str>,
        objects: &[Value],
        more: &[&str],
    ) -> Result<Vec<Value>, String> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        let file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
        fs::write(file.path(), list.to_string()).map_err(|error| error.to_string())?;
        let path = file.path().to_string_lossy();
        let mut arguments = vec!["apply", "--server-side", "--validate=strict", "--filename", &path];
        arguments.extend(more);
        arguments.extend(namespace.map(|_| "--namespace"));
        arguments.extend(namespace);
        let said = self.kubectl.run(&arguments).succeeded(what)?;
        if !said.stderr.is_empty() {
            return Err(format!("{what}: the server warns:\n{}", said.stderr));
        }
        let kept: Value =
            serde_json::from_str(&said.stdout).map_err(|error| format!("{what}: {error}:\n{}", said.stdout))?;
        Ok(match kept {
            Value::Object(mut fields) if fields.get("kind") == Some(&json!("List")) => fields
                .remove("items")
                .and_then(|items| items.as_array().cloned())
                .unwrap_or_default(),
            object => vec![object],
        })
    }

    fn install(&self, definitions: &[PathBuf]) -> Result<(), String> {
        let paths: Vec<String> = definitions
            .iter()
            .map(|path| format!("--filename={}", path.display()))
            .collect();
        let mut arguments = vec!["apply", "--server-side"];
        arguments.extend(paths.iter().map(String::as_str));
        self.kubectl
            .run(&arguments)
            .succeeded("installing the resource definitions")?;
        self.kubectl
            .run(&["wait", "crd", "--all", "--for=condition=Established", "--timeout=60s"])
            .succeeded("establishing the resource definitions")?;
        Ok(())
    }
}

fn etcd_arguments(client: u16, peer: u16) -> Vec<String> {
    [
        "etcd".into(),
        "--name=judge".into(),
        "--data-dir=etcd".into(),
        format!("--listen-client-urls=http://127.0.0.1:{client}"),
        format!("--advertise-client-urls=http://127.0.0.1:{client}"),
        format!("--listen-peer-urls=http://127.0.0.1:{peer}"),
        format!("--initial-advertise-peer-urls=http://127.0.0.1:{peer}"),
        format!("--initial-cluster=judge=http://127.0.0.1:{peer}"),
        "--unsafe-no-fsync".into(), // the data dies with the test
        "--log-level=warn".into(),
    ]
    .into()
}

fn apiserver_arguments(etcd: u16, port: u16, folder: &Path) -> Vec<String> {
    let file = |name: &str| folder.join(name).display().to_string();
    [
        "apiserver".into(),
        format!("--etcd-servers=http://127.0.0.1:{etcd}"),
        "--bind-address=127.0.0.1".into(),
        "--advertise-address=127.0.0.1".into(),
        format!("--secure-port={port}"),
        format!("--cert-dir={}", file("certificates")), // it signs its own
        format!("--token-auth-file={}", file("tokens.csv")),
        "--authorization-mode=RBAC".into(),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        format!("--service-account-key-file={}", file("service-accounts.key")),
        format!("--service-account-signing-key-file={}", file("service-accounts.key")),
        "--service-cluster-ip-range=10.96.0.0/16".into(),
        "--endpoint-reconciler-type=none".into(), // loopback is no valid endpoint
        "--allow-privileged=true".into(),
        "--enable-priority-and-fairness=false".into(),
        // Both wait for a controller-manager, which makes the default accounts and counts what quotas are used.
        "--disable-admission-plugins=ServiceAccount,ResourceQuota".into(),
    ]
    .into()
}

/// A key that signs service accounts' tokens and a token for ourselves, both made for this run; returns the token.
fn write_credentials(folder: &Path) -> Result<String, String> {
    let key: PathBuf = folder.join("service-accounts.key");
    run(Command::new("openssl").args(["genrsa", "-out"]).arg(&key).arg("2048")).succeeded("openssl genrsa")?;
    let token = run(Command::new("openssl").args(["rand", "-hex", "16"]))
        .succeeded("openssl rand")?
        .stdout
        .trim()
        .to_owned();
    fs::write(
        folder.join("tokens.csv"),
        format!("{token},judge,judge,\"system:masters\"\n"),
    )
    .map_err(|error| error.to_string())?;
    Ok(token)
}
