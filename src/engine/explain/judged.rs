//! By what the slices of a window were judged and what they count as, from the trace of the counting.

use std::collections::BTreeMap;

use crate::domain::decimal::Fraction;
use crate::domain::slices::BadWhen;
use crate::domain::time::{TimeRange, Timestamp};
use crate::series::plan::{Judge, Lane};
use crate::series::slices::noted::SliceValue;
use crate::series::slices::{Limit, ends};
use crate::source::Source;
use crate::status::explanation::{Judged, JudgedSlice, JudgedValue, Rule};
use crate::status::names::JudgedBy;

use super::parts::Shown;

impl<S: Source> Shown<'_, S> {
    /// The slices of the window, if the objective judges any.
    pub(super) fn judged(&self) -> Option<Judged> {
        let mut lanes = self.plan.meters.first()?.lanes.iter();
        let lane = lanes.find_map(|lane| match lane {
            Lane::Slices(slices) => Some(slices),
            Lane::Counters { .. } | Lane::Points { .. } => None,
        })?;
        let group = Some(self.group.labels()).filter(|_| !self.group.is_empty());
        let is_own = |of: &_, end| *of == group && self.range.contains(end);
        let mut slices: BTreeMap<Timestamp, JudgedSlice> = BTreeMap::new();
        let unseen = |end| JudgedSlice {
            end,
            counts: None,
            values: Vec::new(),
        };
        let noted = &self.trace.slices;
        for it in noted.values.iter().filter(|it| is_own(&it.of, it.end)) {
            let slice = slices.entry(it.end).or_insert_with(|| unseen(it.end));
            slice.values.push(value(it));
        }
        for it in noted.counted.iter().filter(|it| is_own(&it.of, it.end)) {
            let slice = slices.entry(it.end).or_insert_with(|| unseen(it.end));
            slice.counts = Some(it.counts);
        }
        let whole = TimeRange {
            from: self.range.from.floor_to(lane.slice),
            to: self.range.to,
        };
        let (by, rule, bad_when) = how(&lane.judge);
        Some(Judged {
            slice: lane.slice,
            by,
            rule,
            bad_when,
            missing: lane.missing,
            unknown: ends(whole, lane.slice).count().saturating_sub(slices.len()),
            slices: slices.into_values().collect(),
        })
    }
}

fn value(noted: &SliceValue) -> JudgedValue {
    JudgedValue {
        group: noted.group.clone(),
        value: noted.value,
        part_of: noted.quotient.map(|it| (it.part, it.whole)),
        is_bad: noted.is_bad,
    }
}

/// What a judge looks at, what is good of it, and how many make a slice bad.
fn how(judge: &Judge) -> (JudgedBy, Rule, Option<BadWhen>) {
    let of = |limit: &Limit| match limit {
        Limit::AtMost(most) => Rule::AtMost(*most),
        Limit::AtLeast(least) => Rule::AtLeast(*least),
    };
    let allowed = |allowance: &Fraction| Rule::AtMost(allowance.to_f64());
    match judge {
        Judge::Rate { limit, .. } => (JudgedBy::Rate, of(limit), None),
        Judge::Drop { kept, .. } => (JudgedBy::Drop, Rule::AtLeast(*kept), None),
        Judge::Events { allowance, .. } => (JudgedBy::Events, allowed(allowance), None),
        Judge::Probe {
            quorum, allowance, ..
        } => {
            let by = match quorum {
                Some(_) => JudgedBy::Votes,
                None => JudgedBy::Samples,
            };
            let rule = allowance.as_ref().map_or(Rule::Share, allowed);
            (by, rule, *quorum)
        }
        Judge::Share {
            at_most, bad_when, ..
        } => (JudgedBy::Share, Rule::AtMost(*at_most), Some(*bad_when)),
        Judge::Level {
            limit, bad_when, ..
        } => (JudgedBy::Level, of(limit), Some(*bad_when)),
        Judge::Age {
            at_most, bad_when, ..
        } => (JudgedBy::Age, Rule::AtMost(*at_most), Some(*bad_when)),
        Judge::Value {
            limit, bad_when, ..
        } => (JudgedBy::Value, of(limit), Some(*bad_when)),
        Judge::Ratio { .. } => (JudgedBy::Ratio, Rule::Share, None),
    }
}
