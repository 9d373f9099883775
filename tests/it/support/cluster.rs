//! A Kubernetes cluster without nodes: a real kube-apiserver over a real etcd, on loopback.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use sloburn::client;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::tools::{binary, free_port};

/// Long, since a busy machine of two cores may build something beside the tests.
const READY_WITHIN: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(200);
/// Of an administrator.
const TOKEN: &str = "token";

/// Dropped, it is killed and its folder removed.
#[derive(Debug)]
pub(crate) struct Cluster {
    folder: TempDir,
    processes: Vec<Child>,
    url: String,
    client: Client,
}

impl Cluster {
    /// Starts it and waits until it answers; `None` says that the test is to be skipped.
    pub(crate) async fn start() -> Option<Self> {
        let etcd = binary(
            ("etcd", "etcd"),
            (
                "go.etcd.io/etcd/server/v3",
                include_str!("../../tools/etcd/go.mod"),
            ),
        )?;
        let apiserver = binary(
            ("kube-apiserver", "kube-apiserver"),
            (
                "k8s.io/kubernetes",
                include_str!("../../tools/kube-apiserver/go.mod"),
            ),
        )?;
        // The server makes its own certificate.
        let client = client::builder().danger_accept_invalid_certs(true);
        let mut cluster = Self {
            folder: tempfile::tempdir().expect("a temporary folder can be made"),
            processes: Vec::new(),
            url: String::new(),
            client: client.build().expect("a client can be built"),
        };
        cluster.prepare();
        // Between our letting go of a free port and the server's taking it, another test may take it.
        for _ in 0..5 {
            cluster.launch(&etcd, &apiserver);
            if cluster.is_ready().await {
                return Some(cluster);
            }
            cluster.stop();
            if !cluster.log().contains("address already in use") {
                break;
            }
        }
        panic!("the cluster did not start:\n{}", cluster.log());
    }

    /// A file by which Helm finds the cluster.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// What the API answers: its status and body.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let kind = match method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(TOKEN)
            .header("Content-Type", kind);
        if !body.is_null() {
            request = request.body(body.to_string());
        }
        let response = request
            .send()
            .await
            .unwrap_or_else(|error| panic!("{path}: {error:?}\n{}", self.log()));
        let status = response.status().as_u16();
        let text = response.text().await.expect("an answer can be read");
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    /// A namespace that enforces the profile *restricted*.
    pub(crate) async fn namespace(&self, name: &str) {
        let labels = json!({"pod-security.kubernetes.io/enforce": "restricted"});
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
        let (status, answer) = self
            .ask(Method::POST, "/api/v1/namespaces", &namespace)
            .await;
        assert_eq!(status, 201, "{answer:#}");
    }

    fn prepare(&self) {
        let folder = self.folder.path();
        write(
            folder,
            "tokens.csv",
            &format!("{TOKEN},admin,1,\"system:masters\"\n"),
        );
        let key = Command::new("openssl")
            .args(["genrsa", "-out", "sa.key", "2048"])
            .current_dir(folder)
            .stderr(Stdio::null())
            .status();
        assert!(
            key.expect("`openssl` is installed").success(),
            "openssl makes a key"
        );
    }

    fn launch(&mut self, etcd: &Path, apiserver: &Path) {
        let (client, peer, secure) = (free_port(), free_port(), free_port());
        let (client, peer) = (
            format!("http://127.0.0.1:{client}"),
            format!("http://127.0.0.1:{peer}"),
        );
        self.url = format!("https://127.0.0.1:{secure}");
        self.spawn(
            etcd,
            &[
                "--data-dir=etcd",
                "--unsafe-no-fsync",
                "--log-level=warn",
                &format!("--listen-client-urls={client}"),
                &format!("--advertise-client-urls={client}"),
                &format!("--listen-peer-urls={peer}"),
                &format!("--initial-advertise-peer-urls={peer}"),
                &format!("--initial-cluster=default={peer}"),
            ],
        );
        self.spawn(
            apiserver,
            &[
                &format!("--etcd-servers={client}"),
                &format!("--secure-port={secure}"),
                "--bind-address=127.0.0.1",
                "--advertise-address=127.0.0.1",
                "--cert-dir=certificates",
                "--service-account-key-file=sa.key",
                "--service-account-signing-key-file=sa.key",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--token-auth-file=tokens.csv",
                "--authorization-mode=RBAC",
                "--service-cluster-ip-range=10.96.0.0/24",
                "--enable-admission-plugins=PodSecurity",
                // Nothing runs here that would make the accounts.
                "--disable-admission-plugins=ServiceAccount",
            ],
        );
        let kubeconfig = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": [{"name": "it", "cluster": {"server": self.url, "insecure-skip-tls-verify": true}}],
            "users": [{"name": "it", "user": {"token": TOKEN}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        });
        write(self.folder.path(), "kubeconfig", &kubeconfig.to_string());
    }

    fn spawn(&mut self, program: &Path, arguments: &[&str]) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .expect("the log can be opened");
        let process = Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log's handle can be copied"))
            .stderr(log)
            .spawn();
        let process =
            process.unwrap_or_else(|error| panic!("cannot run `{}`: {error}", program.display()));
        self.processes.push(process);
    }

    async fn is_ready(&mut self) -> bool {
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            // First the processes: if one ended, whoever answers on that port is another.
            let has_ended = |process: &mut Child| {
                let ended = process.try_wait().expect("the server's state can be read");
                ended.is_some()
            };
            if self.processes.iter_mut().any(has_ended) {
                return false;
            }
            let asked = self
                .client
                .get(format!("{}/readyz", self.url))
                .bearer_auth(TOKEN);
            if let Ok(answer) = asked.send().await
                && answer.status().is_success()
            {
                return true;
            }
            sleep(POLL).await;
        }
        false
    }

    fn log(&self) -> String {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(50).collect();
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn stop(&mut self) {
        for mut process in self.processes.drain(..) {
            process.kill().expect("the server can be killed");
            process.wait().expect("the server can be waited for");
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("a file can be written in a temporary folder");
}
