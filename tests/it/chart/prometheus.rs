//! A real Prometheus behind TLS, whose certificate only a private authority vouches for.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sloburn::client;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::support::tools::{self, free_port};

const READY_WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);

/// Dropped, it is killed and its folder removed.
#[derive(Debug)]
pub(super) struct SecurePrometheus {
    folder: TempDir,
    process: Child,
    pub(super) port: u16,
}

impl SecurePrometheus {
    /// Starts one that is called `name` and scrapes itself each second; `None` says that the test is to be skipped.
    pub(super) async fn start(name: &str) -> Option<Self> {
        let program = tools::prometheus()?;
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        certify(folder.path(), name);
        let port = free_port();
        let scrape = format!(
            "global: {{scrape_interval: 1s}}\nscrape_configs:\n  - {{job_name: prometheus, scheme: https, tls_config: {{insecure_skip_verify: true}}, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}\n"
        );
        write(folder.path(), "config.yml", &scrape);
        write(
            folder.path(),
            "web.yml",
            "tls_server_config: {cert_file: leaf.pem, key_file: leaf.key}\n",
        );
        let log = File::create(folder.path().join("log")).expect("the log can be made");
        let process = Command::new(program)
            .args([
                "--config.file=config.yml",
                "--web.config.file=web.yml",
                "--storage.tsdb.path=data",
                "--scrape.discovery-reload-interval=100ms",
            ])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log's handle can be copied"))
            .stderr(log)
            .spawn()
            .expect("Prometheus can be run");
        let mut server = Self {
            folder,
            process,
            port,
        };
        server.ready().await;
        Some(server)
    }

    /// The certificate of its authority.
    pub(super) fn authority(&self) -> String {
        fs::read_to_string(self.folder.path().join("ca.pem")).expect("it was made")
    }

    async fn ready(&mut self) {
        let client = client::builder()
            .danger_accept_invalid_certs(true)
            .build()
            .expect("a client can be built");
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let asked = client
                .get(format!("https://127.0.0.1:{}/-/ready", self.port))
                .send()
                .await;
            if asked.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            let has_ended = self
                .process
                .try_wait()
                .expect("its state can be read")
                .is_some();
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(
                !has_ended && Instant::now() < deadline,
                "Prometheus did not start:\n{}",
                log()
            );
            sleep(POLL).await;
        }
    }
}

impl Drop for SecurePrometheus {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("a file can be written in a temporary folder");
}

/// An authority, and a certificate of it for `name`.
fn certify(folder: &Path, name: &str) {
    let alternative = format!("subjectAltName=DNS:{name}");
    let common = [
        "req",
        "-x509",
        "-nodes",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-days",
        "2",
    ];
    let authority = [
        "-subj",
        "/CN=a private authority",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
    ];
    let leaf = [
        "-subj",
        "/CN=prometheus",
        "-keyout",
        "leaf.key",
        "-out",
        "leaf.pem",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-addext",
        &alternative,
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ];
    for own in [&authority[..], &leaf[..]] {
        let made = Command::new("openssl")
            .args(common)
            .args(own)
            .current_dir(folder)
            .output();
        let made = made.expect("`openssl` is installed");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
    }
}
