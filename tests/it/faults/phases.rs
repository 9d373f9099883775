//! Many daemons that read one Prometheus: their ticks are aligned, and they do not all ask in the same second.

use std::collections::BTreeSet;

use sloburn::domain::slot::Counts;
use sloburn::domain::time::{Span, TimeRange, Timestamp};
use sloburn::engine::settings::phase;

use super::paused::{Asked, Paused};
use crate::support::daemon::Daemon;
use crate::support::dice::Dice;
use crate::support::lying_prometheus::LyingPrometheus;
use crate::support::shop::{daemon, logged, until};

const TICK: Span = Span::from_secs(30);
const TICKS: i64 = 40;

/// What each tick showed of the window: its time, what was counted, and how much of it is covered.
type Shown = (Timestamp, Counts, f64);

/// Lets an engine run its ticks, each `phase` later than it could.
async fn play(phase: Span) -> (Vec<Asked>, Vec<Shown>) {
    let mut engine = Paused::new(TICK, phase);
    engine.start().await;
    let mut shown = Vec::new();
    for tick in 1..=TICKS {
        let next = Paused::START + Span::from_millis(TICK.as_millis() * tick);
        let snapshot = engine.until(next - Span::from_millis(1)).await;
        let window = &snapshot.slos[0].window;
        shown.push((snapshot.at.expect("a tick"), window.counts, window.coverage));
        assert_eq!(snapshot.engine.skipped, 0);
        assert_eq!(snapshot.engine.phase, phase);
    }
    (engine.source.asked(), shown)
}

#[tokio::test(start_paused = true)]
async fn row_27_a_daemon_asks_when_its_phase_has_come_and_counts_the_same() {
    let phase = Span::from_millis(3_210);
    let (together, apart) = (play(Span::ZERO).await, play(phase).await);
    let what = |asked: &[Asked]| -> Vec<(String, TimeRange)> {
        let asked = asked.iter();
        asked
            .map(|(_, text, range)| (text.clone(), *range))
            .collect()
    };
    assert_eq!(what(&apart.0), what(&together.0), "the same is asked");
    assert_eq!(apart.1, together.1, "the same is counted");
    let late = |asked: &[Asked]| -> BTreeSet<Span> {
        // The first tick of a life is run at once.
        let first = asked[0].2.to;
        let later = asked.iter().filter(|(_, _, range)| range.to > first);
        later.map(|(at, _, range)| at.since(range.to)).collect()
    };
    assert_eq!(late(&together.0), BTreeSet::from([Span::ZERO]));
    assert_eq!(late(&apart.0), BTreeSet::from([phase]));
}

#[test]
fn row_27_phases_are_spread_evenly_below_a_sixth_of_the_tick_and_five_seconds() {
    for (tick, below) in [(30, 5_000), (60, 5_000), (12, 2_000), (1, 166)] {
        let mut dice = Dice::seeded(27);
        let mut tenths = [0; 10];
        for _ in 0..10_000 {
            let phase = phase(dice.below(u64::MAX), Span::from_secs(tick)).as_millis();
            assert!((0..below).contains(&phase), "{tick} s: {phase} ms");
            tenths[usize::try_from(phase * 10 / below).expect("one of ten")] += 1;
        }
        assert!(
            tenths.iter().all(|some| (850..1_150).contains(some)),
            "{tick} s: {tenths:?}"
        );
    }
}

async fn phase_of(daemon: &Daemon) -> f64 {
    let is_there = |status: &serde_json::Value| status["engine"]["phaseSeconds"].is_number();
    let status = until(daemon, "/api/v1/status", "its phase", is_there).await;
    let phase = status["engine"]["phaseSeconds"].as_f64();
    phase.expect("a number")
}

#[tokio::test]
async fn row_27_each_daemon_has_a_phase_of_its_own_and_keeps_it() {
    let prometheus = LyingPrometheus::start().await.expect("a free port");
    let mut phases = BTreeSet::new();
    // Two of them could have the same by chance.
    for _ in 0..4 {
        let mut daemon = daemon(&prometheus, "", &[]);
        daemon.start().await;
        let phase = phase_of(&daemon).await;
        assert!((0.0..1.0 / 6.0).contains(&phase), "{phase}");
        daemon.kill();
        daemon.start().await;
        assert_eq!(phase_of(&daemon).await.to_bits(), phase.to_bits());
        let told = logged(&daemon, "sloburn runs").join("");
        assert!(told.contains("phase="), "{told}");
        phases.insert(phase.to_bits());
    }
    assert!(phases.len() > 1, "{phases:?}");
}
