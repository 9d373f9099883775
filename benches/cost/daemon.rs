//! Sloburn as a user runs it, over the Prometheus of the benchmark.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use sloburn::client;

use super::support::free_address;
use super::world::World;

/// The policy that Sloburn ships.
const POLICY: &str = include_str!("../../alerts/default.yaml");

/// A folder with the daemon's files; between phases nothing runs.
#[derive(Debug)]
pub(crate) struct Daemon {
    folder: PathBuf,
    world: World,
    process: Option<Child>,
    address: SocketAddr,
}

impl Daemon {
    pub(crate) fn prepare(folder: &Path, world: World, prometheus: &str) -> Self {
        let folder = folder.join("sloburn");
        let address = free_address();
        fs::create_dir_all(&folder).unwrap();
        let config = format!(
            "definitions: [objectives.yaml]\nalerts: [alerts.yaml]\ntick: 30s\nlisten: {address}\nstore: {{sqlite: sloburn.db}}\n\
             sources: {{default: {{prometheus: {{url: \"{prometheus}\"}}}}}}\n"
        );
        fs::write(folder.join("sloburn.yaml"), config).unwrap();
        fs::write(folder.join("objectives.yaml"), world.definitions()).unwrap();
        let receiver = "---\napiVersion: sloburn.dev/v1\nkind: Receiver\nmetadata: {name: nobody}\nspec: {webhook: {url: \"http://127.0.0.1:9\"}}\n\
             ---\napiVersion: sloburn.dev/v1\nkind: Routing\nmetadata: {name: main}\nspec: {default: nobody}\n";
        fs::write(folder.join("alerts.yaml"), format!("{POLICY}{receiver}")).unwrap();
        Self {
            folder,
            world,
            process: None,
            address,
        }
    }

    /// Starts it and waits until every objective is measured and nothing of the past is left to count.
    pub(crate) async fn start(&mut self) {
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_sloburn"))
            .arg("run")
            .current_dir(&self.folder)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn();
        self.process = Some(process.unwrap());
        while !self.is_settled().await {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            assert!(
                ended.is_none(),
                "the daemon ended: see {}",
                self.folder.display()
            );
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn is_settled(&self) -> bool {
        let Some(status) = self.read("/api/v1/status").await else {
            return false;
        };
        let walks = status["sources"].as_array().unwrap();
        walks.iter().all(|source| source["backfill"].is_null())
            && self.measured().await == self.world.services
    }

    /// How many objectives are measured.
    pub(crate) async fn measured(&self) -> i64 {
        let mut count = 0;
        let mut path = "/api/v1/slos?limit=100".to_owned();
        while let Some(page) = self.read(&path).await {
            let items = page["items"].as_array().unwrap();
            let measured = items
                .iter()
                .filter(|it| it["measurement"]["outcome"] == "measured");
            count += i64::try_from(measured.count()).unwrap();
            let Some(next) = page["next"].as_str() else {
                break;
            };
            path = format!("/api/v1/slos?limit=100&cursor={next}");
        }
        count
    }

    async fn read(&self, path: &str) -> Option<Value> {
        let client = client::builder().build().unwrap();
        let url = format!("http://{}{path}", self.address);
        let reply = client.get(url).send().await.ok()?;
        serde_json::from_str(&reply.text().await.ok()?).ok()
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        let id = process.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
        process.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
    }
}
