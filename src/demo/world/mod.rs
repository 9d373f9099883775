//! The simulated services: every number that they ever show is one closed form of the seed, the time and the faults.

mod dice;
pub mod fault;
mod flow;
mod page;
mod series;

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::domain::labels::Labels;
use crate::domain::time::{Span, Timestamp};

use self::dice::throw;
use self::fault::{Fault, Kind, Service};
use self::flow::Part;
use self::series::Series;

pub use self::page::serve;

/// How long before its history the world began, so that nothing in it is new-born.
const BEFORE: Span = Span::from_days(2);

/// How long after the start of the live part the quiet queue has its one failure.
const SINGLE_AFTER: Span = Span::from_hours(3);

/// The four services, past and live.
#[derive(Debug)]
pub struct World {
    origin: Timestamp,
    seed: u64,
    single: Timestamp,
    series: Vec<(Arc<Labels>, Series)>,
    faults: ArcSwap<Vec<Fault>>,
}

impl World {
    /// The world of `seed` whose history begins at `from` and whose live part begins at `live`; both on the grid `step`.
    pub fn new(seed: u64, from: Timestamp, live: Timestamp, step: Span) -> Self {
        let origin = from - BEFORE;
        let series = series::all(seed, origin);
        let labelled = |series: Series| (Arc::new(series.all_labels()), series);
        Self {
            origin,
            seed,
            single: next_refund(seed, origin, live + SINGLE_AFTER, step),
            series: series.into_iter().map(labelled).collect(),
            faults: ArcSwap::from_pointee(past(seed, live)),
        }
    }

    /// When the quiet queue's one failure happens.
    pub const fn single_failure(&self) -> Timestamp {
        self.single
    }

    /// What the seed is.
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// All faults, past and to come, oldest first.
    pub fn faults(&self) -> Arc<Vec<Fault>> {
        self.faults.load_full()
    }

    /// Changes the faults that are to come. Nothing that is over may be changed, so that the past stays as it was.
    pub fn plan(&self, faults: Vec<Fault>) {
        self.faults.store(Arc::new(faults));
    }

    /// Every series of `metric`, with its labels.
    pub fn series_of<'a>(&'a self, metric: &'a str) -> impl Iterator<Item = Shown<'a>> {
        let all = self
            .series
            .iter()
            .filter(move |(_, series)| series.metric == metric);
        all.map(|(labels, series)| Shown {
            world: self,
            labels,
            series,
        })
    }

    /// Whether the page of `service` can be read at `at`.
    pub fn is_up(&self, service: Service, at: Timestamp) -> bool {
        let faults = self.faults.load();
        let is_down = |fault: &&Fault| fault.service == service && fault.kind == Kind::Down;
        !faults.iter().filter(is_down).any(|fault| fault.acts(at))
    }

    /// The labels that the series of a service get when they are scraped.
    pub fn target_labels(service: Service) -> BTreeMap<String, String> {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        series::target_labels(service)
            .into_iter()
            .map(owned)
            .collect()
    }
}

/// A series of the world.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    world: &'a World,
    /// Its labels, those of its target among them.
    pub labels: &'a Arc<Labels>,
    series: &'a Series,
}

impl Shown<'_> {
    /// What it shows at `at`, as things are planned now.
    pub fn at(&self, faults: &[Fault], at: Timestamp) -> f64 {
        self.series
            .value
            .at(self.world.origin, faults, self.world.single, at)
    }
}

/// Two or three faults of the month before `live`: the oldest leaves the window within the demo's first minutes.
fn past(seed: u64, live: Timestamp) -> Vec<Fault> {
    let about = |hours: i64, name: &str| {
        #[expect(clippy::cast_possible_truncation, reason = "a few hundred minutes")]
        let minutes = (throw(seed, name) * 240.0) as i64;
        live - Span::from_hours(hours) - Span::from_mins(minutes)
    };
    let fault = |service, kind, intensity, (from, lasts): (Timestamp, Span)| Fault {
        id: 0,
        service,
        kind,
        intensity,
        from: from.floor_to(Span::from_mins(1)),
        to: from.floor_to(Span::from_mins(1)) + lasts,
    };
    vec![
        fault(
            Service::Checkout,
            Kind::Errors,
            100_000,
            (about(695, "first"), Span::from_mins(35)),
        ),
        fault(
            Service::WebShop,
            Kind::Slowness,
            400_000,
            (about(390, "second"), Span::from_mins(50)),
        ),
        fault(
            Service::Postgres,
            Kind::Saturation,
            930_000,
            (about(100, "third"), Span::from_mins(40)),
        ),
    ]
}

/// The first step at or after `at` in which a refund is started.
fn next_refund(seed: u64, origin: Timestamp, at: Timestamp, step: Span) -> Timestamp {
    let count = |at| series::refunds(seed).count(Part::All, origin, &[], at);
    let mut at = at.ceil_to(step);
    while count(at) == count(at - step) {
        at = at + step;
    }
    at
}
