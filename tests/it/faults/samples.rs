//! A source that answers well and whose samples are not what they should be.

use serde_json::Value;
use sloburn::domain::measurement::Outcome;

use super::{Lie, READS, Scene, Setup, WARM_UP, live_through};
use crate::support::inbox::Inbox;
use crate::support::lying_prometheus::LyingPrometheus;
use crate::support::shop::{counted, daemon, is_measured, logged, pages, slo, until, webhook};

#[tokio::test]
async fn row_12_no_series_holds_and_no_failing_series_is_no_failure() {
    let shown = live_through(Setup::default(), Lie::Nothing).await;
    insta::assert_snapshot!(shown.words().split(" since ").next().unwrap(), @"noData: `http_requests_total` has had no sample");
    assert_eq!(shown.asked, READS);

    let mut scene = Scene::start(Setup::default()).await;
    scene.prometheus.tell(Lie::Healthy).await;
    let status = scene.ticks(WARM_UP).await;
    assert_eq!(status.measurement.outcome, Outcome::Measured);
    assert_eq!(status.window.counts.bad.to_bits(), 0.0_f64.to_bits());
    assert!(status.window.counts.total > 0.0 && status.incident.is_none());
}

#[tokio::test]
async fn row_15_series_that_come_twice_count_once() {
    let mut scene = Scene::start(Setup::default()).await;
    scene.prometheus.tell(Lie::Twice).await;
    let status = scene.ticks(WARM_UP).await;
    assert_eq!(status.measurement.outcome, Outcome::Measured);
    let counted = (status.window.counts.bad, status.window.counts.total);
    assert_eq!(counted, scene.prometheus.truth(scene.at));
}

#[tokio::test]
async fn row_20_a_target_that_is_gone_holds_and_what_it_did_meanwhile_is_counted_when_it_is_back() {
    let shown = live_through(Setup::default(), Lie::Gap(WARM_UP, i64::MAX)).await;
    let words = shown.words();
    let (words, told) = words.split_once('\n').unwrap();
    insta::assert_snapshot!(words.split(" since ").next().unwrap(), @"noData: `http_requests_total` has had no sample");
    insta::assert_snapshot!(told, @"told: 🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing");
    assert_eq!(shown.asked, READS);
}

#[tokio::test]
async fn row_22_samples_that_come_later_than_the_offset_allows_hold_and_are_counted_where_they_belong()
 {
    let shown = live_through(Setup::default(), Lie::Late(3)).await;
    insta::assert_snapshot!(shown.words().split(" since ").next().unwrap(), @"noData: `http_requests_total` has had no sample");
    let mut scene = Scene::start(Setup::default()).await;
    scene.prometheus.tell(Lie::Late(1)).await;
    let status = scene.ticks(WARM_UP).await;
    assert_eq!(status.measurement.outcome, Outcome::Measured);
    let counted = (status.window.counts.bad, status.window.counts.total);
    let second = sloburn::domain::time::Span::from_secs(1);
    assert_eq!(counted, scene.prometheus.truth(scene.at - second));
    assert!(status.reconstructed_share < f64::EPSILON);
}

#[tokio::test]
async fn row_22_samples_that_keep_coming_late_are_waited_for() {
    let mut prometheus = LyingPrometheus::start().await.expect("a free port");
    let inbox = Inbox::start().await;
    let mut daemon = daemon(&prometheus, &webhook("hook", &inbox.url()), &[]);
    daemon.start().await;
    let before = slo(&daemon, "a page", pages).await;

    prometheus.tell(Lie::Behind(4)).await;
    let is_waited_for = |it: &Value| it["sources"][0]["lagSeconds"].as_f64() >= Some(2.0);
    let waits = until(&daemon, "/api/v1/status", "a longer wait", is_waited_for).await;
    let during = slo(&daemon, "that it measures", is_measured).await;
    assert_eq!(during["incident"]["id"], before["incident"]["id"]);
    let metrics = daemon.text("/metrics").await;
    assert!(metrics.contains("sloburn_source_lag_seconds{source=\"default\"} "));
    let told = logged(&daemon, "come later than");
    assert!(!told.is_empty(), "{}", daemon.log());

    prometheus.tell(Lie::Truth).await;
    let longest = waits["sources"][0]["lagSeconds"].as_f64();
    let is_shorter = |it: &Value| it["sources"][0]["lagSeconds"].as_f64() < longest;
    until(&daemon, "/api/v1/status", "a shorter wait", is_shorter).await;
    let is_whole = |it: &Value| {
        let (counted, there_were) = counted(it, &prometheus);
        is_measured(it) && counted == there_were
    };
    slo(&daemon, "all that happened", is_whole).await;
    // Until it is known how late they are, nothing can be measured; no incident begins or ends by that.
    let incidents = inbox.types().into_iter();
    let incidents: Vec<String> = incidents.filter(|it| it.starts_with("incident")).collect();
    assert_eq!(incidents, ["incident.opened"]);
}

#[tokio::test]
async fn row_24_a_gap_is_counted_and_marked_and_not_covered() {
    let mut scene = Scene::start(Setup::default()).await;
    scene.prometheus.tell(Lie::Gap(20, 30)).await;
    let status = scene.ticks(WARM_UP).await;
    let counted = (status.window.counts.bad, status.window.counts.total);
    assert_eq!(counted, scene.prometheus.truth(scene.at));
    assert!(status.reconstructed_share > 0.0);
    let month = 30.0 * 86_400.0;
    let covered = status.window.coverage * month;
    assert!((28.0..=30.5).contains(&covered), "{covered}");
}

#[tokio::test]
async fn row_25_what_the_source_does_not_hold_any_more_is_shown_as_not_covered() {
    let mut scene = Scene::start(Setup::default()).await;
    let status = scene.ticks(WARM_UP).await;
    let covered = status.window.coverage * 30.0 * 86_400.0;
    assert!((39.0..=41.0).contains(&covered), "{covered}");
    assert_eq!(status.measurement.outcome, Outcome::Measured);
}
