//! The daemon as users start it: the real binary with a folder of its own.

use std::env;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use sloburn::status::view::list::ListView;
use sloburn::status::view::slo::SloView;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::tools::get;

/// Long, since a busy machine of two cores may build something beside the tests.
const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(50);

/// What the daemon's folder holds at first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files<'a> {
    /// Settings as YAML; where to listen, what to read and the store are added.
    pub(crate) config: &'a str,
    /// Objectives.
    pub(crate) definitions: &'a str,
    /// Policies, receivers and routes. Secrets are named as `secrets/NAME`.
    pub(crate) alerts: &'a str,
    /// Names and texts of secrets.
    pub(crate) secrets: &'a [(&'a str, &'a str)],
}

/// A daemon that may run; dropped, it is killed and its folder removed.
#[derive(Debug)]
pub(crate) struct Daemon {
    folder: TempDir,
    process: Option<Child>,
    /// Where it listens; another port after each start.
    address: SocketAddr,
}

impl Daemon {
    /// Writes its folder; nothing runs yet.
    pub(crate) fn prepare(files: &Files<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let own = "listen: 127.0.0.1:0\ndefinitions: [definitions.yaml]\nalerts: [alerts.yaml]\nstore: {sqlite: sloburn.db}\n";
        write(
            folder.path(),
            "sloburn.yaml",
            &format!("{own}{}", files.config),
        );
        write(folder.path(), "definitions.yaml", files.definitions);
        write(folder.path(), "alerts.yaml", files.alerts);
        for (name, text) in files.secrets {
            write(&folder.path().join("secrets"), name, text);
        }
        Self {
            folder,
            process: None,
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        }
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it and waits until `/readyz` says that it is.
    pub(crate) async fn start(&mut self) {
        self.launch();
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(address) = self.listening() {
                self.address = address;
                if let Ok(reply) = get(address, "/readyz").await
                    && reply.starts_with("HTTP/1.0 200")
                {
                    return;
                }
            }
            assert!(self.is_running(), "it ended:\n{}", self.log());
            assert!(
                Instant::now() < deadline,
                "it did not get ready:\n{}",
                self.log()
            );
            sleep(POLL).await;
        }
    }

    /// Starts it and waits for nothing, for those who kill it early.
    pub(crate) fn launch(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        let log = File::create(self.log_file()).expect("the log can be made");
        let process = command()
            .arg("run")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log's handle can be copied"))
            .stderr(log)
            .spawn();
        self.process = Some(process.expect("the daemon's binary can be run"));
    }

    /// Kills it at once (SIGKILL), as a crash would. What it logged stays until the next start.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("the daemon can be killed");
            process.wait().expect("the daemon can be waited for");
        }
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    pub(crate) async fn terminate(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("it runs");
        signal(&process, "-TERM");
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = process.try_wait().expect("the daemon can be waited for") {
                return status;
            }
            sleep(POLL).await;
        }
        self.process = Some(process);
        panic!("it did not stop:\n{}", self.log());
    }

    /// Asks it to look at its definitions (SIGHUP).
    pub(crate) fn hang_up(&self) {
        signal(self.process.as_ref().expect("it runs"), "-HUP");
    }

    /// Stops it in the midst of whatever it does (SIGSTOP), until it is [thawed](Self::thaw).
    pub(crate) fn freeze(&self) {
        signal(self.process.as_ref().expect("it runs"), "-STOP");
    }

    /// Lets it go on (SIGCONT).
    pub(crate) fn thaw(&self) {
        signal(self.process.as_ref().expect("it runs"), "-CONT");
    }

    /// Whether its process lives.
    pub(crate) fn is_running(&mut self) -> bool {
        let process = self.process.as_mut();
        process.is_some_and(|process| {
            let ended = process.try_wait().expect("the daemon's state can be read");
            ended.is_none()
        })
    }

    /// `http://127.0.0.1:PORT`, another one after each start.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The JSON at a path of its API, as `/api/v1/slos`.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let body = self.text(path).await;
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}\n{body}"))
    }

    /// All objectives, once what is shown of them is as `wanted` says.
    pub(crate) async fn slos_once(
        &self,
        wanted: impl Fn(&ListView<SloView>) -> bool,
    ) -> Vec<SloView> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let page = self.json("/api/v1/slos?limit=1000").await;
            let page: ListView<SloView> =
                serde_json::from_value(page).expect("the API answers in the shape of its types");
            if wanted(&page) {
                return page.items;
            }
            assert!(
                Instant::now() < deadline,
                "never as it should be, but last {page:#?}\n{}",
                self.log()
            );
            sleep(POLL).await;
        }
    }

    /// All objectives, once the past of every source is counted.
    pub(crate) async fn slos_with_past(&self) -> Vec<SloView> {
        let deadline = Instant::now() + 3 * PATIENCE;
        loop {
            let sources = self.json("/api/v1/status").await["sources"].take();
            let all = sources.as_array();
            let is_read = |it: &Value| it["lastGoodAt"].is_string() && it["backfill"].is_null();
            if all.is_some_and(|all| all.iter().all(is_read)) {
                return self.slos_once(|page| page.at.is_some()).await;
            }
            assert!(Instant::now() < deadline, "{sources:#}\n{}", self.log());
            sleep(POLL).await;
        }
    }

    /// What is at a path, as `/metrics`.
    pub(crate) async fn text(&self, path: &str) -> String {
        let reply = get(self.address, path).await;
        let reply =
            reply.unwrap_or_else(|error| panic!("no answer at {path}: {error}\n{}", self.log()));
        let (_, body) = reply
            .split_once("\r\n\r\n")
            .expect("a reply has head and body");
        body.to_owned()
    }

    /// What `sloburn config print` says in its folder.
    pub(crate) fn print_config(&self) -> String {
        let printed = command()
            .args(["config", "print"])
            .current_dir(self.folder.path())
            .output()
            .expect("the daemon's binary can be run");
        String::from_utf8(printed.stdout).expect("text")
    }

    /// What it has logged since its last start.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).expect("the log can be read")
    }

    /// Where it says that it listens, once it does.
    fn listening(&self) -> Option<SocketAddr> {
        let log = self.log();
        let (_, rest) = log.split_once("listening address=")?;
        rest.split_once('\n')?.0.trim().parse().ok()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }
}

/// The daemon's binary. What the environment tells the tests is not for it.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sloburn"));
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("SLOBURN_") {
            command.env_remove(name);
        }
    }
    command
}

fn signal(process: &Child, name: &str) {
    let asked = Command::new("kill")
        .args([name, &process.id().to_string()])
        .status()
        .expect("`kill` can be run");
    assert!(asked.success(), "the daemon can be sent a signal");
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::create_dir_all(folder).expect("a folder can be made in a temporary one");
    fs::write(folder.join(name), text).expect("a file can be written in a temporary folder");
}

#[tokio::test]
async fn a_daemon_starts_stops_in_order_and_can_be_killed() {
    let config =
        "tick: 1s\nsources: {default: {prometheus: {url: 'http://127.0.0.1:9', offset: 0s}}}\n";
    let definitions = "\
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: shop}
spec:
  window: 30d
  alertPolicy: none
  objectives:
    - {name: availability, objective: 99.9%, errors: {total: requests_total, bad: errors_total}}
";
    let mut daemon = Daemon::prepare(&Files {
        config,
        definitions,
        ..Files::default()
    });
    daemon.start().await;
    let slos = daemon.json("/api/v1/slos").await;
    assert_eq!(
        slos["items"][0]["measurement"]["outcome"], "failed",
        "{slos}"
    );
    daemon.kill();
    assert!(!daemon.is_running());
    daemon.start().await;
    assert!(daemon.terminate().await.success(), "{}", daemon.log());
    assert!(
        daemon.folder().join("sloburn.db").is_file(),
        "{}",
        daemon.log()
    );
    assert!(daemon.log().contains("sloburn stopped"));
}
