//! What `/api/v1/slos` says of one tick must agree with itself.

use serde_json::Value;
use sloburn::domain::time::Span;
use sloburn::status::names::{Compliance, Measured, SignalName};
use sloburn::status::view::list::ListView;
use sloburn::status::view::scalar::Length;
use sloburn::status::view::slo::{BudgetUnit, SloView};

/// Checks a page of objectives and returns them.
pub(super) fn check(page: Value) -> Vec<SloView> {
    let page: ListView<SloView> =
        serde_json::from_value(page).expect("the API answers in the shape of its own types");
    assert!(!page.stale, "{page:?}");
    for slo in &page.items {
        assert_eq!(
            Some(slo.measurement.at),
            page.at,
            "one tick for all: {slo:?}"
        );
        assert_eq!(slo.window.to, slo.measurement.at, "{slo:?}");
        numbers(slo);
        alert(slo);
    }
    page.items
}

/// That an objective was measured at this tick, and all the while before it that its shortest window holds.
pub(super) fn measured(slo: &SloView) {
    let name = &slo.uid;
    assert_eq!(slo.measurement.outcome, Measured::Measured, "{slo:?}");
    assert!(slo.measured, "{name}");
    assert_eq!(slo.measurement.last_good_at, Some(slo.measurement.at));
    assert_eq!(slo.measurement.reason, None, "{name}");
    assert!(slo.window.total.0 > 0.0, "{name}");
    // A slice of 5 s counts once it is over, so that the last one of a window of 10 s may be missing.
    let least = match slo.budget.unit {
        BudgetUnit::Events => 0.9,
        BudgetUnit::Slices => 0.5,
    };
    let short = &slo.burn[&Length(Span::from_secs(10))];
    assert!(short.total.0 > 0.0 && short.coverage >= least, "{slo:?}");
}

fn numbers(slo: &SloView) {
    let (bad, total) = (slo.window.bad.0, slo.window.total.0);
    let allowance = 1.0 - slo.objective;
    same(slo, slo.window.ratio, bad / total);
    same(
        slo,
        slo.budget.allowed.map(|count| count.0),
        total * allowance,
    );
    same(slo, slo.budget.spent, bad / (total * allowance));
    same(slo, slo.budget.remaining, 1.0 - bad / (total * allowance));
    let slices = slo.budget.unit == BudgetUnit::Slices;
    assert_eq!(
        slices,
        matches!(slo.signal, SignalName::Traffic | SignalName::Saturation)
    );
    let kept = bad <= total * allowance;
    let compliance = if kept {
        Compliance::Met
    } else {
        Compliance::Breached
    };
    assert_eq!(slo.compliance, compliance, "{slo:?}");
    let mut wider = (0.0, 0.0);
    for burn in slo.burn.values() {
        if burn.total.0 > 0.0 {
            same(slo, burn.rate, burn.bad.0 / burn.total.0 / allowance);
        }
        assert!(burn.bad.0 >= wider.0 && burn.total.0 >= wider.1, "{slo:?}");
        wider = (burn.bad.0, burn.total.0);
    }
    assert!(bad >= wider.0 && total >= wider.1, "{slo:?}");
}

/// The loudest tier that fires is the alert, and there is an incident of just that severity.
fn alert(slo: &SloView) {
    let firing = slo.tiers.iter().filter(|tier| tier.firing);
    let loudest = firing.map(|tier| tier.severity).max();
    assert_eq!(
        slo.incident.as_ref().map(|incident| incident.severity),
        loudest,
        "{slo:?}"
    );
    if let Some(loudest) = loudest {
        assert_eq!(slo.alert, loudest, "{slo:?}");
    }
}

/// Up to rounding: the daemon counts in decimals where this does not.
fn same(slo: &SloView, said: Option<f64>, expected: f64) {
    let said = said.unwrap_or_else(|| panic!("{} has counts and so must know: {slo:?}", slo.uid));
    let close = (said - expected).abs() <= 1e-9 * expected.abs().max(1.0);
    assert!(close, "{said} is not {expected}: {slo:?}");
}
