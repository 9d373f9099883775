//! Clocks that do not agree, or are set.

use std::sync::Arc;
use std::time::Duration;

use regex::Regex;
use serde_json::Value;
use sloburn::clock::{Clock, Hand};
use sloburn::domain::time::{Span, Timestamp};
use sloburn::status::board::Board;
use sloburn::status::freshness::Freshness;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Lie, Scene, Setup, titles};
use crate::support::daemon::Daemon;
use crate::support::inbox::Inbox;
use crate::support::lying_prometheus::LyingPrometheus;
use crate::support::shop::{
    assert_nothing_is_lost, counted, daemon, is_measured, logged, pages, slo, until, wait_for,
    webhook,
};

/// What is said of the source of a daemon once that is as `wanted`.
async fn source(daemon: &Daemon, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let is_so = |status: &Value| wanted(&status["sources"][0]);
    let mut status = until(daemon, "/api/v1/status", what, is_so).await;
    status["sources"][0].take()
}

fn is_skewed(source: &Value) -> bool {
    source["clockSkew"]["matters"] == true
}

#[tokio::test]
async fn row_23_a_source_whose_clock_is_behind_is_waited_for_and_one_that_is_ahead_is_told() {
    let mut prometheus = LyingPrometheus::start().await.expect("a free port");
    let inbox = Inbox::start().await;
    let mut daemon = daemon(&prometheus, &webhook("hook", &inbox.url()), &[]);
    daemon.start().await;
    let before = slo(&daemon, "a page", pages).await;
    let agreed = source(&daemon, "its clock", |it| !it["clockSkew"].is_null()).await;
    assert_eq!(agreed["clockSkew"]["matters"], false, "{agreed:#}");

    for (ahead, least, most) in [(-5, 3.5, 5.5), (60, -60.5, -58.5)] {
        prometheus.tell(Lie::Clock(ahead)).await;
        let skewed = source(&daemon, "another clock", is_skewed).await;
        let seconds = skewed["clockSkew"]["seconds"].as_f64().expect("seconds");
        assert!((least..=most).contains(&seconds), "{skewed:#}");
        let metrics = daemon.text("/metrics").await;
        assert!(metrics.contains("sloburn_source_clock_skew_seconds{source=\"default\"}"));
        // Long enough for the page to be closed, were it taken for calm.
        sleep(Duration::from_secs(8)).await;
        let during = slo(&daemon, "that it measures", is_measured).await;
        assert_nothing_is_lost("while the clocks differ", &during, &prometheus);
        assert_eq!(during["incident"]["id"], before["incident"]["id"]);
        let ready = daemon.text("/readyz").await;
        assert_eq!(ready, "ok\n", "{}", daemon.log());
        prometheus.tell(Lie::Truth).await;
        source(&daemon, "the same clock", |it| !is_skewed(it)).await;
    }
    let after = slo(&daemon, "that it measures", is_measured).await;
    assert_nothing_is_lost("after it", &after, &prometheus);
    assert_eq!(inbox.types(), ["incident.opened"]);
    let told = logged(&daemon, "our clock").join("\n");
    let numbers = Regex::new(r" \d+ (min|s)| (ahead|behind)=\S+").expect("a pattern");
    insta::assert_snapshot!(numbers.replace_all(&told, ""), @r"
    TIME  WARN our clock is ahead of that of source `default`: ticks wait for it, up to its `settle`; set the clock that is wrong source=default
    TIME  INFO our clock and that of source `default` agree again source=default
    TIME  WARN our clock is behind that of source `default`: everything is noticed that much later; set the clock that is wrong source=default
    TIME  INFO our clock and that of source `default` agree again source=default
    ");
}

#[tokio::test]
async fn row_23_what_has_not_happened_at_the_source_is_not_settled() {
    let mut prometheus = LyingPrometheus::start().await.expect("a free port");
    // Further behind than samples may be late, from the start on: nothing is known of its clock before it is asked.
    prometheus.tell(Lie::Clock(-25)).await;
    let inbox = Inbox::start().await;
    let mut daemon = daemon(&prometheus, &webhook("hook", &inbox.url()), &[]);
    daemon.start().await;
    let blind = slo(&daemon, "why it is blind", |slo| {
        slo["measurement"]["outcome"] == "failed"
    })
    .await;
    let reason = blind["measurement"]["reason"].as_str().expect("a reason");
    let ahead = Regex::new(r"\d+ s ahead").expect("a pattern");
    insta::assert_snapshot!(ahead.replace(reason, "N s ahead"), @"our clock is N s ahead of that of source `default`, more than its `settle` (10s), and nothing that was read is used: it has no samples of this time yet; set the clock that is wrong");
    wait_for("that it is told", || !inbox.types().is_empty()).await;
    prometheus.tell(Lie::Truth).await;
    slo(&daemon, "all that there was", |slo| {
        let (counted, there_were) = counted(slo, &prometheus);
        is_measured(slo) && counted == there_were
    })
    .await;
}

/// An engine in this process, whose wall clock the test sets.
struct Running {
    board: Arc<Board>,
    hand: Hand,
    clock: Clock,
    moved: Instant,
    /// All ticks, in the order in which they were run.
    ticks: Vec<Timestamp>,
}

impl Running {
    /// Lets so much time pass, here and for the wall clock, and takes down each tick.
    async fn seconds(&mut self, seconds: u64) {
        let until = self.moved + Duration::from_secs(seconds);
        while self.moved < until {
            sleep_until(self.moved + Duration::from_millis(20)).await;
            let passed = self.moved.elapsed();
            self.moved += passed;
            let shows = self.clock.now().checked_add(passed);
            self.hand.move_to(shows.expect("a time of ours"));
            let at = self.board.read().snapshot.at;
            if at != self.ticks.last().copied() {
                self.ticks.extend(at);
            }
        }
    }

    fn set_clock(&self, by: Span) {
        let shows = Timestamp::from(self.clock.now()) + by;
        self.hand.set_to(shows.to_jiff());
    }
}

#[tokio::test]
async fn row_30_a_wall_clock_that_is_set_repeats_no_tick_and_leaves_none_out() {
    let (hand, clock) = Clock::driven(Clock::System.now());
    let setup = Setup {
        clock: clock.clone(),
        ..Setup::default()
    };
    let scene = Scene::start(setup).await;
    let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
    tasks.spawn(scene.engine.run(stop.clone()));
    let mut daemon = Running {
        board: scene.board,
        hand,
        clock,
        moved: Instant::now(),
        ticks: Vec::new(),
    };
    daemon.seconds(6).await;
    // By less than samples may be late, by much more, and back again.
    for by in [8, 3_600, -3_608] {
        daemon.set_clock(Span::from_secs(by));
        daemon.seconds(5).await;
    }
    let shown = daemon.board.read().snapshot;
    let (now, at) = (
        Timestamp::from(Clock::System.now()),
        shown.at.expect("a tick"),
    );
    assert!(
        daemon.ticks.is_sorted_by(|one, next| one < next),
        "{:?}",
        daemon.ticks
    );
    assert!(
        at <= now && now.since(at) < Span::from_secs(5),
        "{at} at {now}"
    );
    assert_eq!(shown.engine.clock_steps, 3);
    let slo = &shown.slos[0];
    let counted = (slo.window.counts.bad, slo.window.counts.total);
    assert_eq!(counted, scene.prometheus.truth(at));
    assert!(slo.incident.is_some());
    let told = titles(&scene.store, at).await;
    assert_eq!(told.len(), 1, "{told:?}");

    // Wrong, and behind the source: the ticks that were run are not run again, and nobody is told that all is well.
    daemon.set_clock(Span::from_secs(-60));
    let before = daemon.ticks.len();
    daemon.seconds(5).await;
    assert!(daemon.ticks.len() <= before + 1, "{:?}", daemon.ticks);
    let shown = daemon.board.read().snapshot;
    assert!(Freshness::of(&shown, daemon.clock.now().into()).stale);
    stop.cancel();
    while tasks.join_next().await.is_some() {}
}
