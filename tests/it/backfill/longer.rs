//! Windows that are made shorter and longer again: what lies beyond them stays in the store, hour by hour, and counts
//! again without a word to the source.

use sloburn::status::view::history::HistoryRow;
use sloburn::status::view::list::ListView;
use sloburn::status::view::slo::SloView;

use crate::support::daemon::Daemon;
use crate::support::past::{HOUR, Past, recent};

use super::truth::counted;
use super::{DEFINITION, growth, written};

/// As [`growth`], bad and all; nothing was written behind `end`.
fn truth((from, to): (i64, i64), end: i64) -> (f64, f64) {
    let of = |code| growth(code, from, to.min(end), end);
    (of("500"), of("200") + of("500"))
}

/// Restarts the daemon with another window.
async fn widen(daemon: &mut Daemon, window: &str) {
    assert!(daemon.terminate().await.success(), "{}", daemon.log());
    let file = daemon.folder().join("definitions.yaml");
    let definition = DEFINITION.replace("window: 1d", &format!("window: {window}"));
    std::fs::write(file, definition).expect("a file can be written in a temporary folder");
    daemon.start().await;
}

/// The window holds what was written, and begins so many hours before the present.
fn check(slos: &[SloView], hours: i64, end: i64) {
    let [slo] = slos else {
        panic!("one objective, and not {slos:#?}");
    };
    let (range, own) = counted(slo);
    assert_eq!(own, truth(range, end), "{hours} h: {range:?}");
    let nominal = range.1 - hours * HOUR;
    assert!((nominal - HOUR..=nominal).contains(&range.0), "{range:?}");
}

#[tokio::test]
async fn what_left_a_window_is_told_by_the_history_and_counts_again_when_it_returns() {
    // So old that all of it is settled, and nothing has to be read again.
    let end = recent(300) - 900;
    let Some(past) = Past::of(&written(end, 60)).await else {
        return;
    };
    let definition = DEFINITION.replace("window: 1d", "window: 2d");
    let mut daemon = past.daemon(&definition, "tick: 5s", &["offset: 1s"]);
    daemon.start().await;
    check(&daemon.slos_with_past().await, 48, end);

    widen(&mut daemon, "12h").await;
    check(&daemon.slos_with_past().await, 12, end);
    let [from, to] = [40, 1].map(|ago| (end / HOUR - ago) * HOUR);
    let path = format!(
        "/api/v1/slos/api/availability/history?from={}&to={}&step=1h",
        from * 1_000,
        to * 1_000
    );
    let rows = daemon.json(&path).await;
    let rows: ListView<HistoryRow> =
        serde_json::from_value(rows).expect("the API answers in the shape of its types");
    assert_eq!(rows.items.len(), 39);
    let (mut bad, mut total) = (0.0, 0.0);
    for row in rows.items {
        let at = row.at.0.as_millis() / 1_000;
        (bad, total) = (bad + row.bad.0, total + row.total.0);
        // What happened while the exporter was away is spread over that time.
        let is_spread = at > end - 6 * HOUR - 1_800 && at - HOUR <= end - 6 * HOUR;
        let expected = truth((at - HOUR, at), end);
        let is_exact = (row.bad.0, row.total.0) == expected;
        assert!(is_exact || is_spread, "{row:?}, and not {expected:?}");
    }
    assert_eq!((bad, total), truth((from, to), end));

    // With the source gone only the store can know.
    drop(past);
    widen(&mut daemon, "2d").await;
    let slos = daemon.slos_once(|page| !page.items.is_empty()).await;
    check(&slos, 48, end);
}
