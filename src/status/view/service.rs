//! Services: what their objectives say together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::names::{Alert, Compliance};
use super::super::snapshot::SloStatus;
use super::scalar::finite;
use super::tally::TallyView;

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceView {
    /// Its name.
    pub service: String,
    /// The labels that all its objectives share.
    pub labels: BTreeMap<String, String>,
    /// The loudest alert of its objectives.
    pub alert: Alert,
    /// The worst compliance of its objectives.
    pub compliance: Compliance,
    /// How many objectives are in which state.
    pub slos: TallyView,
    /// The objective with the least budget left; unknown while all are.
    pub lowest_budget: Option<LowestBudgetView>,
}

/// The objective with the least budget left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LowestBudgetView {
    /// The instance.
    pub id: String,
    /// The share that is left; negative once overspent, `null` when that has no bound.
    pub remaining: Option<f64>,
}

impl ServiceView {
    /// The view of a service with these instances.
    pub fn of(service: &str, slos: &[&SloStatus]) -> Self {
        let mut labels = slos
            .first()
            .map(|slo| slo.slo.labels.clone())
            .unwrap_or_default();
        labels.retain(|name, value| {
            slos.iter()
                .all(|slo| slo.slo.labels.get(name) == Some(value))
        });
        let budgets = slos
            .iter()
            .filter_map(|slo| Some((slo.budget?.remaining(), slo)));
        let lowest = budgets.min_by(|(left, _), (right, _)| left.total_cmp(right));
        Self {
            service: service.to_owned(),
            labels,
            alert: slos
                .iter()
                .map(|slo| slo.alert.into())
                .max()
                .unwrap_or(Alert::None),
            compliance: slos
                .iter()
                .map(|slo| Compliance::of(slo))
                .max()
                .unwrap_or(Compliance::Unknown),
            slos: TallyView::of(slos.iter().copied()),
            lowest_budget: lowest.map(|(remaining, slo)| LowestBudgetView {
                id: slo.id.clone(),
                remaining: finite(remaining),
            }),
        }
    }
}
