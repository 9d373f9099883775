//! Events that an objective counts twice, because two of its selectors match the same series: said once, and shown until
//! something else is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::labels::{LabelsRef, METRIC_NAME};
use crate::series::batch::Fetch;
use crate::series::plan::{FamilyIndex, Judge, Lane, MeterIndex, Plan, Read, TermRead};
use crate::series::roll::is_event;
use crate::status::snapshot::Doubled;

use super::intake::Answer;
use super::state::State;

impl State {
    /// Every objective of which events are known to count twice.
    pub(super) fn doubled(&self) -> Vec<Doubled> {
        let doubled = self.meters.iter().filter_map(|meter| meter.doubled.clone());
        doubled.collect()
    }

    /// Says of which objectives series of a family of counters count twice, unless that was said before. A group counts
    /// what its objective does.
    pub(super) fn tell_doubled(&mut self, family: FamilyIndex) {
        let plan = Arc::clone(&self.plan);
        let roll = plan.roll(family);
        let mut found = Vec::new();
        let table = &self.families[family].table;
        for (meter, row) in table.doubled() {
            if self.may_tell_doubled(meter)
                && let Some(labels) = table.labels(row)
                && let Some(selectors) = roll.doubled_by(labels.into(), plan.meters[meter].of)
            {
                found.push((
                    meter,
                    selectors,
                    series(roll.family().metric(), labels.into()),
                ));
            }
        }
        for (meter, selectors, series) in found {
            self.note_doubled(meter, selectors, series);
        }
    }

    /// The same of events of which slices are judged: these are sorted anew at each tick.
    pub(super) fn tell_doubled_slices(
        &mut self,
        meter: MeterIndex,
        lane: &Lane,
        complete: &BTreeMap<FamilyIndex, Answer>,
    ) {
        if let Lane::Slices(slices) = lane
            && let Judge::Events { terms, .. } = &slices.judge
            && self.may_tell_doubled(meter)
            && let Some((selectors, series)) = doubled_of(&self.plan, terms, complete)
        {
            self.note_doubled(meter, selectors, series);
        }
    }

    fn may_tell_doubled(&self, meter: MeterIndex) -> bool {
        self.meters[meter].doubled.is_none() && self.plan.meters[meter].group().is_none()
    }

    fn note_doubled(&mut self, meter: MeterIndex, selectors: [String; 2], series: String) {
        let doubled = Doubled {
            slo: self.plan.meters[meter].slo.counted_as.clone(),
            selectors,
            series,
        };
        // Who only explains finds what the daemon has said.
        if self.traced.is_none() {
            let slo = &doubled.slo;
            tracing::warn!(%slo, "{doubled}");
        }
        self.meters[meter].doubled = Some(doubled);
    }
}

/// Two selectors of terms of the same side that match the same series, and that series.
fn doubled_of(
    plan: &Plan,
    terms: &[TermRead],
    complete: &BTreeMap<FamilyIndex, Answer>,
) -> Option<([String; 2], String)> {
    let side = |term: &TermRead| (term.read.family, is_event(term.weight));
    let pairs = terms.iter().enumerate().flat_map(|(number, one)| {
        let others = terms.iter().skip(number + 1);
        others
            .filter(move |other| side(one) == side(other))
            .map(move |other| (one, other))
    });
    for (one, other) in pairs {
        let family = &plan.families[one.read.family];
        let Some(sorted) = complete
            .get(&one.read.family)
            .and_then(|it| it.sorted.as_ref())
        else {
            continue;
        };
        let known: BTreeSet<usize> = sorted.placed(one.read.selector).map(|it| it.0).collect();
        let mut others = sorted.placed(other.read.selector);
        let Some((_, both)) = others.find(|(position, _)| known.contains(position)) else {
            continue;
        };
        let text = |read: Read| {
            let selector = family.selectors.selector(read.selector)?;
            Some(Fetch::Samples(selector.clone()).text())
        };
        let selectors = [text(one.read)?, text(other.read)?];
        return Some((selectors, series(family.metric(), both.labels)));
    }
    None
}

/// A series as a selector shows it.
fn series(metric: &str, labels: LabelsRef<'_>) -> String {
    let names = labels.iter().map(|(name, _)| name);
    let names: Vec<String> = names
        .filter(|it| *it != METRIC_NAME)
        .map(str::to_owned)
        .collect();
    format!("{metric}{{{}}}", labels.only(&names))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Run, catalog, healthy, logged, requests, selector, shop};
    use crate::domain::decimal::Fraction;
    use crate::domain::indicator::{Events, Indicator, Signal};
    use crate::domain::selector::{MatchOp, Matcher};
    use crate::domain::slices::{Judge as Defined, MissingData, Sliced};
    use crate::domain::time::Span;

    /// What is said while this is counted, with a reload in the midst of it, and shown in the end.
    fn said(indicator: &Indicator) -> String {
        let (said, last) = logged(|| {
            let mut run = Run::new(catalog(indicator.clone()));
            run.ticks(&shop(0, 600, 2), 600, 900, healthy);
            run.reload(catalog(indicator.clone()));
            run.ticks(&shop(0, 600, 2), 900, 1_800, healthy);
            run.last
        });
        let doubled = last.unwrap().doubled;
        let shown: Vec<String> = doubled.iter().map(ToString::to_string).collect();
        assert_eq!(said.lines().count(), shown.len(), "{said}");
        said + &shown.join("\n")
    }

    #[test]
    fn selectors_that_match_the_same_series_are_told_of_once() {
        let coded = |op, value: &str| {
            let label = "code".to_owned();
            let value = value.to_owned();
            selector("requests_total").refined([Matcher { label, op, value }])
        };
        let of = |good: MatchOp, value: &str| {
            Indicator::Errors(Events::GoodAndBad {
                good: vec![coded(good, value)],
                bad: vec![coded(MatchOp::Matches, "5..")],
            })
        };
        insta::assert_snapshot!(said(&of(MatchOp::NotMatches, "4..")), @r#"
         WARN sloburn::engine::doubled: shop/it counts events twice: `requests_total{code!~"4.."}` and `requests_total{code=~"5.."}` both select requests_total{code="500",instance="i",job="a"}; let them exclude each other, as `sloburn check --live` tells slo=shop/it
        shop/it counts events twice: `requests_total{code!~"4.."}` and `requests_total{code=~"5.."}` both select requests_total{code="500",instance="i",job="a"}; let them exclude each other, as `sloburn check --live` tells
        "#);
        assert_eq!(said(&of(MatchOp::NotMatches, "[45]..")), "");
        // What is bad counts as an event too, and only as one.
        assert_eq!(said(&requests()), "");
        // Of slices of events the same is said.
        let sliced = |indicator: Indicator| {
            let Indicator::Errors(events) = indicator else {
                panic!("not of events")
            };
            Indicator::Slices(Sliced {
                judge: Defined::Events {
                    events,
                    signal: Signal::Errors,
                    good: Fraction::new(97, 100),
                },
                slice: Span::from_mins(1),
                missing: MissingData::Hold,
            })
        };
        let of_slices = |op, value| said(&sliced(of(op, value)));
        insta::assert_snapshot!(of_slices(MatchOp::NotMatches, "4.."), @r#"
         WARN sloburn::engine::doubled: shop/it counts events twice: `requests_total{code!~"4.."}` and `requests_total{code=~"5.."}` both select requests_total{code="500",instance="i",job="a"}; let them exclude each other, as `sloburn check --live` tells slo=shop/it
        shop/it counts events twice: `requests_total{code!~"4.."}` and `requests_total{code=~"5.."}` both select requests_total{code="500",instance="i",job="a"}; let them exclude each other, as `sloburn check --live` tells
        "#);
        assert_eq!(of_slices(MatchOp::NotMatches, "[45].."), "");
        assert_eq!(said(&sliced(requests())), "");
    }
}
