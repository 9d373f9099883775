//! The parts of an indicator: each selector by itself, with what its series stand for.

use crate::domain::indicator::{Events, Indicator, Split};
use crate::domain::selector::Selector;
use crate::domain::slices::Judge;
use crate::series::plan::{FamilyIndex, Judge as Planned, Lane};
use crate::status::names::Role;
use crate::status::survey::Part;

/// One selector of an indicator.
#[derive(Clone, Copy, Debug)]
pub(super) struct Selected<'s> {
    pub(super) part: Part,
    pub(super) selector: &'s Selector,
}

/// The selectors of all events, and of the bad (or good) among them.
#[derive(Debug, Default)]
pub(super) struct Selectors<'s> {
    pub(super) totals: Vec<Selected<'s>>,
    pub(super) counted: Vec<Selected<'s>>,
}

/// The selectors of an indicator; those of a histogram and expressions are looked at otherwise.
pub(super) fn selectors(indicator: &Indicator) -> Selectors<'_> {
    let alone = |totals| Selectors {
        totals,
        ..Selectors::default()
    };
    if let Some(events) = indicator.events() {
        return match events {
            Events::OfTotal { total, split } => Selectors {
                totals: all(Role::Total, total),
                counted: all(role(split), split.counted()),
            },
            Events::GoodAndBad { good, bad } => Selectors {
                totals: all(Role::Good, good),
                counted: all(Role::Bad, bad),
            },
            Events::Probe(probe) => alone(one(Role::Probe, &probe.series)),
            Events::Histogram(_) => Selectors::default(),
        };
    }
    let Indicator::Slices(sliced) = indicator else {
        return Selectors::default();
    };
    alone(match &sliced.judge {
        Judge::Rate { total, .. } | Judge::Drop { total, .. } => one(Role::Total, total),
        Judge::Share { used, limit, .. } => [
            one(Role::Used, &used.series),
            one(Role::Limit, &limit.series),
        ]
        .concat(),
        Judge::Level { level, .. } => one(Role::Gauge, &level.gauge.series),
        Judge::Quantile { quantile, .. } => one(Role::Quantile, quantile),
        Judge::Age { timestamp, .. } => one(Role::Timestamp, &timestamp.gauge.series),
        Judge::Events { .. } | Judge::Value { .. } | Judge::Ratio { .. } => Vec::new(),
    })
}

fn all(role: Role, selectors: &[Selector]) -> Vec<Selected<'_>> {
    let selected = |(item, selector)| Selected {
        part: Part { role, item },
        selector,
    };
    selectors.iter().enumerate().map(selected).collect()
}

fn one(role: Role, selector: &Selector) -> Vec<Selected<'_>> {
    all(role, std::slice::from_ref(selector))
}

const fn role<T>(split: &Split<T>) -> Role {
    match split {
        Split::Bad(_) => Role::Bad,
        Split::Good(_) => Role::Good,
    }
}

/// The expressions that a source evaluates for an objective, each with its family.
pub(super) fn expressions(lanes: &[Lane]) -> Vec<(Role, FamilyIndex)> {
    let of = |lane: &Lane| match lane {
        Lane::Points { total, part, .. } => {
            vec![(Role::Total, *total), (role(part), *part.counted())]
        }
        Lane::Slices(slices) => match &slices.judge {
            Planned::Value { family, .. } => vec![(Role::Value, *family)],
            Planned::Ratio { family } => vec![(Role::Ratio, *family)],
            _ => Vec::new(),
        },
        Lane::Counters { .. } => Vec::new(),
    };
    lanes.iter().flat_map(of).collect()
}
