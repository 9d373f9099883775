//! Values that no counter has: negative, infinite, or no number. They are passed over, and that is said.

use std::collections::BTreeMap;

use crate::domain::labels::{Labels, METRIC_NAME};
use crate::domain::time::Timestamp;
use crate::series::batch::Sample;
use crate::series::plan::{FamilyIndex, MeterIndex};
use crate::series::table::Layer;

use super::state::State;

/// Such values among the series of a family.
#[derive(Debug, Default)]
pub(super) struct Odd {
    /// The newest that would have counted towards the total of each meter.
    newest: BTreeMap<MeterIndex, Sample>,
    /// Whether somebody was told.
    is_told: bool,
}

impl Odd {
    /// Forgets which came when.
    pub(super) fn forget(&mut self) {
        self.newest.clear();
    }

    /// What there is to say of one that came after the last sample of a meter that counts.
    pub(super) fn after(
        &self,
        last: Option<Timestamp>,
        meter: MeterIndex,
        name: &str,
    ) -> Option<String> {
        let odd = self.newest.get(&meter);
        let odd = odd.filter(|odd| last.is_none_or(|last| odd.at > last))?;
        Some(sentence(name, *odd))
    }
}

impl State {
    /// Takes note of values of a family that were passed over in a layer: what the heads pass over is the newest. The
    /// first is logged, since nothing else tells of it while other series count.
    pub(super) fn note_odd(&mut self, family: FamilyIndex, layer: Layer, odd: &[(usize, Sample)]) {
        let planned = &self.plan.families[family];
        let state = &mut self.families[family];
        if layer == Layer::Head {
            state.odd.forget();
        }
        for (row, sample) in odd {
            let edges = state.table.edges_of(*row).iter();
            for edge in edges.filter(|edge| edge.weight.total > 0.0) {
                let newest = state.odd.newest.entry(edge.meter).or_insert(*sample);
                if newest.at < sample.at {
                    *newest = *sample;
                }
            }
        }
        let first = odd.first().filter(|_| !state.odd.is_told);
        let Some((row, sample)) = first else { return };
        state.odd.is_told = true;
        // Who only explains finds what the daemon has said.
        if self.traced.is_none()
            && let Some(labels) = state.table.labels(*row)
        {
            let metric = labels.get(METRIC_NAME);
            let others = labels.iter().filter(|(name, _)| *name != METRIC_NAME);
            let name = format!("{metric}{{{}}}", others.collect::<Labels>());
            tracing::warn!(source = %planned.source, series = %name, value = sample.value, "{}", sentence(&name, *sample));
        }
    }
}

fn sentence(name: &str, Sample { at, value }: Sample) -> String {
    format!(
        "`{name}` gave {value} at {at}: counters are numbers from zero on, so it does not count; correct what exposes it"
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Run, World, at, catalog, healthy, logged, requests};
    use crate::domain::measurement::Outcome;

    /// Requests of two codes, of which one shows `odd` for a while.
    fn world(odd: f64) -> World {
        let counter = |second: i64| Some(f64::from(i32::try_from(10_000 + second).unwrap()));
        World::new(15)
            .with("requests_total", "code=200", counter)
            .with("requests_total", "code=500", move |second| {
                if (600..900).contains(&second) {
                    Some(odd)
                } else {
                    counter(second)
                }
            })
    }

    #[test]
    fn a_series_that_shows_what_no_counter_does_is_told_of_once_while_others_count() {
        let mut said = String::new();
        for odd in [f64::NAN, f64::INFINITY, -1.0] {
            let (told, ()) = logged(|| {
                let mut run = Run::new(catalog(requests()));
                let before = run.ticks(&world(odd), 300, 570, healthy).window.counts.bad;
                let during = run.ticks(&world(odd), 570, 870, healthy);
                assert_eq!(during.measurement.outcome, Outcome::Measured);
                let after = run.ticks(&world(odd), 870, 1_800, healthy);
                assert_eq!(after.window.range.to, at(1_800));
                let counted = after.window.counts.bad - before;
                assert!((counted - 1_230.0).abs() < 1e-9, "{odd}: {counted}");
            });
            said += &told;
        }
        insta::assert_snapshot!(said, @r#"
        WARN sloburn::engine::odd: `requests_total{code="500",instance="i",job="a"}` gave NaN at 1970-01-01T00:10:00Z: counters are numbers from zero on, so it does not count; correct what exposes it source=default series=requests_total{code="500",instance="i",job="a"} value=NaN
        WARN sloburn::engine::odd: `requests_total{code="500",instance="i",job="a"}` gave inf at 1970-01-01T00:10:00Z: counters are numbers from zero on, so it does not count; correct what exposes it source=default series=requests_total{code="500",instance="i",job="a"} value=inf
        WARN sloburn::engine::odd: `requests_total{code="500",instance="i",job="a"}` gave -1 at 1970-01-01T00:10:00Z: counters are numbers from zero on, so it does not count; correct what exposes it source=default series=requests_total{code="500",instance="i",job="a"} value=-1.0
        "#);
    }
}
