//! Looks once at what the sources hold of what the objectives name: series, buckets and labels. Numbers
//! are not made here: they come of counting.

mod ask;
mod directory;
mod doubled;
mod judge;
mod parts;
mod seen;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::slo::{Catalog, SloId, SourceName};
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::Fetch;
use crate::series::plan::{FamilyIndex, Meter, Plan, PlanError};
use crate::source::Source;
use crate::status::names::Role;
use crate::status::survey::{Survey, Unread};
use crate::store::commit::Recovered;

use super::reading;
use super::reads::Wanted;
use super::settings::Settings;
use super::state::State;

use self::ask::Asker;
use self::parts::expressions;
use self::seen::{Known, Seen};

/// How far back it is looked, where slices or late samples ask for more.
const LOOKED_AT: Span = Span::from_hours(1);

/// Looks at everything that the objectives of `catalog` name, as a tick `at` would read it.
///
/// # Errors
/// When a selector cannot be matched.
pub async fn survey<S: Source>(
    settings: &Settings,
    catalog: &Catalog,
    sources: &BTreeMap<SourceName, Arc<S>>,
    at: Timestamp,
) -> Result<Survey, PlanError> {
    let plan = Arc::new(Plan::of(catalog, settings.slot)?);
    let state = State::new(settings.clone(), &plan, Recovered::default());
    let reads = reading::all(&state, settings, sources, newest(&state, at)).await;
    let seen = Seen::of(&plan, &reads);
    let mut survey = unread(&plan, &seen);
    let within = TimeRange {
        from: at - LOOKED_AT,
        to: at,
    };
    let mut asker = Asker::new(sources, within, settings.slot);
    for planned in plan.slos.iter() {
        let slo = &planned.slo;
        if survey.blind.contains(&slo.uid) {
            continue;
        }
        let mut findings = Vec::new();
        for found in judge::judge(planned, &seen) {
            findings.extend(asker.told(slo, found).await);
        }
        let others = asker.other_kinds(slo, &findings).await;
        findings.extend(others);
        if !findings.is_empty() {
            survey.findings.insert(slo.counted_as.clone(), findings);
        }
    }
    Ok(survey)
}

/// What a tick `at` would read, but no more of it than shows what there is now.
fn newest(state: &State, at: Timestamp) -> Vec<Wanted> {
    let wanted = state.wanted(at).into_iter();
    let newest = wanted.map(|wanted| {
        let from = wanted.range.from.max(at - LOOKED_AT);
        let range = TimeRange { from, to: at };
        Wanted { range, ..wanted }
    });
    newest.collect()
}

/// What could not be read, and whose it is.
fn unread(plan: &Plan, seen: &Seen<'_>) -> Survey {
    let mut reasons: BTreeMap<(&SourceName, &str), Vec<FamilyIndex>> = BTreeMap::new();
    let mut blind = BTreeSet::new();
    for (index, family) in plan.families.iter().enumerate() {
        let lanes = plan.lanes_of(index);
        if let (Known::Unread(reason), false) = (seen.family(index), lanes.is_empty()) {
            let families = reasons.entry((&family.source, reason)).or_default();
            families.push(index);
            let meters = lanes.iter().map(|(meter, _)| &plan.meters[*meter]);
            blind.extend(meters.flat_map(Meter::promises).map(|it| it.uid.clone()));
        }
    }
    let unread = reasons
        .into_iter()
        .map(|((source, reason), families)| Unread {
            source: source.clone(),
            reason: reason.to_owned(),
            expression: match families.as_slice() {
                [only] => expression(plan, *only),
                _ => None,
            },
        });
    Survey {
        unread: unread.collect(),
        blind,
        findings: BTreeMap::new(),
    }
}

/// Whose expression a family is, if it is one.
fn expression(plan: &Plan, family: FamilyIndex) -> Option<(SloId, Role)> {
    if !matches!(plan.families[family].fetch, Fetch::Expression { .. }) {
        return None;
    }
    let (meter, _) = plan.lanes_of(family).first()?;
    let meter = &plan.meters[*meter];
    let mut parts = expressions(&meter.lanes).into_iter();
    let (role, _) = parts.find(|(_, its)| *its == family)?;
    Some((meter.slo.uid.clone(), role))
}
