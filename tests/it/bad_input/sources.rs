//! A Prometheus that lies: each lie has its outcome and its sentence, changes no alert, and costs no event.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use crate::support::daemon::Daemon;
use crate::support::inbox::Inbox;
use crate::support::lying_prometheus::{Lie, LyingPrometheus};
use crate::support::shop::{
    assert_nothing_is_lost, daemon, is_measured, pages, plain, slo, until, wait_for, webhook,
};

/// Longer than the short window and its hold, and than the grace before it is told that nothing can be measured.
const LONG_ENOUGH: Duration = Duration::from_secs(8);

/// What comes so close together was sent together.
const AT_ONCE: Duration = Duration::from_millis(500);

/// How long nothing may be asked after a 429, in seconds.
const BUSY: u32 = 4;

#[tokio::test]
async fn no_lie_changes_an_alert_or_costs_an_event() {
    let lies = [
        ("refused", Lie::Refused),
        ("401", Lie::Unauthorized),
        ("429", Lie::Busy(BUSY)),
        ("page", Lie::Page),
        ("cut JSON", Lie::Cut),
        ("warning", Lie::Warning),
    ];
    let told = join_all(lies.map(|(name, lie)| live_through(name, lie))).await;
    insta::assert_snapshot!(told.join("\n"), @r#"
refused: "failed": cannot reach the Prometheus of source `default` at http://127.0.0.1:PORT: connection refused; check `sources.default.prometheus.url` and that it is running
401: "failed": the Prometheus of source `default` at http://127.0.0.1:PORT does not accept our credentials (HTTP 401); check `bearerTokenFile` or `basicAuthFile` under `sources.default.prometheus`
429: "failed": the Prometheus of source `default` at http://127.0.0.1:PORT is asked too often (HTTP 429), and nothing is asked for 4s; raise its limit, or make `tick` longer
page: "failed": what answers for source `default` at http://127.0.0.1:PORT is not the API of a Prometheus: a web page, not JSON; check `sources.default.prometheus.url`, and for a proxy or login page before it
cut JSON: "failed": the answer of the Prometheus of source `default` at http://127.0.0.1:PORT broke off, and nothing of it was used; look for restarts of it or of a proxy before it
warning: "partial": source `default` answered with a part of the data, and nothing of it was used: store gateway-2 did not answer; see to what it warns of, or set `partial: accept`
"#);
}

/// Has a daemon page, lies to it for a while, tells the truth again; returns what it said of the lie.
async fn live_through(name: &str, lie: Lie) -> String {
    let mut prometheus = LyingPrometheus::start().await.expect("a free port");
    let inbox = Inbox::start().await;
    let mut daemon = daemon(&prometheus, &webhook("hook", &inbox.url()), &[]);
    daemon.start().await;
    let before = slo(&daemon, "a page", pages).await;
    assert_nothing_is_lost(name, &before, &prometheus);

    prometheus.tell(lie).await;
    let since = Instant::now();
    let blind = slo(&daemon, "that it is blind", |slo| !is_measured(slo)).await;
    wait_for("that it cannot measure is told", || inbox.types().len() > 1).await;
    sleep_until(since + LONG_ENOUGH).await;
    let held = slo(&daemon, "anything", |_| true).await;
    assert_held(name, &blind, &held);
    let reason = held["measurement"]["reason"]
        .as_str()
        .expect("a reason")
        .to_owned();
    assert_shown(name, &daemon, &reason).await;
    assert_told(name, &inbox, &reason);
    assert_patient(lie, &prometheus);

    prometheus.tell(Lie::Truth).await;
    let after = slo(&daemon, "that it measures again", is_measured).await;
    assert_nothing_is_lost(name, &after, &prometheus);
    assert_eq!(after["alert"], "page", "{name}: {after:#}");
    assert_eq!(
        after["incident"]["id"], before["incident"]["id"],
        "{name}: the incident goes on"
    );
    wait_for("that it measures again is told", || inbox.types().len() > 2).await;
    assert_eq!(
        inbox.types(),
        [
            "incident.opened",
            "measurement.opened",
            "measurement.closed"
        ],
        "{name}"
    );
    assert!(
        daemon.terminate().await.success(),
        "{name}: {}",
        daemon.log()
    );
    format!(
        "{name}: {}: {}",
        held["measurement"]["outcome"],
        plain(&reason, &daemon)
    )
}

/// Nothing has changed since the first tick of the lie but the time.
fn assert_held(name: &str, blind: &Value, held: &Value) {
    assert_eq!(held["measured"], false, "{name}: {held:#}");
    for unchanged in ["alert", "incident", "tiers"] {
        assert_eq!(held[unchanged], blind[unchanged], "{name}: {unchanged}");
    }
    assert_eq!(held["alert"], "page", "{name}: {held:#}");
    assert_eq!(
        held["incident"]["history"].as_array().map(Vec::len),
        Some(1),
        "{name}: {held:#}"
    );
    for unchanged in ["bad", "total"] {
        assert_eq!(
            held["window"][unchanged], blind["window"][unchanged],
            "{name}: {unchanged}"
        );
    }
    for unchanged in ["outcome", "lastGoodAt"] {
        assert_eq!(
            held["measurement"][unchanged], blind["measurement"][unchanged],
            "{name}: {unchanged}"
        );
    }
    assert_ne!(
        held["measurement"]["at"], blind["measurement"]["at"],
        "{name}: it goes on asking"
    );
}

/// The status of everything says the same, and a person who reads the log finds it there, once.
async fn assert_shown(name: &str, daemon: &Daemon, reason: &str) {
    let status = until(daemon, "/api/v1/status", "anything", |_| true).await;
    let source = &status["sources"][0];
    assert_eq!(source["healthy"], false, "{name}: {status:#}");
    assert_eq!(source["error"], reason, "{name}: {status:#}");
    let log = daemon.log();
    assert_eq!(log.matches(reason).count(), 1, "{name}: {reason}\n{log}");
}

/// The message says why, and what stays as it is.
fn assert_told(name: &str, inbox: &Inbox, reason: &str) {
    let taken = inbox.taken();
    let text = taken[1]["data"]["text"].as_str().expect("a text");
    assert!(text.contains(reason), "{name}: {text}");
    assert!(
        text.contains("1 incident stays open: shop/availability (page"),
        "{name}: {text}"
    );
}

/// Who asks for a pause gets it.
fn assert_patient(lie: Lie, prometheus: &LyingPrometheus) {
    if let Lie::Busy(seconds) = lie {
        // A tick asks for the counters and for when their processes began, both at once.
        let mut asked = prometheus.asked(lie);
        asked.dedup_by(|later, earlier| *later - *earlier < AT_ONCE);
        assert!(
            (2..=3).contains(&asked.len()),
            "asked {} times in 8 s",
            asked.len()
        );
        let gaps = asked.windows(2).map(|two| two[1] - two[0]);
        let shortest = gaps.min().expect("two queries");
        assert!(
            shortest >= Duration::from_secs(seconds.into()),
            "asked again after {shortest:?}"
        );
    }
}
