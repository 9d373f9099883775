//! A source in closed form: every exposed metric, scraped every 15 seconds, and the little PromQL that is shipped.

use std::time::Duration;

use promql_parser::parser::{self, Expr};
use sloburn::domain::labels::{Labels, METRIC_NAME};
use sloburn::domain::selector::Selector;
use sloburn::domain::time::{Span, TimeRange, Timestamp};
use sloburn::promql::{CompiledMatchers, parse_selector};
use sloburn::series::batch::{Batch, Fetch, Sample};
use sloburn::source::Source;
use sloburn::source::error::SourceError;

use super::exposed::{EXPOSED, Exposed, Kind};

const SCRAPE: Span = Span::from_secs(15);

/// Scrapes do not fall on the grid of ticks.
const PHASE: Span = Span::from_secs(4);

/// The world of all exporters. Everything in it has run for an hour at the first tick.
#[derive(Debug)]
pub(super) struct World {
    begun: Timestamp,
    series: Vec<(Labels, Course)>,
}

#[derive(Clone, Copy, Debug)]
enum Course {
    Grows { per_second: f64 },
    Stays { at: f64 },
    Follows { seconds_behind: f64 },
}

impl World {
    pub(super) fn new(first_tick: Timestamp) -> Self {
        Self {
            begun: first_tick - Span::from_hours(1),
            series: EXPOSED.iter().flat_map(series_of).collect(),
        }
    }

    fn value(&self, course: Course, at: Timestamp) -> f64 {
        match course {
            Course::Grows { per_second } => {
                (per_second * at.since(self.begun).as_secs_f64()).floor()
            }
            Course::Stays { at } => at,
            Course::Follows { seconds_behind } => {
                at.since(Timestamp::from_millis(0)).as_secs_f64() - seconds_behind
            }
        }
    }

    fn selected(&self, selector: &Selector) -> Vec<&(Labels, Course)> {
        let matchers =
            CompiledMatchers::of_selector(selector).expect("a selector that can be matched");
        self.series
            .iter()
            .filter(|(labels, _)| matchers.matches(labels))
            .collect()
    }

    fn samples(&self, selector: &Selector, range: TimeRange) -> Batch {
        let mut scrapes = Vec::new();
        let mut at = (range.from - PHASE).floor_to(SCRAPE) + SCRAPE + PHASE;
        while at <= range.to {
            scrapes.push(at);
            at = at + SCRAPE;
        }
        let series = self.selected(selector).into_iter().map(|(labels, course)| {
            let sample = |at: &Timestamp| Sample {
                at: *at,
                value: self.value(*course, *at),
            };
            (labels.clone(), scrapes.iter().map(sample).collect())
        });
        series.collect()
    }

    /// What an expression is worth; `None` where it selects nothing.
    fn evaluate(&self, expression: &Expr, at: Timestamp) -> Option<f64> {
        match expression {
            Expr::Paren(inner) => self.evaluate(&inner.expr, at),
            Expr::Aggregate(sum) if sum.op.to_string() == "sum" && sum.modifier.is_none() => {
                self.evaluate(&sum.expr, at)
            }
            Expr::Binary(sum) if sum.op.to_string() == "+" => {
                Some(self.evaluate(&sum.lhs, at)? + self.evaluate(&sum.rhs, at)?)
            }
            // Whether there are native histograms of a name: nothing here has any.
            Expr::Call(call) if call.func.name == "label_replace" => None,
            Expr::Call(call) if call.func.name == "increase" => {
                match call.args.args.first().map(|argument| &**argument) {
                    Some(Expr::MatrixSelector(matrix)) => {
                        self.increase(&matrix.vs.to_string(), matrix.range, at)
                    }
                    other => {
                        panic!("this world cannot take the increase of {other:?}; teach it to")
                    }
                }
            }
            other => panic!("this world cannot evaluate `{other}`; teach it to"),
        }
    }

    /// The sum over all selected series; their own sum is all that is shipped.
    fn increase(&self, selector: &str, range: Duration, at: Timestamp) -> Option<f64> {
        let selected = self.selected(&parse_selector(selector).expect("a selector"));
        let growth = |(_, course): &&(Labels, Course)| {
            self.value(*course, at) - self.value(*course, at - Span::from(range))
        };
        (!selected.is_empty()).then(|| selected.iter().map(growth).sum())
    }
}

impl Source for World {
    async fn read(&self, fetch: &Fetch, range: TimeRange) -> Result<Batch, SourceError> {
        Ok(match fetch {
            Fetch::Samples(selector) => self.samples(selector, range),
            Fetch::Histograms { .. } => panic!("nothing here has native histograms"),
            Fetch::Expression { text, step } => {
                let expression = parser::parse(text).expect("PromQL");
                let mut samples = Vec::new();
                let mut at = range.from.floor_to(*step) + *step;
                while at <= range.to {
                    samples.extend(
                        self.evaluate(&expression, at)
                            .map(|value| Sample { at, value }),
                    );
                    at = at + *step;
                }
                [(Labels::default(), samples)].into_iter().collect()
            }
            Fetch::Sums(_) => Batch::default(),
        })
    }
}

/// All series of one metric; a histogram has several metrics.
fn series_of(exposed: &Exposed) -> Vec<(Labels, Course)> {
    let labels = |suffix: &str, own: &str, le: &str| -> Labels {
        let pairs = [exposed.shared, own]
            .into_iter()
            .flat_map(|text| text.split(','));
        let pairs = pairs
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let metric = format!("{}{suffix}", exposed.metric);
        pairs
            .chain([
                (METRIC_NAME.to_owned(), metric),
                ("le".to_owned(), le.to_owned()),
            ])
            .collect()
    };
    let mut all = Vec::new();
    for (own, number) in exposed.series {
        let (number, grows) = (*number, |per_second| Course::Grows { per_second });
        match exposed.kind {
            Kind::Counter => all.push((labels("", own, ""), grows(number))),
            Kind::Gauge => all.push((labels("", own, ""), Course::Stays { at: number })),
            Kind::Age => {
                let seconds_behind = number;
                all.push((labels("", own, ""), Course::Follows { seconds_behind }));
            }
            Kind::Histogram(boundaries) => {
                let mut rest = number;
                // Half of what is left lies above each boundary.
                for le in boundaries {
                    rest = if *le == "+Inf" { 0.0 } else { rest / 2.0 };
                    all.push((labels("_bucket", own, le), grows(number - rest)));
                }
                all.push((labels("_count", own, ""), grows(number)));
                all.push((labels("_sum", own, ""), grows(number / 100.0)));
            }
        }
    }
    all
}
