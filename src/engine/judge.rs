//! Judges one objective at a tick: how well it was measured, and what its tiers say.

use crate::domain::guard::Guard;
use crate::domain::incident::{TierReading, TierState, Verdict};
use crate::domain::indicator::{Budgeting, Split};
use crate::domain::measurement::{Measurement, Outcome};
use crate::domain::policy::{AlertPolicy, HeldBack, Tier};
use crate::domain::slices::MissingData;
use crate::domain::slo::Slo;
use crate::domain::time::{Span, Timestamp};
use crate::ledger::{Ledger, WindowSum};
use crate::series::cursor::validity;
use crate::series::plan::{Lane, Meter, MeterIndex, Share};
use crate::series::slices::Impossible;

use super::lanes::lane_grace;
use super::promise::{PromiseIndex, PromiseState};
use super::state::{FamilyState, State};
use super::windows::Windows;

/// A long window without events says that nothing is left to burn only when this share of it was
/// measured.
const IDLE_COVERAGE: f64 = 0.5;

impl State {
    /// How well what a promise is judged by could be measured at `at`.
    pub(super) fn measure(
        &self,
        promise: PromiseIndex,
        windows: &Windows,
        at: Timestamp,
    ) -> Measurement {
        let (meter, _) = promise;
        let before = self.promise(promise).state.measurement.as_ref();
        let last_good = before.and_then(|before| before.last_good);
        let (outcome, reason) = self.outcome(meter, windows, at);
        let last_good = if outcome.is_good() {
            Some(at)
        } else {
            last_good
        };
        Measurement {
            outcome,
            at,
            last_good,
            impossible: outcome == Outcome::NoData && self.wrong(meter).is_some(),
            reason,
        }
    }

    fn outcome(&self, meter: usize, windows: &Windows, at: Timestamp) -> (Outcome, Option<String>) {
        let planned = &self.plan.meters[meter];
        let families = planned.lanes.iter().flat_map(Lane::families);
        let states: Vec<&FamilyState> = families.map(|family| &self.families[family]).collect();
        let failures = states.iter().filter_map(|state| state.failure.as_ref());
        if let Some((outcome, reason)) = failures.max_by_key(|(outcome, _)| *outcome) {
            return (*outcome, Some(reason.clone()));
        }
        if let Some(behind) = states
            .iter()
            .filter_map(|state| state.head_to)
            .min()
            .filter(|head_to| *head_to < at)
        {
            return (
                Outcome::Failed,
                Some(format!("catching up: samples are read up to {behind}")),
            );
        }
        if let Some(reason) = self
            .no_bucket(meter)
            .map(|lack| lack.to_string())
            .or_else(|| self.wrong(meter))
            .or_else(|| self.missing(self.plan.measured_with(meter).unwrap_or(meter), at))
        {
            return (Outcome::NoData, Some(reason));
        }
        let in_part = self.vanished(meter, at);
        if let Some(reason) = in_part.or_else(|| self.lacks_in_part(meter, &states)) {
            return (Outcome::Partial, Some(reason));
        }
        let (_, present) = windows.present;
        match (present.counts.total > 0.0, present.covered > 0.0) {
            (true, _) => (Outcome::Measured, None),
            (false, true) => (Outcome::NoTraffic, None),
            (false, false) => (
                Outcome::NoData,
                Some("counting begins with the second sample".to_owned()),
            ),
        }
    }

    /// What was to be counted of late and cannot be true, if anything was.
    fn wrong(&self, meter: MeterIndex) -> Option<String> {
        let planned = &self.plan.meters[meter];
        let mut lanes = planned.lanes.iter().zip(&self.meters[meter].lanes);
        lanes.find_map(|(lane, state)| {
            let (end, impossible) = state.impossible?;
            (state.known_to < Some(end)).then(|| wrong(lane, end, impossible))
        })
    }

    /// What is missing of the samples that make up the total, if anything is.
    pub(super) fn missing(&self, meter: MeterIndex, at: Timestamp) -> Option<String> {
        let planned = &self.plan.meters[meter];
        let mut sparse = Vec::new();
        let lanes = planned.lanes.iter().zip(&self.meters[meter].lanes);
        for (number, (lane, state)) in lanes.enumerate() {
            let name = self.plan.families[lane.families().first().copied()?].name();
            match lane {
                Lane::Counters { totals: false, .. } => {}
                Lane::Counters { family, .. } => {
                    let family = &self.families[*family];
                    let newest = family.newest_totals.get(&meter);
                    let last = newest.map(|(newest, _)| *newest);
                    let odd = || family.odd.after(last, meter, name);
                    sparse.push(match newest {
                        None => {
                            Some((None, odd().unwrap_or_else(|| self.no_series(planned, name))))
                        }
                        Some((newest, interval)) => {
                            (at.since(*newest) > validity(*interval)).then(|| {
                                let none = || format!("`{name}` has had no sample since {newest}");
                                (Some(*newest), odd().unwrap_or_else(none))
                            })
                        }
                    });
                }
                Lane::Slices(_) | Lane::Points { .. } => {
                    let grain = lane.slice().unwrap_or(self.settings.slot);
                    // What is empty counts, but only when nothing can come any more.
                    let grace = match planned.missing(number) {
                        MissingData::Hold if !lane.is_sparse() => Span::ZERO,
                        MissingData::Hold | MissingData::Good | MissingData::Bad => {
                            lane_grace(lane, &|family| self.families[family].interval)
                        }
                    };
                    if state.known_to < Some((at - grace).floor_to(grain)) {
                        return Some(self.not_judged(meter, lane, state));
                    }
                }
            }
        }
        // Where several metrics make up the total, what one of them never counted is no event.
        let sparse: Option<Vec<_>> = sparse.into_iter().collect();
        let newest = sparse?.into_iter().max_by_key(|(newest, _)| *newest);
        newest.map(|(_, told)| told)
    }

    /// Which of the groups are missing that a meter of all of them expects, if any are.
    fn vanished(&self, meter: MeterIndex, at: Timestamp) -> Option<String> {
        let Meter { of, share, .. } = &self.plan.meters[meter];
        if !matches!(share, Share::Whole { .. }) {
            return None;
        }
        let groups = self.plan.members(*of).groups_in_order();
        let expected = groups.filter(|(_, group)| !self.plan.meters[*group].follows_whole());
        let gone = expected.filter(|(_, group)| self.missing(*group, at).is_some());
        let gone: Vec<String> = gone.map(|(labels, _)| format!("{{{labels}}}")).collect();
        (!gone.is_empty()).then(|| {
            format!(
                "a part is missing: nothing is measured of {}, which `expect` names",
                gone.join(", ")
            )
        })
    }
}

/// What was to be counted and cannot be true.
fn wrong(lane: &Lane, end: Timestamp, impossible: Impossible) -> String {
    match impossible {
        Impossible::Part { part, total } => {
            let side = match lane {
                Lane::Points {
                    part: Split::Good(_),
                    ..
                } => "good",
                Lane::Points { .. } | Lane::Counters { .. } | Lane::Slices(_) => "bad",
            };
            format!(
                "`{side}` gave {} and `total` {} at {end}: a part lies between nothing and the whole, so neither counts; let both expressions count the same events",
                shown(part),
                shown(total)
            )
        }
        Impossible::Ratio(ratio) => format!(
            "`ratio` gave {} at {end}: a ratio lies between 0 and 1, so it does not count; correct the expression",
            shown(ratio)
        ),
        Impossible::Value(value) => format!(
            "`value` gave {} at {end}: what is infinite says nothing, so it does not count; correct the expression",
            shown(value)
        ),
    }
}

/// A value with no more digits than a reader needs.
fn shown(value: f64) -> String {
    let rounded = (value * 1_000.0).round() / 1_000.0;
    if rounded.is_finite() { rounded } else { value }.to_string()
}

/// What every tier of the policy says, given how well the objective was measured.
pub(super) fn readings<'a>(
    state: &PromiseState,
    slo: &Slo,
    policy: &'a AlertPolicy,
    (windows, ledger): (&Windows, &Ledger),
) -> Vec<TierReading<'a>> {
    let outcome = state.outcome();
    let read = |tier: &'a Tier| {
        let before = state.alert.tiers.get(&tier.name);
        let before = before.copied().unwrap_or_default();
        let long = windows.get(tier.long);
        let verdict = match outcome {
            Outcome::Measured => verdict(slo, policy, tier, before, (windows, ledger)),
            Outcome::NoTraffic if long.counts.total <= 0.0 && long.covered >= IDLE_COVERAGE => {
                Verdict::Idle
            }
            _ => Verdict::Unknown,
        };
        let severity = policy.severity_of(tier, slo.signal());
        TierReading {
            name: &tier.name,
            severity,
            hold: policy.hold.of(tier),
            verdict,
        }
    };
    policy.tiers.iter().map(read).collect()
}

/// What a tier's windows say when they were measured.
fn verdict(
    slo: &Slo,
    policy: &AlertPolicy,
    tier: &Tier,
    before: TierState,
    (windows, ledger): (&Windows, &Ledger),
) -> Verdict {
    let short = windows.get(tier.short);
    // Between two slices that are longer than it nothing is known of the present.
    if short.counts.total <= 0.0 && short.covered <= 0.0 {
        return Verdict::Unknown;
    }
    if !is_above(slo, policy, tier, windows) {
        Verdict::Clear
    } else if before.is_firing() || held_back(slo, tier, (windows, ledger)).is_none() {
        Verdict::Burning
    } else {
        Verdict::Unknown
    }
}

/// Whether both windows are above, and more than chance.
fn is_above(slo: &Slo, policy: &AlertPolicy, tier: &Tier, windows: &Windows) -> bool {
    let (long, short) = (windows.get(tier.long), windows.get(tier.short));
    let counts = (long.counts, short.counts);
    tier.is_exceeded(slo.objective, windows.period, counts)
        && guard(slo, policy, tier, &long).is_none_or(|guard| guard.is_passed())
}

fn held_back(slo: &Slo, tier: &Tier, (windows, ledger): (&Windows, &Ledger)) -> Option<HeldBack> {
    let counts = (windows.evened(tier.long), windows.evened(tier.short));
    let spread = windows.spread(ledger, tier.short);
    tier.held_back(slo.objective, windows.period, counts, spread)
}

/// Why a tier does not fire whose windows are above, where that is so.
pub(super) fn held_back_above(
    state: &PromiseState,
    slo: &Slo,
    policy: &AlertPolicy,
    tier: &Tier,
    (windows, ledger): (&Windows, &Ledger),
) -> Option<HeldBack> {
    let before = state.alert.tiers.get(&tier.name);
    if before.is_some_and(|before| before.is_firing()) || !is_above(slo, policy, tier, windows) {
        return None;
    }
    held_back(slo, tier, (windows, ledger))
}

/// The low-traffic guard over a tier's long window; not for slices, which depend on one another, and not
/// where a tier counts, which says by itself how many are enough.
pub(super) fn guard(
    slo: &Slo,
    policy: &AlertPolicy,
    tier: &Tier,
    long: &WindowSum,
) -> Option<Guard> {
    let alpha = policy
        .low_traffic
        .filter(|_| slo.budgeting() == Budgeting::Occurrences && tier.bad().is_none())?;
    let allowance = slo.objective.allowance().to_f64();
    Some(Guard::of(
        long.counts.bad,
        long.counts.total,
        allowance,
        alpha,
    ))
}
