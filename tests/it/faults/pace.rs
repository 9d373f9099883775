//! Too much for the time that there is: too many queries, answers that are too slow, a process that does not run.

use std::num::NonZeroUsize;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::Value;
use sloburn::alerting::text;
use sloburn::domain::measurement::Outcome;
use sloburn::domain::notice::Facts;
use sloburn::domain::time::{Span, Timestamp};
use sloburn::source::prometheus::PrometheusSettings;
use sloburn::store::Store as _;
use tokio::time::sleep;

use super::paused::Paused;
use super::{Lie, Scene, Setup, WARM_UP, deliver, timeless};
use crate::sim::{ONSET, Shop};
use crate::support::daemon::Daemon;
use crate::support::inbox::Inbox;
use crate::support::lying_prometheus::LyingPrometheus;
use crate::support::shop::{
    assert_nothing_is_lost, daemon, is_measured, logged, pages, slo, until, webhook,
};

/// Longer than a tick.
const SLOW: Lie = Lie::Slow(1_300);

/// Longer than the short window and its hold, and than the grace before it is told that nothing can be measured.
const LONG_ENOUGH: Duration = Duration::from_secs(8);

const AT_ONCE: usize = 4;

/// Promises on metrics of their own: of calm ones that no query knows of, and of one that fails.
fn promises(calm: usize) -> String {
    let promise = |name: &str, metric: &str| {
        format!(
            "    - {{name: {name}, objective: 99%, errors: {{total: {metric}, badWhere: 'code=~\"5..\"'}}}}\n"
        )
    };
    let calm = (0..calm).map(|at| promise(&format!("calm-{at}"), &format!("calm_{at}_total")));
    let objectives: String = calm.collect();
    format!(
        "apiVersion: sloburn.dev/v1\nkind: ServiceObjectives\nmetadata: {{name: shop}}\nspec:\n  window: 30d\n  objectives:\n{objectives}{}",
        promise("failing", "failing_requests_total")
    )
}

fn with_places(definitions: String, places: usize) -> Setup {
    let places = NonZeroUsize::new(places).expect("some");
    let settings = move |settings| PrometheusSettings {
        max_in_flight: places,
        ..settings
    };
    Setup {
        definitions,
        ..Setup::with(settings)
    }
}

#[tokio::test]
async fn row_27_what_fails_is_read_first_when_everybody_waits() {
    let mut scene = Scene::start(with_places(promises(20), 1)).await;
    scene.ticks(WARM_UP).await;
    let failing = scene.shown().into_iter().find(|slo| slo.incident.is_some());
    assert_eq!(
        failing.map(|slo| slo.id.clone()).as_deref(),
        Some("shop/failing")
    );
    let slow = Lie::Slow(1);
    scene.prometheus.tell(slow).await;
    scene.ticks(1).await;
    let asked = scene.prometheus.metrics(slow);
    assert_eq!(
        asked.len(),
        20 + 2,
        "each metric and the starts of processes"
    );
    assert_eq!(asked[0], "failing_requests_total", "{asked:?}");
}

#[tokio::test]
async fn row_40_no_more_queries_are_under_way_than_there_may_be() {
    let mut scene = Scene::start(with_places(promises(60), AT_ONCE)).await;
    let slow = Lie::Slow(20);
    scene.prometheus.tell(slow).await;
    scene.ticks(3).await;
    assert_eq!(scene.prometheus.most_under_way(), AT_ONCE);
    assert_eq!(scene.prometheus.asked(slow).len(), 3 * (60 + 2));
}

async fn engine(daemon: &Daemon) -> Value {
    let mut status = until(daemon, "/api/v1/status", "anything", |_| true).await;
    status["engine"].take()
}

/// What was passed over is counted in the metric as in the API, and more than nothing.
async fn assert_passed_over(daemon: &Daemon) {
    let skipped = engine(daemon).await["skipped"].as_u64().expect("a number");
    assert!(skipped > 0, "{}", daemon.log());
    let metrics = daemon.text("/metrics").await;
    let counted = metrics
        .lines()
        .find_map(|line| line.strip_prefix("sloburn_ticks_skipped_total "));
    let counted: f64 = counted.expect("the metric").parse().expect("a number");
    assert!(counted >= 1.0);
}

#[tokio::test]
async fn row_28_ticks_that_take_too_long_are_passed_over_and_cost_nothing() {
    let mut prometheus = LyingPrometheus::start().await.expect("a free port");
    let inbox = Inbox::start().await;
    let mut daemon = daemon(&prometheus, &webhook("hook", &inbox.url()), &[]);
    daemon.start().await;
    let before = slo(&daemon, "a page", pages).await;
    prometheus.tell(SLOW).await;
    sleep(LONG_ENOUGH).await;
    assert_passed_over(&daemon).await;
    assert!(!logged(&daemon, "because the last one took too long").is_empty());
    let during = slo(&daemon, "that it measures", is_measured).await;
    assert_eq!(during["incident"]["id"], before["incident"]["id"]);
    assert_nothing_is_lost("slow", &during, &prometheus);
    prometheus.tell(Lie::Truth).await;
    let after = slo(&daemon, "that it measures", is_measured).await;
    assert_nothing_is_lost("after it", &after, &prometheus);
    assert_eq!(inbox.types(), ["incident.opened"]);
}

/// Delivers all that waits, and gives what of it is not about a budget, without times.
async fn others(engine: &Paused) -> Vec<String> {
    let until = Timestamp::from_millis(i64::MAX);
    let mut rows = engine.store.due(until).await.expect("a store");
    rows.retain(|row| row.key.receiver == "team" && !matches!(row.notice.facts, Facts::Burn(_)));
    deliver(&engine.store, ONSET).await;
    let told = rows.iter().map(|row| {
        let message = text::message(&row.notice, &TimeZone::UTC, row.notice.at);
        timeless(&format!("{}\n{}", message.title, message.body()))
    });
    told.collect()
}

#[tokio::test(start_paused = true)]
async fn row_28_more_than_five_minutes_of_an_hour_that_were_passed_over_are_a_ticket_until_an_hour_without()
 {
    let minutes = |minutes| ONSET + Span::from_mins(minutes);
    let mut engine = Paused::new(Span::from_secs(5), Span::ZERO);
    engine.start().await;
    let before = engine.until(minutes(20)).await;
    let incident = before.slos[0].incident.clone().expect("a page");
    assert_eq!(before.engine.skipped, 0);
    // Less than a query may take, and more than a tick.
    engine.source.take(Duration::from_secs(9));
    let asked = engine.source.asked().len();
    let slow = engine.until(minutes(29)).await;
    assert_eq!(others(&engine).await, [""; 0], "{}", slow.engine.skipped);
    let late = engine.until(minutes(35)).await;
    let ticks = late.engine.ticks - before.engine.ticks;
    let asked = u64::try_from(engine.source.asked().len() - asked).expect("some");
    assert!(
        (2 * ticks..=2 * ticks + 2).contains(&asked),
        "{asked} in {ticks} ticks"
    );
    let told = others(&engine).await;
    insta::assert_snapshot!(told.join("\n"), @r"
    🟠 RUNNING LATE Sloburn passed over 61 of 137 ticks since TIME UTC; alerts may come late
    Cause    61 ticks while an earlier one took too long: the last took 9 s, and there is one every 5 s
    Alerts   come as late as the next tick that is run
    Lost     nothing: what was passed over is read and counted with the next tick
    Next     look at the load of the sources; raise maxInFlight, make tick longer, or give Sloburn more CPU
    ");
    assert_eq!(late.episodes.len(), 1);
    engine.start().await;
    engine.until(minutes(50)).await;
    assert_eq!(others(&engine).await, [""; 0], "it is told once");

    engine.source.take(Duration::ZERO);
    let held = engine.until(minutes(100)).await;
    assert_eq!(others(&engine).await, [""; 0], "it is held");
    assert_eq!(held.episodes.len(), 1);
    let over = engine.until(minutes(120)).await;
    assert_eq!(over.episodes.len(), 0);
    let ended = others(&engine).await.join("\n");
    let (title, lines) = ended.split_once('\n').expect("that it is over");
    assert_eq!(
        title,
        "🟢 ON TIME AGAIN Sloburn keeps pace · since TIME UTC"
    );
    assert!(
        lines.contains("61 of 137 ticks when it was told"),
        "{lines}"
    );
    for shown in [slow, late, held, over] {
        let slo = &shown.slos[0];
        assert_eq!(slo.measurement.outcome, Outcome::Measured);
        let open = slo.incident.as_ref().map(|it| (&it.id, it.severity));
        assert_eq!(open, Some((&incident.id, incident.severity)));
        let at = shown.at.expect("a tick");
        let failed = i32::try_from(Shop::requests(at.since(ONSET)) / 50);
        let failed = f64::from(failed.expect("some"));
        assert!(
            (slo.window.counts.bad - failed).abs() < 3_001.0,
            "up to the last scrape"
        );
    }
}

#[tokio::test]
async fn row_29_a_frozen_process_goes_on_where_it_stopped_and_tells_nothing_twice() {
    let prometheus = LyingPrometheus::start().await.expect("a free port");
    let inbox = Inbox::start().await;
    let mut daemon = daemon(&prometheus, &webhook("hook", &inbox.url()), &[]);
    daemon.start().await;
    let before = slo(&daemon, "a page", pages).await;
    for _ in 0..2 {
        daemon.freeze();
        let asked = prometheus.asked(Lie::Truth).len();
        sleep(LONG_ENOUGH).await;
        assert!(
            prometheus.asked(Lie::Truth).len() <= asked + 2,
            "it is frozen"
        );
        daemon.thaw();
        let after = slo(&daemon, "that it measures", |slo| {
            is_measured(slo) && slo["measurement"]["at"] != before["measurement"]["at"]
        })
        .await;
        assert_eq!(after["incident"]["id"], before["incident"]["id"]);
        assert_nothing_is_lost("thawed", &after, &prometheus);
        assert_eq!(after["measurement"]["reconstructedShare"], 0.0);
    }
    assert_passed_over(&daemon).await;
    assert!(
        !logged(&daemon, "because this process did not run").is_empty(),
        "{}",
        daemon.log()
    );
    assert_eq!(inbox.types(), ["incident.opened"]);
    assert!(daemon.terminate().await.success(), "{}", daemon.log());
}
