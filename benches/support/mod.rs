//! A real Prometheus for benchmarks, killed when dropped.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark fails where something fails"
)]

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A Prometheus on the data of a folder.
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts it with the `config.yml` of the folder and waits until it is ready.
    pub(crate) async fn start(folder: &Path) -> Self {
        let address = free_address();
        let process = Command::new(binary())
            .current_dir(folder)
            .args(["--config.file=config.yml", "--log.level=warn"])
            .args([
                "--storage.tsdb.path=data",
                "--storage.tsdb.retention.time=90d",
            ])
            .args([
                "--web.enable-remote-write-receiver",
                "--web.enable-lifecycle",
            ])
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, address };
        while server
            .get("/-/ready")
            .await
            .is_none_or(|it| !it.starts_with("HTTP/1.1 200"))
        {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it tells of itself: a metric without labels.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let page = self.get("/metrics").await.unwrap();
        let line = page
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap()
            .rsplit(' ')
            .next()
            .unwrap()
            .trim()
            .parse()
            .unwrap()
    }

    async fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.address).await.ok()?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.ok()?;
        Some(reply)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// An address on which nobody listens now.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap()
}

fn binary() -> PathBuf {
    let cache = std::env::var_os("SLOBURN_TOOLS").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| {
        PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/sloburn-tools")
    });
    let pinned = include_str!("../../tests/tools/prometheus/go.mod").lines();
    let version = pinned
        .map(str::trim)
        .find_map(|line| line.strip_prefix("github.com/prometheus/prometheus v"))
        .and_then(|rest| rest.split(' ').next());
    let path = cache.join(format!("prometheus-{}/prometheus", version.unwrap()));
    assert!(
        path.is_file(),
        "no Prometheus at {}; build it with `tests/tools/install.sh prometheus`",
        path.display()
    );
    path
}
