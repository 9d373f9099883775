//! What `/metrics` says. What is not known has no series.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use crate::domain::slo::SloId;
use crate::domain::time::Timestamp;
use crate::status::board::Reading;
use crate::status::freshness::Freshness;
use crate::status::names::{Alert, Measured, Named};
use crate::status::snapshot::{GroupCount, SloStatus, SourceStatus};

use super::families::{Families, Format, Labels};

/// The metrics of one moment.
#[derive(Debug)]
pub(super) struct Exposition {
    pub(super) read: Reading,
    pub(super) freshness: Freshness,
    pub(super) format: Format,
}

impl Collector for Exposition {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families {
            encoder,
            format: self.format,
        };
        self.instances(&mut families)?;
        self.engine(&mut families)?;
        self.sources(&mut families)?;
        self.definitions(&mut families)?;
        self.outbox(&mut families)
    }
}

/// One number of an instance, where it is known: name, help, value.
type Family<T> = (&'static str, &'static str, fn(&T) -> Option<f64>);

const INSTANCE: [Family<SloStatus>; 8] = [
    ("objective_ratio", "What is promised, 0..1.", |it| {
        Some(it.slo.objective.ratio())
    }),
    (
        "error_ratio",
        "Bad events (or slices) of the objective's window, as a share of all, 0..1.",
        |it| it.window.counts.error_ratio(),
    ),
    (
        "error_budget_remaining_ratio",
        "What is left of the window's error budget; negative once overspent.",
        |it| it.budget.map(|budget| budget.remaining()),
    ),
    (
        "window_events",
        "Events (or slices) counted in the objective's window.",
        |it| Some(it.window.counts.total),
    ),
    (
        "window_bad_events",
        "Bad events (or slices) counted in the objective's window.",
        |it| Some(it.window.counts.bad),
    ),
    (
        "window_coverage_ratio",
        "The share of the objective's window that was measured, 0..1.",
        |it| Some(it.window.coverage),
    ),
    (
        "alert_severity",
        "How loud the open incident is: 0 none, 1 ticket, 2 page.",
        |it| {
            Some(match it.alert.into() {
                Alert::None => 0.0,
                Alert::Ticket => 1.0,
                Alert::Page => 2.0,
            })
        },
    ),
    ("incident_open", "1 while an incident is open.", |it| {
        Some(flag(it.incident.is_some()))
    }),
];

const SOURCE_COUNTERS: [Family<SourceStatus>; 3] = [
    ("source_queries", "Queries sent to the source.", |it| {
        Some(number(it.queries))
    }),
    ("source_query_failures", "Queries that failed.", |it| {
        Some(number(it.failures))
    }),
    (
        "source_samples",
        "Samples received from the source.",
        |it| Some(number(it.samples)),
    ),
];

const SOURCE_GAUGES: [Family<SourceStatus>; 5] = [
    (
        "source_series",
        "Series of the source that are known.",
        |it| Some(number(it.series)),
    ),
    (
        "source_healthy",
        "1 while the last tick could read all of the source.",
        |it| Some(flag(it.error.is_none())),
    ),
    (
        "source_last_good_timestamp_seconds",
        "The newest tick at which all of the source could be read.",
        |it| it.last_good.map(seconds),
    ),
    (
        "source_clock_skew_seconds",
        "How far our clock is ahead of the source's at the least; negative where it is behind.",
        |it| it.skew.map(|skew| skew.ahead.as_secs_f64()),
    ),
    (
        "source_lag_seconds",
        "How much longer than its offset ticks wait for the source, since its samples come later than that.",
        |it| Some(it.lag.as_secs_f64()),
    ),
];

impl Exposition {
    fn instances(&self, families: &mut Families<'_>) -> fmt::Result {
        let slos = &self.read.snapshot.slos;
        let groups: Vec<_> = slos.iter().map(|slo| slo.group.to_string()).collect();
        let labelled = || {
            let pairs = slos.iter().zip(&groups);
            pairs.map(|(slo, group)| (slo.as_ref(), labels(slo, group)))
        };
        for (name, help, value) in INSTANCE {
            let samples = labelled().filter_map(|(slo, labels)| Some((labels, value(slo)?)));
            families.gauge(name, help, samples)?;
        }
        burns(families, labelled())?;
        outcomes(families, labelled())?;
        self.groups(families)
    }

    /// How many groups each objective has that is divided into groups.
    fn groups(&self, families: &mut Families<'_>) -> fmt::Result {
        let slos = self.read.snapshot.slos.iter();
        let mut counts: BTreeMap<&SloId, (&SloStatus, GroupCount)> = BTreeMap::new();
        for status in slos {
            if let Some(count) = status.groups {
                counts.entry(&status.slo.uid).or_insert((status, count));
            }
        }
        let samples = |value: fn(&GroupCount) -> u64| {
            let counts = counts.values();
            counts.map(move |(slo, count)| (labels(slo, ""), number(value(count))))
        };
        families.gauge(
            "groups",
            "Groups that are known of the objective.",
            samples(|count| count.known),
        )?;
        families.gauge(
            "groups_refused",
            "Groups that are there beyond `maxGroups` and are not watched.",
            samples(|count| count.refused),
        )
    }

    fn engine(&self, families: &mut Families<'_>) -> fmt::Result {
        let engine = &self.read.snapshot.engine;
        for (name, help, value) in [
            ("ticks", "Ticks run.", engine.ticks),
            (
                "ticks_skipped",
                "Ticks left out because newer ones could be read already.",
                engine.skipped,
            ),
            (
                "births_ignored",
                "First values of new series that were not counted.",
                engine.births_ignored,
            ),
            (
                "clock_steps",
                "How often the wall clock was seen to be set, by more than half a tick.",
                engine.clock_steps,
            ),
        ] {
            families.counter(name, help, [(vec![], number(value))])?;
        }
        let ticked = self.freshness.at.map(seconds);
        let duration = ticked.map(|_| engine.last_tick.as_secs_f64());
        for (name, help, value) in [
            ("last_tick_timestamp_seconds", "The newest tick.", ticked),
            (
                "last_tick_duration_seconds",
                "How long the newest tick took.",
                duration,
            ),
            (
                "stale",
                "1 while ticks are missing, so that all else is old.",
                Some(flag(self.freshness.stale)),
            ),
            (
                "store_open",
                "1 once the store is open.",
                Some(flag(self.read.store.is_some())),
            ),
            (
                "store_commit_failing",
                "1 while the last commit failed.",
                Some(flag(engine.store_error.is_some())),
            ),
        ] {
            families.gauge(name, help, value.map(|value| (vec![], value)))?;
        }
        let build = (vec![("version", env!("CARGO_PKG_VERSION"))], 1.0);
        families.gauge("build_info", "What runs here.", [build])
    }

    fn sources(&self, families: &mut Families<'_>) -> fmt::Result {
        let sources = &self.read.snapshot.sources;
        let samples = |value: fn(&SourceStatus) -> Option<f64>| {
            sources
                .iter()
                .filter_map(move |it| Some((vec![("source", it.name.as_str())], value(it)?)))
        };
        for (name, help, value) in SOURCE_COUNTERS {
            families.counter(name, help, samples(value))?;
        }
        for (name, help, value) in SOURCE_GAUGES {
            families.gauge(name, help, samples(value))?;
        }
        Ok(())
    }

    fn definitions(&self, families: &mut Families<'_>) -> fmt::Result {
        let Some(status) = &self.read.definitions else {
            return Ok(());
        };
        for (name, help, value) in [
            (
                "config_reloads",
                "Changes of the definitions that were put in force.",
                status.reloads,
            ),
            (
                "config_reload_failures",
                "Changes of the definitions that were refused.",
                status.failures,
            ),
        ] {
            families.counter(name, help, [(vec![], number(value))])?;
        }
        families.gauge(
            "config_last_reload_successful",
            "1 while the definitions found last are in force, 0 while they were refused.",
            [(vec![], flag(status.refused.is_none()))],
        )?;
        families.gauge(
            "config_last_reload_success_timestamp_seconds",
            "When the definitions found last were good.",
            [(vec![], seconds(status.last_success))],
        )
    }

    fn outbox(&self, families: &mut Families<'_>) -> fmt::Result {
        let Some(delivery) = &self.read.delivery else {
            return Ok(());
        };
        let receivers = || {
            let label = |name| vec![("receiver", name)];
            delivery
                .receivers
                .iter()
                .map(move |it| (it, label(it.receiver.as_str())))
        };
        families.gauge(
            "outbox_waiting",
            "Notices not yet delivered.",
            receivers().map(|(it, labels)| (labels, number(it.waiting))),
        )?;
        families.gauge(
            "outbox_oldest_timestamp_seconds",
            "The tick of the oldest notice not yet delivered.",
            receivers().map(|(it, labels)| (labels, seconds(it.oldest))),
        )?;
        families.gauge(
            "outbox_failing",
            "1 while the last attempt at the receiver failed.",
            receivers().map(|(it, labels)| (labels, flag(it.error.is_some()))),
        )
    }
}

/// The labels of an instance; `target` is there where there are several, and `group` for instances of
/// a group only.
fn labels<'a>(slo: &'a SloStatus, group: &'a str) -> Labels<'a> {
    let mut labels = vec![
        ("slo", slo.slo.uid.as_str()),
        ("service", slo.slo.service.as_str()),
        ("name", slo.slo.name.as_str()),
    ];
    if let Some(target) = &slo.slo.target {
        labels.push(("target", target));
    }
    if !group.is_empty() {
        labels.push(("group", group));
        for (name, value) in slo.group.iter() {
            labels.push((own_name(name), value));
        }
    }
    labels
}

/// What the label of a group is called here, where some names are taken.
fn own_name(label: &str) -> &str {
    match label {
        "slo" => "group_slo",
        "service" => "group_service",
        "name" => "group_name",
        "group" => "group_group",
        "target" => "group_target",
        "window" => "group_window",
        "outcome" => "group_outcome",
        other => other,
    }
}

fn burns<'a>(
    families: &mut Families<'_>,
    labelled: impl Iterator<Item = (&'a SloStatus, Labels<'a>)>,
) -> fmt::Result {
    let labelled: Vec<_> = labelled.collect();
    let names: Vec<Vec<_>> = labelled
        .iter()
        .map(|(slo, _)| {
            slo.burn
                .iter()
                .map(|burn| burn.length.to_string())
                .collect()
        })
        .collect();
    let samples = labelled
        .iter()
        .zip(&names)
        .flat_map(|((slo, labels), names)| {
            let windows = slo.burn.iter().zip(names);
            windows.filter_map(|(burn, name)| Some((with(labels, "window", name), burn.rate?)))
        });
    families.gauge(
        "burn_rate",
        "How many times faster than allowed the error budget was spent in the window.",
        samples,
    )
}

fn outcomes<'a>(
    families: &mut Families<'_>,
    labelled: impl Iterator<Item = (&'a SloStatus, Labels<'a>)>,
) -> fmt::Result {
    let samples = labelled.flat_map(|(slo, labels)| {
        let outcome = Measured::from(slo.measurement.outcome);
        let value = move |one: &Measured| flag(*one == outcome);
        let all = Measured::ALL.iter();
        all.map(move |one| (with(&labels, "outcome", one.name()), value(one)))
    });
    families.gauge(
        "measurement_outcome",
        "1 for how the last measurement ended, 0 for how it did not.",
        samples,
    )
}

fn with<'a>(labels: &Labels<'a>, name: &'static str, value: &'a str) -> Labels<'a> {
    labels.iter().copied().chain([(name, value)]).collect()
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn seconds(at: Timestamp) -> f64 {
    at.since(Timestamp::default()).as_secs_f64()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "Prometheus' numbers are floats; counts stay far below 2^53"
)]
fn number(count: u64) -> f64 {
    count as f64
}
