//! A source that cannot be reached, or is slow, or fails as a whole.

use std::time::Duration;

use super::{Lie, READS, Scene, Setup, TICKS, live_through};
use crate::support::lying_prometheus::LyingPrometheus;

#[tokio::test]
async fn row_01_connection_refused_holds_and_is_told() {
    let shown = live_through(Setup::default(), Lie::Refused).await;
    insta::assert_snapshot!(shown.words(), @r"
    failed: cannot reach the Prometheus of source `default` at http://prom:9090: connection refused; check `sources.default.prometheus.url` and that it is running
    told: 🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    ");
}

#[tokio::test]
async fn row_02_a_name_that_does_not_resolve_is_named() {
    let prometheus = LyingPrometheus::start().await.expect("a free port");
    let mut scene = Scene::over(prometheus, "http://prometheus.invalid", Setup::default()).await;
    let status = scene.ticks(TICKS).await;
    assert!(status.incident.is_none());
    let told = scene.titles().await.join("; ");
    let reason = status.measurement.reason.clone().unwrap_or_default();
    insta::assert_snapshot!(format!("{reason}\ntold: {told}"), @r"
    cannot reach the Prometheus of source `default` at http://prometheus.invalid: its name cannot be resolved; check `sources.default.prometheus.url` and that it is running
    told: 🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    ");
}

#[tokio::test]
async fn row_03_an_answer_that_takes_too_long_is_given_up_and_not_asked_for_again() {
    let quick = |settings| sloburn::source::prometheus::PrometheusSettings {
        timeout: Duration::from_millis(300),
        ..settings
    };
    // Time that passes before the truth may be slow as well; only what is not told is given up.
    let shown = live_through(Setup::with(quick), Lie::Silence).await;
    insta::assert_snapshot!(shown.words(), @r"
    failed: the Prometheus of source `default` at http://prom:9090 gave no whole answer within 300ms; look at its load, or raise `sources.default.prometheus.timeout`
    told: 🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    ");
    assert_eq!(shown.asked, READS);
}

#[tokio::test]
async fn row_04_a_failing_gateway_is_asked_twice_a_read_and_then_left_alone() {
    for status in [502, 503] {
        let shown = live_through(Setup::default(), Lie::Status(status, "no backend")).await;
        let words = shown.words().replace(&status.to_string(), "50x");
        insta::allow_duplicates!(insta::assert_snapshot!(words, @r"
        failed: the Prometheus of source `default` at http://prom:9090 fails (HTTP 50x): no backend; look at its log, or that of a proxy before it
        told: 🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
        "));
        // Two ticks of two reads of two requests each; then one request now and then.
        assert!((8..=11).contains(&shown.asked), "{}", shown.asked);
    }
    let shown = live_through(Setup::default(), Lie::Status(504, "")).await;
    assert_eq!(
        shown.asked,
        2 * READS,
        "what is slow is not taken to be down"
    );
    let shown = live_through(Setup::default(), Lie::Status(500, "boom")).await;
    assert_eq!(shown.asked, READS, "what is broken is not asked twice");
}

#[tokio::test]
async fn row_06_429_with_retry_after_is_obeyed() {
    // Not for longer than the test lasts.
    let shown = live_through(Setup::default(), Lie::Busy(2)).await;
    insta::assert_snapshot!(shown.words(), @r"
    failed: the Prometheus of source `default` at http://prom:9090 is asked too often (HTTP 429), and nothing is asked for 2s; raise its limit, or make `tick` longer
    told: 🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    ");
    assert!(shown.asked <= 4, "{}", shown.asked);
}

#[tokio::test]
async fn row_10_an_answer_that_breaks_off_is_not_used_in_part() {
    let shown = live_through(Setup::default(), Lie::Cut).await;
    insta::assert_snapshot!(shown.words(), @r"
    failed: the answer of the Prometheus of source `default` at http://prom:9090 broke off, and nothing of it was used; look for restarts of it or of a proxy before it
    told: 🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    ");
    assert_eq!(shown.asked, READS);
}
