//! A real Prometheus behind TLS, whose certificate only a private authority vouches for, and a name server that knows it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::net::{Ipv4Addr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use reqwest::Client;
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
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
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

/// Answers that every name of the set is on this machine, and that there are no others.
#[derive(Debug)]
pub(super) struct NameServer {
    pub(super) address: Ipv4Addr,
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl NameServer {
    /// On an address of its own on loopback, at the port that resolvers ask.
    pub(super) fn start(names: &'static [&'static str]) -> Self {
        let [low, high] = u16::try_from(std::process::id() % 65_000)
            .expect("it fits")
            .to_be_bytes();
        let address = Ipv4Addr::new(127, 53, low, high.max(1));
        let socket = UdpSocket::bind((address, 53))
            .expect("root may use port 53, and nobody else uses this address");
        let asked = Arc::new(Mutex::new(BTreeSet::new()));
        let heard = Arc::clone(&asked);
        // It ends with the test's process.
        thread::spawn(move || {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question) {
                let (name, answer) = answer(&question[..length], names);
                heard.lock().expect("nobody panics with it").insert(name);
                drop(socket.send_to(&answer, from));
            }
        });
        Self { address, asked }
    }

    /// The names that were asked for.
    pub(super) fn asked(&self) -> BTreeSet<String> {
        self.asked.lock().expect("nobody panics with it").clone()
    }
}

/// The name that is asked for, and what is said of it (RFC 1035, section 4.1).
fn answer(question: &[u8], names: &[&str]) -> (String, Vec<u8>) {
    let (mut at, mut labels) = (12, Vec::new());
    while question[at] != 0 {
        let end = at + 1 + usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..end]).into_owned());
        at = end;
    }
    let end = at + 5;
    let name = labels.join(".");
    let (is_known, is_for_v4) = (names.contains(&name.as_str()), question[at + 2] == 1);
    let mut reply = question[..2].to_vec();
    reply.extend([
        0x81,
        if is_known { 0x80 } else { 0x83 },
        0,
        1,
        0,
        u8::from(is_known && is_for_v4),
        0,
        0,
        0,
        0,
    ]);
    reply.extend(&question[12..end]);
    if is_known && is_for_v4 {
        reply.extend([0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
    }
    (name, reply)
}
