//! Events that an objective counts twice, because two of its selectors match the same series: said once.

use std::sync::Arc;

use crate::domain::labels::{Labels, METRIC_NAME};
use crate::series::plan::FamilyIndex;

use super::state::State;

impl State {
    /// Says of which objectives series of a family count twice, unless that was said before. A group
    /// counts what its objective does.
    pub(super) fn tell_doubled(&mut self, family: FamilyIndex) {
        let plan = Arc::clone(&self.plan);
        let roll = plan.roll(family);
        let table = &self.families[family].table;
        for (meter, row) in table.doubled() {
            let (planned, state) = (&plan.meters[meter], &mut self.meters[meter]);
            let labels = table.labels(row).filter(|_| planned.group().is_none());
            let Some(labels) = labels.filter(|_| !state.is_doubled) else {
                continue;
            };
            state.is_doubled = true;
            // Who only explains finds what the daemon has said.
            if let (None, Some([one, other])) =
                (self.traced, roll.doubled_by(labels.into(), planned.of))
            {
                let slo = &planned.slo.counted_as;
                let metric = roll.family().metric();
                let labels = labels.iter().filter(|(name, _)| *name != METRIC_NAME);
                let labels: Labels = labels.collect();
                tracing::warn!(%slo, "{slo} counts events twice: `{one}` and `{other}` both select {metric}{{{labels}}}; let them exclude each other, as `sloburn check --live` tells");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use super::super::tests::{Run, catalog, healthy, requests, selector, shop};
    use super::*;
    use crate::domain::indicator::{Events, Indicator};
    use crate::domain::selector::{MatchOp, Matcher};

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is said while this is counted, with a reload in the midst of it.
    fn said(indicator: &Indicator) -> String {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .without_time()
            .with_max_level(tracing::Level::WARN)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let mut run = Run::new(catalog(indicator.clone()));
            run.ticks(&shop(0, 600, 2), 0, 900, healthy);
            run.reload(catalog(indicator.clone()));
            run.ticks(&shop(0, 600, 2), 900, 1_800, healthy);
        });
        String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
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
        insta::assert_snapshot!(said(&of(MatchOp::NotMatches, "4..")), @r#" WARN sloburn::engine::doubled: shop/it counts events twice: `requests_total{code!~"4.."}` and `requests_total{code=~"5.."}` both select requests_total{code="500",instance="i",job="a"}; let them exclude each other, as `sloburn check --live` tells slo=shop/it"#);
        assert_eq!(said(&of(MatchOp::NotMatches, "[45]..")), "");
        // What is bad counts as an event too, and only as one.
        assert_eq!(said(&requests()), "");
    }
}
