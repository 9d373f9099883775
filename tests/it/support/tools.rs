//! Real servers for tests: where their binaries are, and guards that start, restart and kill them.
//!
//! `SLOBURN_REAL_SERVERS=required` makes them run, and a missing binary a failure; `make test` sets it and builds them.
//! Unset, a test that needs one is skipped and says so, because plain `cargo test` needs nothing but Rust.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

/// Long, since a busy machine of two cores may build something beside the tests.
const READY_WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(50);

const PROMETHEUS_MOD: &str = include_str!("../../tools/prometheus/go.mod");
const PROMETHEUS2_VERSION: &str = include_str!("../../tools/prometheus2/version");
const VICTORIA_METRICS_MOD: &str = include_str!("../../tools/victoria-metrics/go.mod");
const ALERTMANAGER_MOD: &str = include_str!("../../tools/alertmanager/go.mod");

/// The Prometheus server, or `None` where tests with real servers are not asked for.
pub(crate) fn prometheus() -> Option<PathBuf> {
    binary(
        ("prometheus", "prometheus"),
        ("github.com/prometheus/prometheus", PROMETHEUS_MOD),
    )
}

/// A Prometheus of the versions 2.
pub(crate) fn prometheus2() -> Option<PathBuf> {
    installed("prometheus2", PROMETHEUS2_VERSION.trim(), "prometheus")
}

/// VictoriaMetrics, which scrapes as well.
pub(crate) fn victoria_metrics() -> Option<PathBuf> {
    binary(
        ("victoria-metrics", "victoria-metrics"),
        (
            "github.com/VictoriaMetrics/VictoriaMetrics",
            VICTORIA_METRICS_MOD,
        ),
    )
}

/// Prometheus' own checker of rules and configuration.
pub(crate) fn promtool() -> Option<PathBuf> {
    binary(
        ("prometheus", "promtool"),
        ("github.com/prometheus/prometheus", PROMETHEUS_MOD),
    )
}

/// The Alertmanager server, or `None` where tests with real servers are not asked for.
pub(crate) fn alertmanager() -> Option<PathBuf> {
    binary(
        ("alertmanager", "alertmanager"),
        ("github.com/prometheus/alertmanager", ALERTMANAGER_MOD),
    )
}

/// Whether tests with real servers are asked for; where not, says that the running test is skipped, and what it needs.
pub(crate) fn asked_for(what: &str) -> bool {
    match env::var("SLOBURN_REAL_SERVERS") {
        Err(_) => {
            // Not `eprintln!`: the test harness would hide it, and a skipped test should be seen.
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            writeln!(io::stderr(), "skipped {test}: it needs {what}; run `make test`, or set SLOBURN_REAL_SERVERS=required")
                .expect("standard error can be written");
            false
        }
        Ok(value) if value == "required" => true,
        Ok(other) => panic!(
            "SLOBURN_REAL_SERVERS is `{other}`; it may be `required`, or unset to skip tests with real servers"
        ),
    }
}

/// A program of a tool, whose version is that of the module in its `go.mod`.
pub(crate) fn binary(
    (tool, program): (&str, &str),
    (module, go_mod): (&str, &str),
) -> Option<PathBuf> {
    installed(tool, pinned(module, go_mod), program)
}

/// A program of a version of a tool.
fn installed(tool: &str, version: &str, program: &str) -> Option<PathBuf> {
    if !asked_for(&format!("a real {tool}")) {
        return None;
    }
    let path = cache().join(format!("{tool}-{version}")).join(program);
    assert!(
        path.is_file(),
        "no {program} at `{}`; build it with `tests/tools/install.sh {tool}`",
        path.display()
    );
    Some(path)
}

/// The browser that pages are looked at with, or `None` where tests with real servers are not asked for.
pub(crate) fn chromium() -> Option<PathBuf> {
    of_the_system("chromium")
}

/// What drives [`chromium`].
pub(crate) fn chromedriver() -> Option<PathBuf> {
    of_the_system("chromedriver")
}

/// A program that no cache holds, but the system's packages install.
fn of_the_system(program: &str) -> Option<PathBuf> {
    if !asked_for("a real Chromium") {
        return None;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file());
    Some(found.unwrap_or_else(|| {
        panic!("no `{program}` on the PATH; install it with `tests/tools/install.sh chromium`")
    }))
}

/// As in `tests/tools/install.sh`.
fn cache() -> PathBuf {
    let home = || {
        PathBuf::from(
            env::var_os("HOME")
                .expect("HOME, XDG_CACHE_HOME or SLOBURN_TOOLS says where tools are kept"),
        )
    };
    let set = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("SLOBURN_TOOLS").unwrap_or_else(|| {
        set("XDG_CACHE_HOME")
            .unwrap_or_else(|| home().join(".cache"))
            .join("sloburn-tools")
    })
}

/// The version stands in the tool's `go.mod` and nowhere else.
fn pinned<'a>(module: &str, go_mod: &'a str) -> &'a str {
    let module = format!("{module} v");
    let line = go_mod
        .lines()
        .find_map(|line| line.trim().strip_prefix(&module));
    line.and_then(|rest| rest.split(' ').next())
        .expect("go.mod pins the tool")
}

/// A Prometheus configuration that scrapes each `(job, address)` at this interval.
pub(crate) fn scrape_config(every: Duration, targets: &[(&str, SocketAddr)]) -> String {
    let every = every.as_millis();
    let mut config = format!(
        "global: {{scrape_interval: {every}ms, scrape_timeout: {every}ms}}\nscrape_configs:\n"
    );
    for (job, address) in targets {
        writeln!(
            config,
            "  - {{job_name: {job}, static_configs: [{{targets: ['{address}']}}]}}"
        )
        .expect("a string can be written to");
    }
    config
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Prometheus,
    Prometheus2,
    VictoriaMetrics,
    Alertmanager,
}

impl Kind {
    /// Relative to the server's own folder, which it is started in.
    fn arguments(self, port: u16) -> Vec<String> {
        let address = format!("--web.listen-address=127.0.0.1:{port}");
        let own: &[&str] = match self {
            Self::Prometheus => &[
                "--storage.tsdb.path=data",
                "--web.enable-remote-write-receiver",
                // Else the first scrape after a start waits for 5 s.
                "--scrape.discovery-reload-interval=100ms",
            ],
            Self::Prometheus2 => &[
                "--storage.tsdb.path=data",
                "--web.enable-remote-write-receiver",
            ],
            Self::VictoriaMetrics => {
                return [
                    "-promscrape.config=config.yml",
                    "-storageDataPath=data",
                    "-retentionPeriod=1y",
                    // Else what is newer than that is not given out.
                    "-search.latencyOffset=0s",
                    // What is not written yet is lost when it is killed.
                    "-inmemoryDataFlushInterval=1s",
                    "-loggerLevel=WARN",
                ]
                .map(str::to_owned)
                .into_iter()
                .chain([format!("-httpListenAddr=127.0.0.1:{port}")])
                .collect();
            }
            // Without an address it does not look for others to form a cluster with.
            Self::Alertmanager => &["--storage.path=data", "--cluster.listen-address="],
        };
        let common = ["--config.file=config.yml", "--log.level=warn"];
        common
            .iter()
            .chain(own)
            .map(|argument| (*argument).to_owned())
            .chain([address])
            .collect()
    }
}

/// A server on a port of its own on loopback, with a folder of its own; dropped, it is killed and its folder removed.
///
/// It lives in real time: a test on tokio's paused clock cannot wait for it.
#[derive(Debug)]
pub(crate) struct RealServer {
    kind: Kind,
    binary: PathBuf,
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

impl RealServer {
    /// Starts Prometheus with this configuration and waits until it is ready; `None` says that the test is to be skipped.
    pub(crate) async fn prometheus(config: &str) -> Option<Self> {
        Some(Self::launch(Kind::Prometheus, prometheus()?, config).await)
    }

    /// The same with a Prometheus of the versions 2.
    pub(crate) async fn prometheus2(config: &str) -> Option<Self> {
        Some(Self::launch(Kind::Prometheus2, prometheus2()?, config).await)
    }

    /// The same with VictoriaMetrics, which understands the same configuration of scrapes.
    pub(crate) async fn victoria_metrics(config: &str) -> Option<Self> {
        Some(Self::launch(Kind::VictoriaMetrics, victoria_metrics()?, config).await)
    }

    /// Starts an Alertmanager that keeps its alerts to itself, and waits until it is ready.
    pub(crate) async fn alertmanager() -> Option<Self> {
        let config = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n";
        Some(Self::launch(Kind::Alertmanager, alertmanager()?, config).await)
    }

    /// `http://127.0.0.1:PORT`, the same after a restart.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Where it listens, and will again after a restart.
    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Kills it at once, as a crash would; its data stay. Nothing that was scraped is lost, as each scrape is written before the next.
    pub(crate) fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("the server can be killed");
            process.wait().expect("the server can be waited for");
        }
    }

    /// Has it write down what it took so far: what VictoriaMetrics holds in memory is lost when it is killed.
    pub(crate) async fn write_down(&self) {
        if matches!(self.kind, Kind::VictoriaMetrics) {
            let reply = get(self.address(), "/snapshot/create").await;
            let reply = reply.expect("a ready server answers");
            assert!(reply.contains(r#""status":"ok""#), "{reply}");
        }
    }

    /// Starts it again after [`stop`](Self::stop), on the same port and data, and waits until it is ready.
    pub(crate) async fn start(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        self.spawn();
        if let Err(NotReady) = self.ready().await {
            panic!(
                "{:?} did not come back on port {}:\n{}",
                self.kind,
                self.port,
                self.log()
            );
        }
    }

    /// [`stop`](Self::stop) and [`start`](Self::start) without a pause.
    pub(crate) async fn restart(&mut self) {
        self.stop();
        self.start().await;
    }

    /// What it has logged so far, warnings and worse.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).expect("the server's log can be read")
    }

    async fn launch(kind: Kind, binary: PathBuf, config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        fs::write(folder.path().join("config.yml"), config)
            .expect("the configuration can be written");
        let mut server = Self {
            kind,
            binary,
            folder,
            port: 0,
            process: None,
        };
        // Between our letting go of a free port and the server's taking it, another test may take it.
        for _ in 0..5 {
            server.port = free_port();
            server.spawn();
            if server.ready().await.is_ok() {
                return server;
            }
            if !server.log().contains("address already in use") {
                break;
            }
            server.stop();
        }
        panic!("{kind:?} did not start:\n{}", server.log());
    }

    fn spawn(&mut self) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .expect("the log can be opened");
        let process = Command::new(&self.binary)
            .args(self.kind.arguments(self.port))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log's handle can be copied"))
            .stderr(log)
            .spawn();
        self.process = Some(
            process
                .unwrap_or_else(|error| panic!("cannot run `{}`: {error}", self.binary.display())),
        );
    }

    /// Asks the page that says so, since other pages answer earlier or not at all.
    async fn ready(&mut self) -> Result<(), NotReady> {
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            // First the process: if it ended, whoever answers on that port is another.
            let process = self
                .process
                .as_mut()
                .expect("a server that was started has a process");
            if process
                .try_wait()
                .expect("the server's state can be read")
                .is_some()
            {
                return Err(NotReady);
            }
            if let Ok(Ok(reply)) =
                timeout(Duration::from_secs(2), get(self.address(), "/-/ready")).await
                && reply.starts_with("HTTP/1.0 200")
            {
                return Ok(());
            }
            sleep(POLL).await;
        }
        Err(NotReady)
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        self.stop();
    }
}

struct NotReady;

pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener
        .local_addr()
        .expect("a bound socket has an address")
        .port()
}

/// The whole reply, head and body; by hand, so that a guard needs no TLS provider to be installed first.
pub(crate) async fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream
        .write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes())
        .await?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await?;
    Ok(reply)
}

/// Asks until the reply contains `wanted`.
async fn until_says(address: SocketAddr, path: &str, wanted: &str) {
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        let reply = get(address, path).await.expect("a ready server answers");
        if reply.contains(wanted) {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "`{path}` never said `{wanted}`, but last:\n{reply}"
        );
        sleep(POLL).await;
    }
}

#[tokio::test]
async fn a_real_prometheus_scrapes_and_keeps_its_samples_over_a_restart() {
    // Nobody answers at a free port: `up` is 0, which is a sample too.
    let target = (Ipv4Addr::LOCALHOST, free_port()).into();
    let config = scrape_config(Duration::from_millis(500), &[("checkout", target)]);
    let Some(mut server) = RealServer::prometheus(&config).await else {
        return;
    };
    let address = server.address();
    let samples = "/api/v1/query?query=up%5B1h%5D";
    until_says(address, samples, r#","0"]"#).await;
    let before = first_sample(&get(address, samples).await.unwrap());

    server.restart().await;
    assert_eq!(server.address(), address);
    let after = first_sample(&get(address, samples).await.unwrap());
    assert_eq!(after, before, "what was scraped before is still there");

    server.stop();
    assert!(get(address, "/-/ready").await.is_err(), "nobody listens");
    server.start().await;
    assert!(!server.log().contains("level=ERROR"), "{}", server.log());
}

/// The first sample, with its time, in the reply to a query for a range of samples.
fn first_sample(reply: &str) -> String {
    let (_, samples) = reply
        .split_once(r#""values":[["#)
        .unwrap_or_else(|| panic!("no samples in {reply}"));
    samples.chars().take_while(|char| *char != ']').collect()
}

#[tokio::test]
async fn a_real_alertmanager_starts_and_knows_no_alerts() {
    let Some(server) = RealServer::alertmanager().await else {
        return;
    };
    assert_eq!(server.url(), format!("http://{}", server.address()));
    until_says(server.address(), "/api/v2/alerts", "\r\n\r\n[]").await;
}

#[test]
fn promtool_accepts_the_configuration_that_servers_are_started_with() {
    let Some(promtool) = promtool() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yml");
    fs::write(
        &path,
        scrape_config(
            Duration::from_secs(1),
            &[("checkout", ([127, 0, 0, 1], 9090).into())],
        ),
    )
    .unwrap();
    assert!(accepts(&promtool, &path));
    fs::write(&path, "scrape_configs: [{job: no such key}]").unwrap();
    assert!(!accepts(&promtool, &path));
}

fn accepts(promtool: &Path, config: &Path) -> bool {
    Command::new(promtool)
        .args(["check", "config"])
        .arg(config)
        .output()
        .expect("promtool runs")
        .status
        .success()
}

#[test]
fn pinned_versions_are_read_from_go_mod() {
    assert_eq!(
        pinned(
            "github.com/prometheus/prometheus",
            "require (\n\tgithub.com/prometheus/prometheus v0.316.0 // indirect\n)"
        ),
        "0.316.0"
    );
    assert!(!pinned("github.com/prometheus/alertmanager", ALERTMANAGER_MOD).is_empty());
}
