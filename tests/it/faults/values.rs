//! Values that say nothing or cannot be true, counters that begin anew, and series that begin.

use std::fmt::Write as _;

use sloburn::domain::measurement::Outcome;
use sloburn::domain::policy::Severity;
use sloburn::domain::time::Span;
use sloburn::status::snapshot::SloStatus;

use super::{Lie, READS, Scene, Setup, TICKS, WARM_UP, live_through, timeless};
use crate::support::shop::DEFINITIONS;

/// The long window of the policy, in seconds.
const LONG: i64 = 20;
/// How many scrapes, of which there is one a second, each tick brings where their place in it matters.
const SCRAPES: i64 = 4;

const BAD: &str = r#"sum(increase(http_requests_total{code=~"5.."}[$window]))"#;
const ALL: &str = "sum(increase(http_requests_total[$window]))";

/// A promise by an indicator of its own.
fn by(indicator: &str) -> Setup {
    let (head, _) = DEFINITIONS
        .split_once("      errors:")
        .expect("an indicator");
    Setup::defining(format!("{head}{indicator}"))
}

/// By two expressions.
fn counting() -> Setup {
    by(&format!(
        "      query: {{bad: '{BAD}', total: '{ALL}', window: 4s}}\n"
    ))
}

/// By one that divides.
fn dividing() -> Setup {
    by(&format!(
        "      slice: 1s\n      query: {{ratio: '{BAD} / {ALL}', window: 4s}}\n"
    ))
}

/// Ticks of several scrapes and slots of some of them.
fn spaced(setup: Setup) -> Setup {
    Setup {
        tick: Span::from_secs(SCRAPES),
        slot: Span::from_secs(SCRAPES / 2),
        ..setup
    }
}

fn counted(status: &SloStatus) -> (f64, f64) {
    (status.window.counts.bad, status.window.counts.total)
}

/// The incident that is open, and how loud it is.
fn open(status: &SloStatus) -> Option<(String, Severity)> {
    let incident = status.incident.as_ref()?;
    Some((incident.id.to_string(), incident.severity))
}

#[tokio::test]
async fn row_13_where_nothing_happens_nothing_burns_and_an_incident_ends_with_its_long_window() {
    let forms = [
        ("counters", Setup::default(), 2),
        ("expressions", counting(), 2),
        ("0/0", dividing(), 1),
    ];
    let mut words = String::new();
    for (name, setup, reads) in forms {
        let mut scene = Scene::start(setup).await;
        let before = scene.ticks(WARM_UP).await;
        assert!(before.incident.is_some(), "{name}");
        scene.deliver().await;
        let idle = Lie::Idle(WARM_UP);
        scene.prometheus.tell(idle).await;
        let during = scene.ticks(LONG - 1).await;
        assert_eq!(during.measurement.outcome, Outcome::NoTraffic, "{name}");
        assert_eq!(during.measurement.reason, None, "{name}");
        assert_eq!(
            open(&during),
            open(&before),
            "{name}: its long window holds events"
        );
        assert_eq!(scene.deliver().await, [""; 0], "{name}");

        let after = scene.ticks(LONG).await;
        assert_eq!(after.measurement.outcome, Outcome::NoTraffic, "{name}");
        assert_eq!(open(&after), None, "{name}");
        let told = scene.deliver().await.join("; ");
        writeln!(words, "{name}: {told}").expect("a string takes it");
        let asked = usize::try_from(2 * LONG - 1).expect("some") * reads;
        assert_eq!(scene.prometheus.asked(idle).len(), asked, "{name}");
        scene.prometheus.tell(Lie::Truth).await;
        let busy = scene.ticks(TICKS).await;
        assert_eq!(busy.measurement.outcome, Outcome::Measured, "{name}");
        assert_eq!(
            open(&busy).map(|(_, severity)| severity),
            Some(Severity::Page),
            "{name}"
        );
    }
    insta::assert_snapshot!(words, @r"
    counters: ⚪ CLOSED shop/availability · no requests any more, closed TIME UTC; not known to work
    expressions: ⚪ CLOSED shop/availability · no requests any more, closed TIME UTC; not known to work
    0/0: ⚪ CLOSED shop/availability · no slices any more, closed TIME UTC; not known to work
    ");
}

#[tokio::test]
async fn row_14_values_that_no_counter_has_do_not_count_and_are_told() {
    let mut words = String::new();
    for value in ["NaN", "+Inf", "-Inf", "-1"] {
        let shown = live_through(Setup::default(), Lie::Value(value)).await;
        writeln!(words, "{}", timeless(&shown.words())).expect("a string takes it");
        assert_eq!(shown.asked, READS, "{value}");
    }
    insta::assert_snapshot!(words, @r"
    noData: `http_requests_total` gave NaN at TIME: counters are numbers from zero on, so it does not count; correct what exposes it
    told: 🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    noData: `http_requests_total` gave inf at TIME: counters are numbers from zero on, so it does not count; correct what exposes it
    told: 🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    noData: `http_requests_total` gave -inf at TIME: counters are numbers from zero on, so it does not count; correct what exposes it
    told: 🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    noData: `http_requests_total` gave -1 at TIME: counters are numbers from zero on, so it does not count; correct what exposes it
    told: 🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    ");
}

#[tokio::test]
async fn row_14_results_that_cannot_be_true_are_neither_good_nor_bad_and_are_told() {
    let mut words = String::new();
    let lies = [
        (
            counting as fn() -> Setup,
            2,
            ["-1", "401", "+Inf", "NaN"].as_slice(),
        ),
        (dividing, 1, &["-0.5", "1.5", "+Inf"]),
    ];
    let lies = lies.into_iter().flat_map(|(setup, reads, values)| {
        values.iter().map(move |value| (setup(), reads, *value))
    });
    for (setup, reads, value) in lies {
        let mut scene = Scene::start(setup).await;
        let before = scene.ticks(WARM_UP).await;
        assert!(before.incident.is_some(), "{value}");
        scene.deliver().await;
        let lie = Lie::Gives(value, WARM_UP);
        scene.prometheus.tell(lie).await;
        let during = scene.ticks(TICKS).await;
        assert_eq!(during.measurement.outcome, Outcome::NoData, "{value}");
        assert_eq!(open(&during), open(&before), "{value}");
        assert_eq!(counted(&during), counted(&before), "{value}");
        let asked = usize::try_from(TICKS).expect("some") * reads;
        assert_eq!(scene.prometheus.asked(lie).len(), asked, "{value}");
        for message in scene.messages().await {
            let cause = message.body().lines().next().expect("a cause").to_owned();
            writeln!(words, "{}\n{}", timeless(&message.title), timeless(&cause))
                .expect("a string takes it");
        }
        scene.prometheus.tell(Lie::Truth).await;
        let after = scene.ticks(TICKS).await;
        assert_eq!(after.measurement.outcome, Outcome::Measured, "{value}");
        assert_eq!(open(&after), open(&before), "{value}");
    }
    insta::assert_snapshot!(words, @r"
    🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    Cause    `bad` gave -1 and `total` 400 at TIME: a part lies between nothing and the whole, so neither counts; let both expressions count the same events · last good read TIME
    🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    Cause    `bad` gave 401 and `total` 400 at TIME: a part lies between nothing and the whole, so neither counts; let both expressions count the same events · last good read TIME
    🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    Cause    `bad` gave inf and `total` 400 at TIME: a part lies between nothing and the whole, so neither counts; let both expressions count the same events · last good read TIME
    🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    Cause    `bad` gave NaN and `total` 400 at TIME: a part lies between nothing and the whole, so neither counts; let both expressions count the same events · last good read TIME
    🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    Cause    `ratio` gave -0.5 at TIME: a ratio lies between 0 and 1, so it does not count; correct the expression · last good read TIME
    🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    Cause    `ratio` gave 1.5 at TIME: a ratio lies between 0 and 1, so it does not count; correct the expression · last good read TIME
    🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    Cause    `ratio` gave inf at TIME: a ratio lies between 0 and 1, so it does not count; correct the expression · last good read TIME
    ");
}

#[tokio::test]
async fn row_14_more_failures_than_requests_are_shown_and_told_as_they_are() {
    let mut scene = Scene::start(by(
        "      errors: {total: 'http_requests_total{code=\"200\"}', bad: http_requests_total}\n",
    ))
    .await;
    let status = scene.ticks(WARM_UP).await;
    assert_eq!(status.measurement.outcome, Outcome::Measured);
    let (half, all) = scene.prometheus.truth(scene.at);
    assert_eq!(counted(&status), (all, half));
    insta::assert_snapshot!(scene.titles().await.join("; "), @"🔴 PAGE shop/availability: 200 % of requests fail (1 % allowed)");
    assert_eq!(
        scene.prometheus.asked(Lie::Truth).len(),
        2 * usize::try_from(WARM_UP).expect("some")
    );
}

#[tokio::test]
async fn row_19_counters_that_begin_anew_cost_nothing_wherever_in_tick_and_slot() {
    for offset in 1..=SCRAPES {
        let mut scene = Scene::start(spaced(Setup::default())).await;
        let before = scene.ticks(WARM_UP / SCRAPES).await;
        assert!(before.incident.is_some(), "{offset}");
        scene.deliver().await;
        let reset = Lie::Restart(scene.second() + offset);
        scene.prometheus.tell(reset).await;
        // Until it was settled, too.
        for tick in 1..=TICKS {
            let during = scene.ticks(1).await;
            assert_eq!(
                during.measurement.outcome,
                Outcome::Measured,
                "{offset} {tick}"
            );
            assert_eq!(open(&during), open(&before), "{offset} {tick}");
            assert_eq!(
                counted(&during),
                scene.prometheus.truth(scene.at),
                "{offset} {tick}"
            );
            assert_eq!(
                during.reconstructed_share.to_bits(),
                0.0_f64.to_bits(),
                "{offset} {tick}"
            );
        }
        assert_eq!(scene.deliver().await, [""; 0], "{offset}");
        assert_eq!(scene.prometheus.asked(reset).len(), READS, "{offset}");
    }
}

#[tokio::test]
async fn row_21_the_first_failure_of_all_counts_with_the_scrape_that_shows_it() {
    let policy = "---\napiVersion: sloburn.dev/v1\nkind: AlertPolicy\nmetadata: {name: any}\nspec: {tiers: [{name: any, severity: page, long: 20s, short: 4s, bad: 1}]}\n";
    for offset in 1..=SCRAPES {
        let definitions = format!("{DEFINITIONS}      alertPolicy: any\n{policy}");
        let mut scene = Scene::start(spaced(Setup::defining(definitions))).await;
        let born = Lie::Born(scene.second() + WARM_UP + offset);
        scene.prometheus.tell(born).await;
        let before = scene.ticks(WARM_UP / SCRAPES).await;
        let (each, _) = scene.prometheus.truth(scene.at);
        assert_eq!(counted(&before), (0.0, each), "{offset}");
        assert_eq!(open(&before), None, "{offset}");
        assert_eq!(scene.deliver().await, [""; 0], "{offset}");

        let failed = scene.ticks(1).await;
        assert_eq!(failed.measurement.outcome, Outcome::Measured, "{offset}");
        let (each, _) = scene.prometheus.truth(scene.at);
        assert_eq!(counted(&failed), (1.0, each + 1.0), "{offset}");
        let told = scene.deliver().await.join("; ");
        insta::allow_duplicates!(
            insta::assert_snapshot!(told, @"🔴 PAGE shop/availability: 0.5 % of requests fail (1 % allowed)")
        );
        let settled = scene.ticks(TICKS).await;
        let (each, _) = scene.prometheus.truth(scene.at);
        assert_eq!(counted(&settled), (1.0, each + 1.0), "{offset}");
        let ticks = WARM_UP / SCRAPES + 1 + TICKS;
        assert_eq!(
            scene.prometheus.asked(born).len(),
            2 * usize::try_from(ticks).expect("some"),
            "{offset}"
        );
    }
}
