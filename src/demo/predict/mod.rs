//! What a fault will come to, before it happens: which alert fires at which tick, and when it is over.
//!
//! Everything follows from the services' closed form and the policy, on paper so to speak: no sample is read, no
//! ledger kept. That the daemon comes to the same, a tick more or less, is what the report shows.

mod counted;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::incident::{TierState, Verdict};
use crate::domain::indicator::Budgeting;
use crate::domain::policy::{AlertPolicy, Severity, Tier};
use crate::domain::slo::{Catalog, Slo, SloId};
use crate::domain::slot::Counts;
use crate::domain::time::{Span, Timestamp};
use crate::series::cursor::validity;
use crate::series::plan::{Lane, Plan, PlanError};

use self::counted::Counted;
use super::catalog::{SCRAPE, TICK};
use super::world::World;
use super::world::fault::{Fault, Kind, MILLION};

/// How long after the end of a fault its incident is followed.
const FOLLOWED: Span = Span::from_days(4);

/// What one objective will come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The objective.
    pub slo: SloId,
    /// The first alert, if any fires.
    pub first: Option<Alert>,
    /// When somebody is paged, if so.
    pub paged: Option<Timestamp>,
    /// When the incident is closed.
    pub closed: Option<Timestamp>,
    /// The share of the budget that the fault spends.
    pub spends: f64,
    /// How the first alert is come by, in a line.
    pub formula: String,
}

/// The first tier that fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// At which tick.
    pub at: Timestamp,
    /// How loudly.
    pub severity: Severity,
    /// Which.
    pub tier: String,
}

/// What a target that is down will come to: nothing is known, so nothing fires and nothing is resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blind {
    /// The objectives that cannot be measured.
    pub slos: Vec<SloId>,
    /// The first tick at which they cannot.
    pub from: Timestamp,
    /// When that is told, if the target is down for long enough.
    pub told: Option<Timestamp>,
}

/// Computes what faults come to.
#[derive(Debug)]
pub struct Seer {
    catalog: Arc<Catalog>,
    plan: Plan,
    world: Arc<World>,
    /// The first sample of the history.
    begun: Timestamp,
}

impl Seer {
    /// A seer of `world` for what `catalog` promises; `begun` is the first sample that anybody reads of it.
    ///
    /// # Errors
    /// When a selector cannot be matched.
    pub fn new(
        catalog: Arc<Catalog>,
        world: Arc<World>,
        begun: Timestamp,
    ) -> Result<Self, PlanError> {
        let plan = Plan::of(&catalog, TICK)?;
        Ok(Self {
            catalog,
            plan,
            world,
            begun,
        })
    }

    /// What the objectives that `fault` harms come to. `faults` are all that are planned, `fault` among them.
    pub fn foresee(&self, fault: &Fault, faults: &[Fault]) -> Vec<Prediction> {
        let without: Vec<Fault> = faults
            .iter()
            .filter(|other| *other != fault)
            .copied()
            .collect();
        let mut foreseen = Vec::new();
        for (meter, planned) in self.plan.meters.iter().enumerate() {
            let range = (fault.from, fault.to.ceil_to(TICK));
            let harmed = Counted::new(self, meter, faults).within(range).bad;
            let unharmed = Counted::new(self, meter, &without).within(range).bad;
            if harmed <= unharmed {
                continue;
            }
            for slo in planned.promises() {
                let Some(policy) = self.catalog.policy_of(slo) else {
                    continue;
                };
                let mut counted = Counted::new(self, meter, faults);
                foreseen.push(follow(slo, policy, fault, &mut counted, harmed - unharmed));
            }
        }
        foreseen
    }

    /// What a target comes to that is down.
    pub fn blind(&self, fault: &Fault) -> Option<Blind> {
        if fault.kind != Kind::Down {
            return None;
        }
        // The last scrape that is answered; its samples hold for two and a half of them.
        let last = fault.from.floor_to(SCRAPE);
        let from = (last + validity(SCRAPE) + Span::from_millis(1)).ceil_to(TICK);
        let back = (fault.to + Span::from_millis(1))
            .ceil_to(SCRAPE)
            .ceil_to(TICK);
        let job = World::target_labels(fault.service)
            .remove("job")
            .unwrap_or_default();
        let on_its_page = |slo: &&Arc<Slo>| self.is_read_from(slo, &job);
        let slos: Vec<&Arc<Slo>> = self.catalog.slos.values().filter(on_its_page).collect();
        let after = slos
            .iter()
            .filter_map(|slo| Some(self.catalog.policy_of(slo)?.unmeasured?.after));
        let told = after.min().map(|after| (from + after).ceil_to(TICK));
        Some(Blind {
            slos: slos.iter().map(|slo| slo.uid.clone()).collect(),
            from,
            told: told.filter(|told| *told < back),
        })
    }

    fn is_read_from(&self, slo: &Slo, job: &str) -> bool {
        let Some(meter) = self
            .plan
            .meters
            .iter()
            .find(|meter| meter.slo.counted_as == slo.counted_as)
        else {
            return false;
        };
        let mut families = meter.lanes.iter().flat_map(Lane::families);
        families.any(|family| {
            let family = &self.plan.families[family];
            let mut series = self.world.series_of(family.metric());
            series.any(|series| {
                let matching = family.selectors.matching(&**series.labels);
                !matching.is_empty() && series.labels.get("job") == job
            })
        })
    }

    /// What the services themselves have counted for an objective in `(from, to]`, but not before their history begins;
    /// `None` for objectives over slices.
    pub fn own_count(&self, slo: &SloId, (from, to): (Timestamp, Timestamp)) -> Option<Counts> {
        let meter = self
            .plan
            .meters
            .iter()
            .position(|meter| meter.promises().any(|it| it.uid == *slo))?;
        let planned = &self.plan.meters[meter];
        if planned.slo.budgeting() != Budgeting::Occurrences {
            return None;
        }
        let faults = self.world.faults();
        Some(Counted::new(self, meter, &faults).within((from.max(self.begun), to)))
    }
}

/// Follows the incident of one objective from tick to tick.
fn follow(
    slo: &Slo,
    policy: &AlertPolicy,
    fault: &Fault,
    counted: &mut Counted<'_>,
    harm: f64,
) -> Prediction {
    let mut states: BTreeMap<&str, TierState> = BTreeMap::new();
    let (mut first, mut paged, mut closed) = (None, None, None);
    let mut at = (fault.from + Span::from_millis(1)).ceil_to(TICK);
    while at <= fault.to + FOLLOWED && closed.is_none() {
        for tier in &policy.tiers {
            let state = states.entry(&tier.name).or_default();
            let was_firing = state.is_firing();
            *state = state.after(verdict(slo, tier, counted, at), at, policy.hold.of(tier));
            let severity = policy.severity_of(tier, slo.signal());
            if state.is_firing() && !was_firing {
                let alert = Alert {
                    at,
                    severity,
                    tier: tier.name.clone(),
                };
                // Of tiers that fire at the same tick, the loudest is told.
                if first
                    .as_ref()
                    .is_none_or(|first: &Alert| first.at == at && first.severity < severity)
                {
                    first = Some(alert);
                }
                if severity == Severity::Page {
                    paged = paged.or(Some(at));
                }
            }
        }
        if first.is_some() && !states.values().any(|state| state.is_firing()) {
            closed = Some(at);
        } else if first.is_none() && at > fault.to + Span::from_hours(1) {
            break;
        }
        at = at + TICK;
    }
    let begun = fault.to - slo.window.length(fault.from);
    let window = counted.within((begun.max(counted.begun()), fault.to.ceil_to(TICK)));
    let allowed = window.total * slo.objective.allowance().to_f64();
    Prediction {
        slo: slo.uid.clone(),
        formula: formula(slo, policy, fault, first.as_ref(), counted),
        first,
        paged,
        closed,
        spends: if allowed > 0.0 { harm / allowed } else { 0.0 },
    }
}

fn verdict(slo: &Slo, tier: &Tier, counted: &mut Counted<'_>, at: Timestamp) -> Verdict {
    let long = counted.within((at - tier.long, at));
    let short = counted.within((at - tier.short, at));
    if tier.is_exceeded(slo.objective, slo.window.length(at), (long, short)) {
        Verdict::Burning
    } else {
        Verdict::Clear
    }
}

/// The textbook's way to the first alert: how long until the long window is above the threshold.
fn formula(
    slo: &Slo,
    policy: &AlertPolicy,
    fault: &Fault,
    first: Option<&Alert>,
    counted: &mut Counted<'_>,
) -> String {
    let tier = first.and_then(|first| policy.tiers.iter().find(|tier| tier.name == first.tier));
    let Some(tier) = tier else {
        return "no tier's long window comes above its threshold".to_owned();
    };
    let period = slo.window.length(fault.from);
    let (Some(limit), Some(burn)) = (tier.error_limit(slo.objective, period), tier.burn(period))
    else {
        let bad = tier.bad().unwrap_or_default();
        return format!("{bad} failures within {} are enough", tier.long);
    };
    let (limit, burn) = (limit.to_f64(), burn.to_f64());
    let allowance = slo.objective.allowance().to_f64();
    if let Budgeting::Timeslices(slice) = slo.budgeting() {
        return format!(
            "more than {burn} × {} of the slices of {slice} within {} must be bad",
            shown(allowance),
            tier.long
        );
    }
    let before = counted.within((fault.from - tier.long, fault.from));
    let usual = before.error_ratio().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "at most a million")]
    let errors = fault.intensity as f64 / MILLION as f64;
    crossing(tier.long, (burn, allowance), limit, usual, errors)
}

/// How long it takes until `long`, of which the share `usual` is bad so far, holds more than `limit`, which is `burn`
/// times what is allowed, when `errors` of all is bad from now on.
fn crossing(
    long: Span,
    (burn, allowance): (f64, f64),
    limit: f64,
    usual: f64,
    errors: f64,
) -> String {
    let limited = format!("{burn} × {}", shown(allowance));
    if usual > limit {
        return format!(
            "at the next tick: {} of the last {long} was bad before, which is above {limited} already",
            shown(usual)
        );
    }
    if errors <= limit {
        return format!(
            "{} is not above {limited}: it takes what is bad beside it",
            shown(errors)
        );
    }
    let seconds = long.as_secs_f64() * (limit - usual) / (errors - usual);
    format!(
        "{long} × ({limited} − {}) / ({} − {}) = {seconds:.0} s at even traffic, then the next tick",
        shown(usual),
        shown(errors),
        shown(usual),
    )
}

/// A share in percent, with no more digits than it takes.
fn shown(share: f64) -> String {
    format!("{}%", (share * 1e6).round() / 1e4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_to_an_alert_is_never_negative() {
        let told = [0.000_5, 0.002_235, 0.0].map(|usual| {
            let errors = if usual > 0.0 { 0.05 } else { 0.000_4 };
            crossing(Span::from_days(3), (1.0, 0.000_5), 0.000_5, usual, errors)
        });
        insta::assert_snapshot!(told.join("\n"), @r"
        3d × (1 × 0.05% − 0.05%) / (5% − 0.05%) = 0 s at even traffic, then the next tick
        at the next tick: 0.2235% of the last 3d was bad before, which is above 1 × 0.05% already
        0.04% is not above 1 × 0.05%: it takes what is bad beside it
        ");
    }
}
