//! Asks the daemon that runs in a container.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::pod::Container;
use crate::support::tools::get;

/// Long, since a busy machine of two cores may build something beside the tests.
pub(super) const PATIENCE: Duration = Duration::from_mins(2);
pub(super) const POLL: Duration = Duration::from_millis(100);

/// Where the daemon answers.
pub(super) struct Api(pub(super) SocketAddr);

impl Api {
    async fn json(&self, path: &str) -> Option<Value> {
        let reply = get(self.0, path).await.ok()?;
        let (_, body) = reply.split_once("\r\n\r\n")?;
        serde_json::from_str(body).ok()
    }

    pub(super) async fn objectives(&self) -> BTreeSet<String> {
        let answer = self.json("/api/v1/slos").await.expect("the daemon answers");
        let items = answer["items"].as_array().expect("a list").iter();
        items
            .map(|slo| slo["id"].as_str().expect("it has a name").to_owned())
            .collect()
    }

    pub(super) async fn until(
        &self,
        daemon: &Container,
        path: &str,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.json(path).await.expect("the daemon answers");
            if wanted(&answer) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{path} never showed {what}, but {answer:#}\n{}",
                daemon.log()
            );
            sleep(POLL).await;
        }
    }

    /// Asks as the probe says until it succeeds.
    pub(super) async fn passes(&self, container: &Value, probe: &str, daemon: &mut Container) {
        let asked = &container[probe]["httpGet"];
        let port = container["ports"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|port| port["name"] == asked["port"]);
        assert_eq!(
            port.expect("the port has a name")["containerPort"],
            self.0.port()
        );
        let path = asked["path"].as_str().expect("a probe has a path");
        let deadline = Instant::now() + PATIENCE;
        while !get(self.0, path)
            .await
            .is_ok_and(|reply| reply.starts_with("HTTP/1.0 200"))
        {
            assert!(daemon.is_running(), "it ended:\n{}", daemon.log());
            assert!(
                Instant::now() < deadline,
                "{probe} never passed:\n{}",
                daemon.log()
            );
            sleep(POLL).await;
        }
    }
}
