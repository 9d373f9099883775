//! One shop with all four signals, a real Prometheus that scrapes it, the daemon, and everybody who is told.

use std::time::Duration;

use serde_json::Value;
use sloburn::status::names::Alert;
use sloburn::status::view::scalar::Count;

use super::agree;
use crate::support::daemon::{Daemon, Files};
use crate::support::exporter::{Exporter, SLOW};
use crate::support::fake_slack::{FakeSlack, Options};
use crate::support::hook::Hook;
use crate::support::tools::{RealServer, get, scrape_config};

/// Events a second while there is traffic.
pub(super) const RATE: f64 = 1_000.0;

const DEFINITIONS: &str = r#"
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: shop, labels: {team: payments}}
spec:
  window: 30d
  alertPolicy: test
  objectives:
    - {name: availability, objective: 99.9%, errors: {total: 'http_requests_total{job="shop"}', badWhere: 'code=~"5.."'}}
    - {name: latency, objective: 99%, latency: {histogram: 'http_request_duration_seconds{job="shop"}', atMost: 300ms}}
    - {name: throughput, objective: 99%, slice: 5s, traffic: {total: 'http_requests_total{job="shop"}', atLeast: 900/s}}
    - {name: pool, objective: 99%, slice: 5s, saturation: {used: pool_used, limit: pool_limit, by: [pool], atMost: 50%}}
"#;

fn alerts(slack: &FakeSlack, hook: &Hook, alertmanager: &RealServer) -> String {
    format!(
        r##"
apiVersion: sloburn.dev/v1
kind: AlertPolicy
metadata: {{name: test}}
spec:
  tiers:
    - {{name: fast, severity: page, long: 60s, short: 10s, burn: 14.4}}
    - {{name: slow, severity: ticket, long: 60s, short: 10s, burn: 3}}
  lowTraffic: off
  resolveAfter: {{min: 10s, ofShort: 50%}}
  unmeasured: {{after: 20s, severity: ticket}}
---
{{apiVersion: sloburn.dev/v1, kind: Receiver, metadata: {{name: chat}}, spec: {{slack: {{channel: "#alerts", tokenFile: secrets/slack, mention: "<!here>", apiUrl: '{}'}}}}}}
---
{{apiVersion: sloburn.dev/v1, kind: Receiver, metadata: {{name: hook}}, spec: {{webhook: {{url: '{}'}}}}}}
---
{{apiVersion: sloburn.dev/v1, kind: Receiver, metadata: {{name: manager}}, spec: {{alertmanager: {{urls: ['{}']}}}}}}
---
{{apiVersion: sloburn.dev/v1, kind: Routing, metadata: {{name: main}}, spec: {{default: [chat, hook, manager]}}}}
"##,
        slack.api_url(),
        hook.url(),
        alertmanager.url()
    )
}

pub(super) struct World {
    pub(super) exporter: Exporter,
    pub(super) slack: FakeSlack,
    pub(super) hook: Hook,
    pub(super) alertmanager: RealServer,
    pub(super) daemon: Daemon,
    _prometheus: RealServer,
}

impl World {
    /// Starts everything, with traffic from the beginning; `None` says that the test is to be skipped.
    pub(super) async fn start() -> Option<Self> {
        let exporter = Exporter::start().await.expect("loopback has a free port");
        exporter.traffic(RATE, 0.0);
        let every = Duration::from_secs(1);
        let prometheus =
            RealServer::prometheus(&scrape_config(every, &[("shop", exporter.address())])).await?;
        let alertmanager = RealServer::alertmanager().await?;
        let slack = FakeSlack::start(Options::default()).await;
        let slack = slack.expect("loopback has a free port");
        let hook = Hook::start().await.expect("loopback has a free port");
        let mut daemon = Daemon::prepare(&Files {
            config: &format!(
                "tick: 1s\nsources: {{default: {{prometheus: {{url: '{}', offset: 2s, settle: 10s, scrapeInterval: 1s}}}}}}\n",
                prometheus.url()
            ),
            definitions: DEFINITIONS,
            alerts: &alerts(&slack, &hook, &alertmanager),
            secrets: &[("slack", FakeSlack::TOKEN)],
        });
        exporter.scraped(2).await;
        daemon.start().await;
        Some(Self {
            exporter,
            slack,
            hook,
            alertmanager,
            daemon,
            _prometheus: prometheus,
        })
    }

    /// All four signals are measured, what is shown of them agrees, and only one is alerted about.
    pub(super) async fn status(&self, alert: Alert) {
        let slos = agree::check(self.daemon.json("/api/v1/slos").await);
        let slo = |name: &str| {
            let found = slos.iter().find(|slo| slo.name == name);
            found.unwrap_or_else(|| panic!("{name} is shown"))
        };
        for name in ["availability", "latency", "throughput", "pool"] {
            agree::measured(slo(name));
            let expected = if name == "availability" {
                alert
            } else {
                Alert::None
            };
            assert_eq!(slo(name).alert, expected, "{name}");
        }
        let (errors, latency) = (slo("availability"), slo("latency"));
        assert_eq!(
            errors.window.total, latency.window.total,
            "both count the same requests"
        );
        let slow = latency.window.total.0 * SLOW;
        assert!((latency.window.bad.0 - slow).abs() <= 2.0, "{latency:?}");
        for name in ["throughput", "pool"] {
            assert_eq!(slo(name).window.bad, Count(0.0), "{:?}", slo(name));
        }
    }

    /// What is active in Alertmanager.
    pub(super) async fn active(&self) -> Vec<Value> {
        let reply = get(self.alertmanager.address(), "/api/v2/alerts?active=true").await;
        let reply = reply.expect("Alertmanager answers");
        let (_, body) = reply
            .split_once("\r\n\r\n")
            .expect("a reply has head and body");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {reply}"))
    }
}
