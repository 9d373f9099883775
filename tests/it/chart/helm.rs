//! Both Helms, each with folders of its own, so that nothing of the machine's user is read or written.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::tools::binary;

const HELM3_MOD: &str = include_str!("../../tools/helm3/go.mod");
const HELM4_MOD: &str = include_str!("../../tools/helm4/go.mod");

/// The chart of this repository.
pub(super) fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("helm/sloburn")
}

/// One Helm.
#[derive(Debug)]
pub(super) struct Helm {
    pub(super) name: &'static str,
    program: PathBuf,
    folder: TempDir,
}

impl Helm {
    /// Both, or `None` where tests with real tools are not asked for.
    pub(super) fn both() -> Option<[Self; 2]> {
        let of = |name, module, go_mod| {
            Some(Self {
                name,
                program: binary((name, "helm"), (module, go_mod))?,
                folder: tempfile::tempdir().expect("a temporary folder can be made"),
            })
        };
        Some([
            of("helm3", "helm.sh/helm/v3", HELM3_MOD)?,
            of("helm4", "helm.sh/helm/v4", HELM4_MOD)?,
        ])
    }

    /// Helm with these arguments; `kubeconfig` says which cluster it may ask.
    pub(super) fn command(&self, arguments: &[&str], kubeconfig: Option<&Path>) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("KUBECONFIG", kubeconfig.unwrap_or(Path::new("/nowhere")))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs it, whatever comes of it.
    pub(super) fn run(&self, arguments: &[&str], kubeconfig: Option<&Path>) -> Output {
        let output = self.command(arguments, kubeconfig).output();
        output.expect("Helm can be run")
    }

    /// What it prints when all goes well.
    pub(super) fn expect(&self, arguments: &[&str], kubeconfig: Option<&Path>) -> String {
        let output = self.run(arguments, kubeconfig);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "{} {arguments:?}\n{}{}",
            self.name,
            text(&output.stdout),
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// The chart as it would be installed as the release `sloburn` with these values, tests included.
    pub(super) fn render(&self, values: &Path) -> String {
        let values = values.to_string_lossy();
        let chart = chart();
        let chart = chart.to_string_lossy();
        let arguments = [
            "template",
            "sloburn",
            &chart,
            "--namespace",
            "slo",
            "--values",
            &values,
        ];
        self.expect(&arguments, None)
    }

    /// Why it refuses to render the chart with these values.
    pub(super) fn refusal(&self, values: &str) -> String {
        let file = self.folder.path().join("wrong.yaml");
        std::fs::write(&file, values).expect("a file can be written in a temporary folder");
        let (file, chart) = (file.to_string_lossy(), chart());
        let chart = chart.to_string_lossy();
        let output = self.run(&["template", "sloburn", &chart, "--values", &file], None);
        assert!(!output.status.success(), "{} took it:\n{values}", self.name);
        String::from_utf8_lossy(&output.stderr).replace(&*chart, "CHART")
    }
}
