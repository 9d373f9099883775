//! What is written into a server in closed form, what it still holds of that, and what comes of it in each slot.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sloburn::domain::labels::Labels;
use sloburn::domain::time::{Span, Timestamp};

use crate::support::remote_write::Written;
use crate::support::tools::{RealServer, get};

/// Between two samples; a tick and a slot are as long.
pub(super) const SCRAPE: Span = Span::from_secs(5);

/// When in its slot a sample lies.
const PHASE: Span = Span::from_secs(2);

const HOUR: i64 = 720;

/// How much was written before, in scrapes.
const HISTORY: i64 = 72 * HOUR;

/// One counter of a process is reset so long before the end of the history, and one series begins.
const RESET: i64 = 30 * HOUR;
const BORN: i64 = 25 * HOUR;

/// Code, instance, and what the counter grows by in each scrape.
type Series = (&'static str, &'static str, i64);

const SERIES: [Series; 4] = [
    ("200", "a", 7),
    ("200", "b", 3),
    ("500", "a", 1),
    ("500", "b", 2),
];

/// What is bad, and what there is at all.
pub(super) type Counted = (f64, f64);

/// Scrapes are counted from the epoch on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Log {
    /// The first scrape after the history.
    pub(super) now: i64,
}

/// When a scrape is.
pub(super) fn time(scrape: i64) -> Timestamp {
    Timestamp::from_millis(scrape * SCRAPE.as_millis()) + PHASE
}

impl Log {
    pub(super) fn first(self) -> i64 {
        self.now - HISTORY
    }

    /// From which scrape on a series counts from zero.
    fn since(self, (code, instance, _): Series, scrape: i64) -> i64 {
        match (code, instance) {
            ("200", "a") if scrape >= self.now - RESET => self.now - RESET,
            ("500", "b") => self.now - BORN,
            _ => self.first(),
        }
    }

    /// All samples of the scrapes in `[from, to)`.
    pub(super) fn written(self, from: i64, to: i64) -> Vec<Written> {
        let written = SERIES.map(|series| {
            let (code, instance, each) = series;
            let labels = [
                ("__name__", "http_requests_total"),
                ("job", "shop"),
                ("instance", instance),
                ("code", code),
            ];
            let sample = |scrape: i64| {
                let counted = scrape - self.since(series, scrape);
                let value = i32::try_from(counted * each).expect("a small number");
                (counted >= 0).then(|| (time(scrape).as_millis(), f64::from(value)))
            };
            let samples: Vec<_> = (from..to).filter_map(sample).collect();
            (labels.into_iter().collect::<Labels>(), samples)
        });
        written
            .into_iter()
            .filter(|(_, samples)| !samples.is_empty())
            .collect()
    }
}

/// Samples by series and time.
pub(super) type Samples = BTreeMap<(Labels, Timestamp), f64>;

pub(super) fn samples(written: Vec<Written>) -> Samples {
    let each = |(labels, samples): Written| {
        let samples = samples.into_iter();
        samples.map(move |(at, value)| ((labels.clone(), Timestamp::from_millis(at)), value))
    };
    written.into_iter().flat_map(each).collect()
}

/// What was written of late, up to and with the scrape `to`.
pub(super) fn recent(log: Log, to: i64) -> Samples {
    samples(log.written(log.now - HOUR, to + 1))
}

/// What a server gives out of that.
pub(super) async fn held(server: &RealServer) -> Samples {
    let path = "/api/v1/query?query=http_requests_total%5B2h%5D";
    let reply = get(server.address(), path).await.expect("it answers");
    let (_, body) = reply.split_once("\r\n\r\n").expect("a head and a body");
    let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"));
    let series = body["data"]["result"].as_array().expect("series");
    let of = |series: &Value| {
        let labels = series["metric"].as_object().expect("labels").iter();
        let labels = labels.map(|(label, value)| (label.as_str(), value.as_str().expect("text")));
        let labels: Labels = labels.collect();
        let samples = series["values"].as_array().expect("samples").iter();
        let samples: Vec<_> = samples.map(sample).collect();
        (labels, samples)
    };
    samples(series.iter().map(of).collect())
}

/// `[seconds, "value"]`.
fn sample(pair: &Value) -> (i64, f64) {
    let seconds = pair[0].as_f64().expect("a time");
    let value = pair[1].as_str().and_then(|text| text.parse().ok());
    #[expect(clippy::cast_possible_truncation, reason = "a time of this century")]
    let millis = (seconds * 1_000.0).round() as i64;
    (millis, value.expect("a number"))
}

/// What there is up to the end of each slot: a counter that falls began anew at zero.
pub(super) fn counted(samples: &Samples) -> BTreeMap<Timestamp, Counted> {
    let mut slots: BTreeMap<Timestamp, Counted> = BTreeMap::new();
    for (older, newer) in samples.iter().zip(samples.iter().skip(1)) {
        let (((before, _), last), ((series, at), value)) = (older, newer);
        if before != series {
            continue;
        }
        let events = if value < last { *value } else { value - last };
        let end = at.ceil_to(SCRAPE);
        let (bad, total) = slots.entry(end).or_default();
        *total += events;
        if series.get("code") == "500" {
            *bad += events;
        }
    }
    let mut so_far = (0.0, 0.0);
    for (bad, total) in slots.values_mut() {
        so_far = (so_far.0 + *bad, so_far.1 + *total);
        (*bad, *total) = so_far;
    }
    slots
}

/// When what is missing was to be there.
pub(super) fn missing(written: &Samples, held: &Samples) -> BTreeSet<Timestamp> {
    let lost = written.keys().filter(|key| !held.contains_key(key));
    lost.map(|(_, at)| *at).collect()
}
