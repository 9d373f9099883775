//! Clocks that are set, months of several lengths, days that are left out and seconds that are put in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use sloburn::clock::Clock;
use sloburn::definitions::{self, Options};
use sloburn::domain::calendar::{Calendar, Period};
use sloburn::domain::slo::SourceName;
use sloburn::domain::time::{Span, Timestamp};
use sloburn::engine::settings::{Settings, SourceSettings};
use sloburn::engine::shell::{Engine, Parts};
use sloburn::status::board::Board;
use sloburn::status::snapshot::SloStatus;
use sloburn::store::memory::MemoryStore;
use tokio::sync::Notify;

use crate::sim::{Outage, Shop};

const FILES: &str = r#"
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: shop}
spec:
  window: {calendar: PERIOD, timeZone: ZONE}
  objectives:
    - name: availability
      objective: 99.9%
      errors: {total: 'requests_total{job="shop"}', badWhere: 'code=~"5.."'}
---
apiVersion: sloburn.dev/v1
kind: AlertPolicy
metadata: {name: default}
spec:
  tiers: [{name: fast, severity: page, long: 1h, short: 5m, budgetSpent: 2%}]
---
apiVersion: sloburn.dev/v1
kind: Receiver
metadata: {name: team}
spec: {webhook: {url: "http://team.example"}}
---
apiVersion: sloburn.dev/v1
kind: Routing
metadata: {name: main}
spec: {default: team}
"#;

/// A period in a zone, a time in it, its first midnight, and its length in hours. The shop opened a day and a half
/// before the time.
#[rustfmt::skip]
const PERIODS: [(&str, &str, &str, &str, f64); 10] = [
    // Clocks are set back, and forward.
    ("month", "Europe/Berlin", "2026-10-26T00:00:00Z", "2026-09-30T22:00:00Z", 745.0),
    ("week", "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-22T23:00:00Z", 167.0),
    // By half of an hour; and at midnight, which never is: the day begins at one.
    ("month", "Australia/Lord_Howe", "2026-04-06T00:00:00Z", "2026-03-31T13:00:00Z", 720.5),
    ("month", "America/Asuncion", "2023-10-02T12:00:00Z", "2023-10-01T04:00:00Z", 743.0),
    // A day that never was.
    ("month", "Pacific/Apia", "2011-12-31T06:00:00Z", "2011-12-01T10:00:00Z", 720.0),
    // Months are not alike.
    ("month", "UTC", "2027-02-15T00:00:00Z", "2027-02-01T00:00:00Z", 672.0),
    ("month", "UTC", "2028-02-29T12:00:00Z", "2028-02-01T00:00:00Z", 696.0),
    ("year", "UTC", "2028-03-01T12:00:00Z", "2028-01-01T00:00:00Z", 8_784.0),
    ("year", "UTC", "2100-03-01T12:00:00Z", "2100-01-01T00:00:00Z", 8_760.0),
    // Its last minute had 61 seconds, of which times know 60.
    ("month", "UTC", "2016-12-31T23:00:00Z", "2016-12-01T00:00:00Z", 744.0),
];

#[tokio::test]
#[expect(
    clippy::cast_precision_loss,
    reason = "requests stay far below 2^53 in days"
)]
async fn row_31_calendar_windows_have_their_real_lengths() {
    for (period, zone, at, from, hours) in PERIODS {
        let (name, at) = (format!("{period} {zone} {at}"), time(at));
        let opened = (at - Span::from_hours(36)).max(time(from));
        let status = look(period, zone, at, opened).await;
        assert_eq!(status.window.range.from, time(from), "{name}");
        // What is allowed in an hour follows from how many hours there are; and an hour that comes twice counts twice.
        let threshold = status.tiers[0].threshold;
        assert!(
            (threshold - 0.02 * hours).abs() < 1e-9,
            "{name}: {threshold}"
        );
        let served = Shop::requests(at.since(opened)) as f64;
        assert_eq!(
            status.window.counts.total.to_bits(),
            served.to_bits(),
            "{name}"
        );
    }
}

#[test]
fn row_31_periods_of_every_zone_follow_one_another() {
    let zones = jiff::tz::db().available();
    let mut zones: Vec<String> = zones.map(|zone| zone.to_string()).collect();
    zones.sort_unstable();
    assert!(zones.len() > 300, "{}", zones.len());
    for name in &zones {
        let zone = TimeZone::get(name).expect("it is available");
        for (period, most) in [
            (Period::Month, 36),
            (Period::Quarter, 12),
            (Period::Year, 3),
        ] {
            let calendar = Calendar::new(period, name).expect("it is available");
            let mut reached = calendar.around(time("2027-01-15T00:00:00Z")).from;
            let first = reached;
            for _ in 0..most {
                let next = calendar.around(reached + Span::from_millis(1));
                assert_eq!(next.from, reached, "{name} {period:?}");
                let length = next.length();
                let fits = (calendar.shortest()..=calendar.longest()).contains(&length);
                assert!(fits, "{name} {period:?} {length}");
                reached = next.to;
            }
            // One of three years is a leap year; and days are as long as clocks say, however these are set between.
            let days = Span::from_days(3 * 365 + 1);
            let ahead =
                |at: Timestamp| Span::from_secs(zone.to_offset(at.to_jiff()).seconds().into());
            assert_eq!(
                reached.since(first),
                days - ahead(reached) + ahead(first),
                "{name} {period:?}"
            );
        }
    }
}

/// What an engine shows at a time that first looks at it then.
async fn look(period: &str, zone: &str, at: Timestamp, opened: Timestamp) -> Arc<SloStatus> {
    let text = FILES.replace("PERIOD", period).replace("ZONE", zone);
    let (catalog, faults) =
        definitions::read(&[(PathBuf::from("shop.yaml"), text)], &Options::default());
    let catalog = catalog.unwrap_or_else(|| panic!("{}", faults.render_lines()));
    let (name, board) = (SourceName::new("default"), Arc::new(Board::new(at)));
    let settings = Settings {
        tick: Span::from_secs(30),
        slot: Span::from_secs(30),
        sources: BTreeMap::from([(name.clone(), SourceSettings::default())]),
        ..Settings::default()
    };
    let healthy = Outage {
        onset: at,
        length: Span::ZERO,
        failing: 0,
    };
    let parts = Parts {
        sources: BTreeMap::from([(name, Arc::new(Shop::opened(opened, healthy)))]),
        store: Arc::new(MemoryStore::default()),
        clock: Clock::simulated(at.to_jiff()),
        board: Arc::clone(&board),
        wake: Arc::new(Notify::new()),
    };
    let mut engine = Engine::start(settings, Arc::new(catalog), parts)
        .await
        .expect("an engine");
    engine.evaluate(at, |_, _| {}).await.expect("a past");
    Arc::clone(&board.read().snapshot.slos[0])
}

fn time(text: &str) -> Timestamp {
    text.parse::<jiff::Timestamp>().expect("a time").into()
}
