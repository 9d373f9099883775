//! A promise about the service that the lying Prometheus knows, and the real daemon that watches over it.

use std::time::Duration;

use regex::Regex;
use serde_json::Value;
use sloburn::domain::time::Timestamp;
use tokio::time::{Instant, sleep};

use super::daemon::{Daemon, Files};
use super::lying_prometheus::LyingPrometheus;

/// Long, since a busy machine of two cores may build something beside the tests.
const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);

/// The promise about what the lying Prometheus knows.
pub(crate) const DEFINITIONS: &str = "\
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: shop}
spec:
  window: 30d
  objectives:
    - name: availability
      objective: 99%
      errors: {total: 'http_requests_total{job=\"shop\"}', badWhere: 'code=~\"5..\"'}
";

/// Windows and hold so short that within a few seconds without answers a page would be closed by whoever takes
/// them for no failures.
pub(crate) const POLICY: &str = "\
apiVersion: sloburn.dev/v1
kind: AlertPolicy
metadata: {name: default}
spec:
  tiers: [{name: fast, severity: page, long: 20s, short: 4s, burn: 14.4}]
  lowTraffic: off
  resolveAfter: {min: 1s, ofShort: 10%}
  unmeasured: {after: 3s, severity: ticket}
";

/// A daemon that reads from `prometheus` every second and tells the receivers that are defined in `receivers`.
pub(crate) fn daemon(
    prometheus: &LyingPrometheus,
    receivers: &str,
    secrets: &[(&str, &str)],
) -> Daemon {
    let config = format!(
        "tick: 1s\nsources: {{default: {{prometheus: {{url: '{}', timeout: 2s, offset: 0s, settle: 10s, scrapeInterval: 1s}}}}}}\n",
        prometheus.url()
    );
    Daemon::prepare(&Files {
        config: &config,
        definitions: DEFINITIONS,
        alerts: &format!("{POLICY}---\n{receivers}"),
        secrets,
    })
}

pub(crate) fn webhook(name: &str, url: &str) -> String {
    format!(
        "apiVersion: sloburn.dev/v1\nkind: Receiver\nmetadata: {{name: {name}}}\nspec: {{webhook: {{url: '{url}'}}}}\n"
    )
}

/// Asks until an answer at `path` is as `wanted`, and returns that.
pub(crate) async fn until(
    daemon: &Daemon,
    path: &str,
    what: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = daemon.json(path).await;
        if wanted(&answer) {
            return answer;
        }
        assert!(
            Instant::now() < deadline,
            "{path} never showed {what}, but last:\n{answer:#}\n{}",
            daemon.log()
        );
        sleep(POLL).await;
    }
}

/// The one objective, once it is as `wanted`.
pub(crate) async fn slo(daemon: &Daemon, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let path = "/api/v1/slos/shop/availability";
    let mut list = until(daemon, path, what, |list| wanted(&list["items"][0])).await;
    list["items"][0].take()
}

pub(crate) fn is_measured(slo: &Value) -> bool {
    slo["measurement"]["outcome"] == "measured"
}

pub(crate) fn pages(slo: &Value) -> bool {
    is_measured(slo) && slo["alert"] == "page"
}

/// The failures and requests counted, and those that there were up to the tick that counted them.
pub(crate) fn counted(slo: &Value, prometheus: &LyingPrometheus) -> ((f64, f64), (f64, f64)) {
    let at: jiff::Timestamp = slo["measurement"]["at"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("a time");
    let number = |key: &str| slo["window"][key].as_f64().expect("a count");
    (
        (number("bad"), number("total")),
        prometheus.truth(Timestamp::from(at)),
    )
}

/// What was counted is what there was, to the last request.
pub(crate) fn assert_nothing_is_lost(name: &str, slo: &Value, prometheus: &LyingPrometheus) {
    let (counted, there_were) = counted(slo, prometheus);
    assert_eq!(counted, there_were, "{name}: {slo:#}");
}

/// Waits until `is_so`.
pub(crate) async fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        sleep(POLL).await;
    }
}

/// Lines of the log that contain `wanted`, without what differs from run to run.
pub(crate) fn logged(daemon: &Daemon, wanted: &str) -> Vec<String> {
    let lines = daemon.log();
    let lines = lines.lines().filter(|line| line.contains(wanted));
    lines.map(|line| plain(line, daemon)).collect()
}

/// A text without ports, times and temporary folders.
pub(crate) fn plain(text: &str, daemon: &Daemon) -> String {
    let folder = daemon.folder().display().to_string();
    let mut text = text.replace(&format!("{folder}/"), "");
    for (pattern, name) in [
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
        (r"\d{8}T\d{6}Z", "TIME"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r" +incident=\S+", ""),
        (r" \(os error \d+\)", ""),
    ] {
        text = Regex::new(pattern)
            .expect("a pattern")
            .replace_all(&text, name)
            .into_owned();
    }
    text
}
