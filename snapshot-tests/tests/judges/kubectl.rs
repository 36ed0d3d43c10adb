//! kubectl against one control plane.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::setup::{Said, run};

/// The real kubectl with a configuration and caches of its own.
pub(crate) struct Kubectl {
    kube: PathBuf,
    folder: PathBuf,
}

impl Kubectl {
    /// The server signs its own certificate for this run, on loopback: there is nothing to verify it with.
    pub(crate) fn new(kube: &Path, folder: &Path, port: u16, token: &str) -> Self {
        let config = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: judge\n\
             clusters: [{{name: judge, cluster: {{server: 'https://127.0.0.1:{port}', insecure-skip-tls-verify: true}}}}]\n\
             users: [{{name: judge, user: {{token: '{token}'}}}}]\n\
             contexts: [{{name: judge, context: {{cluster: judge, user: judge}}}}]\n"
        );
        fs::write(folder.join("kubeconfig"), config).expect("the test's folder can be written");
        Self {
            kube: kube.to_owned(),
            folder: folder.to_owned(),
        }
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        run(Command::new(&self.kube)
            .arg("kubectl")
            .args(arguments)
            .arg("--request-timeout=60s")
            .env("KUBECONFIG", self.folder.join("kubeconfig"))
            .env("HOME", &self.folder)
            .current_dir(&self.folder))
    }

    pub(crate) fn is_ready(&self) -> Result<(), String> {
        self.run(&["get", "--raw", "/readyz"]).succeeded("readyz").map(drop)
    }
}
