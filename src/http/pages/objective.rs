//! `/slos/{service}/{name}`: one objective with its budget, its burn and everything they come from.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use axum::routing::get;

use crate::domain::incident::Incident;
use crate::status::names::{Measured, Named};
use crate::status::snapshot::SloStatus;
use crate::status::view::scalar::Length;
use crate::status::view::slo::{ContributorView, GuardView, SloView, TierView};
use crate::status::{address, query, words};

use super::super::AppState;
use super::super::error::ApiError;
use super::super::moment::{Moment, Pairs};
use super::super::slos::{find, unknown};
use super::chart::{BudgetChart, Frame, Gauge, RatioChart};
use super::groups::{self, GroupRow};
use super::incidents::IncidentRow;
use super::sign::Sign;
use super::when::When;
use super::{Layout, Prose, figures, html, promise};

#[derive(Template)]
#[template(path = "objective.html")]
struct ObjectivePage {
    layout: Layout,
    service: String,
    name: String,
    /// Those that are shown whole.
    instances: Vec<Instance>,
    /// Further groups.
    groups: Vec<GroupRow>,
    /// Whether one group was asked for alone.
    is_one: bool,
    /// What to know of groups that are not watched, if there are any.
    refused: Option<String>,
    incidents: Vec<IncidentRow>,
}

/// One instance: the objective itself, or one of its groups.
struct Instance {
    slo: SloView,
    /// What tells it from the others: its target, and the labels of its group.
    heading: String,
    /// Where it is shown alone.
    href: String,
    /// Its number on the page, for the names of its parts.
    number: usize,
    sign: Sign,
    description: Option<String>,
    promise: String,
    meaning: String,
    arithmetic: Vec<String>,
    standing: String,
    frame: Frame,
    budget: BudgetChart,
    ratio: RatioChart,
    tiers: Vec<TierRow>,
    origins: Vec<OriginRow>,
    outcome: Sign,
    /// Why it could not be measured.
    reason: Option<Prose>,
    /// When something good was measured last, where that is not now.
    last_good: Option<When>,
    runbook: Option<String>,
}

/// One value of a label that bad events came from.
struct OriginRow {
    series: String,
    window: String,
    share: String,
    bad: String,
}

/// One tier of the policy.
struct TierRow {
    name: String,
    severity: Sign,
    threshold: String,
    windows: [Pace; 2],
    firing: bool,
    /// What keeps it quiet although its windows burn: the low-traffic guard, or what is not known for sure.
    waits: Option<String>,
}

/// How fast one window of a tier burns.
struct Pace {
    window: String,
    rate: String,
    counts: String,
    gauge: Gauge,
}

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/slos/{service}/{name}", get(show))
}

async fn show(
    State(state): State<AppState>,
    path: Result<Path<(String, String)>, PathRejection>,
    uri: Uri,
    moment: Moment,
    Pairs(pairs): Pairs,
) -> Result<Response, ApiError> {
    let Path((service, name)) = path.map_err(|_| ApiError::Path)?;
    let id = query::id(pairs)?;
    let mut found = find(&moment, &service, &name)?;
    if let Some(id) = &id {
        let one = found.iter().position(|status| status.id == *id);
        let one = one.ok_or_else(|| unknown(&found, Some(id), service.clone(), name.clone()))?;
        found = vec![found[one]];
    }
    let snapshot = &moment.read.snapshot;
    let is_own = |it: &&Arc<Incident>| found.iter().any(|status| status.slo.id == it.slo);
    let own = snapshot.incidents.iter().filter(is_own);
    let own: Vec<&Incident> = own.map(AsRef::as_ref).collect();
    let refused = found.iter().find_map(|status| groups::refused(status));
    let (whole, others) = groups::split(&mut found);
    let instance = |(number, status): (usize, &&SloStatus)| Instance::new(number, status, &own);
    Ok(html(&ObjectivePage {
        layout: Layout::of(&moment, &state.site, uri.path()).titled(format!("{service}/{name}")),
        instances: whole.iter().enumerate().map(instance).collect(),
        groups: others.iter().map(|status| GroupRow::new(status)).collect(),
        is_one: id.is_some(),
        refused,
        incidents: own
            .iter()
            .map(|it| IncidentRow::new(it, snapshot))
            .collect(),
        service,
        name,
    }))
}

impl Instance {
    fn new(number: usize, status: &SloStatus, incidents: &[&Incident]) -> Self {
        let slo = SloView::of(status);
        let frame = Frame::of_window(status, incidents.iter().copied());
        let allowance = status.slo.objective.allowance().to_f64();
        let measurement = &status.measurement;
        let last_good = measurement.last_good.filter(|_| !slo.measured);
        Self {
            href: address::of_instance(&status.slo),
            number,
            heading: figures::heading(&slo),
            sign: Sign::of(&slo),
            description: status.slo.description.clone(),
            promise: promise::promise(&slo),
            meaning: promise::meaning(&status.slo),
            arithmetic: promise::arithmetic(&slo, status),
            standing: promise::standing(&slo),
            budget: BudgetChart::new(frame.clone(), format!("budget-{number}")),
            ratio: RatioChart::new(frame.clone(), format!("ratio-{number}"), allowance),
            frame,
            tiers: slo
                .tiers
                .iter()
                .map(|tier| TierRow::new(tier, &slo))
                .collect(),
            origins: slo.contributors.iter().map(OriginRow::new).collect(),
            outcome: Sign::of_outcome(slo.measurement.outcome),
            reason: measurement.reason.clone().map(Prose::of),
            last_good: last_good.map(|at| When::exact(at, measurement.at)),
            runbook: slo.links.runbook.clone().filter(|link| is_link(link)),
            slo,
        }
    }

    /// Why the bad selector may never match, where it never has.
    fn never_bad(&self) -> bool {
        let counted = self.slo.measurement.outcome == Measured::Measured;
        counted && !self.slo.measurement.bad_series_ever_seen
    }
}

/// Whether a browser follows `link` to a page, and runs nothing.
fn is_link(link: &str) -> bool {
    link.starts_with("https://") || link.starts_with("http://")
}

impl OriginRow {
    fn new(contributor: &ContributorView) -> Self {
        Self {
            series: format!("{}={}", contributor.label, contributor.value),
            window: words::window(contributor.window.0),
            share: words::percent(contributor.share),
            bad: words::count(contributor.bad.0),
        }
    }
}

impl TierRow {
    fn new(tier: &TierView, slo: &SloView) -> Self {
        // Fewer failures than it takes may be chance, however fast they burn.
        let waiting = tier
            .guard
            .filter(|guard| !tier.firing && guard.seen.0 < needed(*guard));
        let long = words::window(tier.long.0);
        let threshold = tier.threshold.unwrap_or(f64::INFINITY);
        Self {
            name: tier.name.clone(),
            severity: Sign::of_alert(tier.severity),
            threshold: match tier.bad {
                Some(bad) => format!("{bad} bad"),
                None => words::limit(threshold),
            },
            windows: [tier.long, tier.short].map(|length| Pace::new(length, threshold, slo)),
            firing: tier.firing,
            waits: waiting
                .map(|guard| {
                    let needed = words::count(needed(guard));
                    format!("takes {needed} failures in {long} to rule out chance")
                })
                .or_else(|| {
                    let held = tier.held_back?;
                    Some(format!("held back: {}", held.words()))
                }),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few failures")]
fn needed(guard: GuardView) -> f64 {
    guard.needed as f64
}

impl Pace {
    fn new(length: Length, threshold: f64, slo: &SloView) -> Self {
        let window = words::window(length.0);
        let Some(burn) = slo.burn.get(&length) else {
            return Self {
                window,
                rate: "unknown".to_owned(),
                counts: String::new(),
                gauge: Gauge::new(0.0, threshold),
            };
        };
        let unbounded = if burn.bad.0 > 0.0 { f64::INFINITY } else { 0.0 };
        Self {
            window,
            rate: match burn.rate {
                Some(rate) => words::burn_beside(rate, threshold),
                None => figures::rate(burn),
            },
            counts: format!(
                "{} of {}",
                words::count(burn.bad.0),
                words::count(burn.total.0)
            ),
            gauge: Gauge::new(burn.rate.unwrap_or(unbounded), threshold),
        }
    }
}
