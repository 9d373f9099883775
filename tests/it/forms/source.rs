//! The log as a source gives it out: samples, native histograms in Prometheus' own words, and a little PromQL.

use std::collections::BTreeMap;
use std::ops::Range;

use promql_parser::parser::{self, Expr};
use serde_json::{Value, json};
use sloburn::clock::Clock;
use sloburn::domain::labels::{Labels, METRIC_NAME};
use sloburn::domain::selector::Selector;
use sloburn::domain::slo::SourceName;
use sloburn::domain::time::{TimeRange, Timestamp};
use sloburn::promql::{CompiledMatchers, parse_selector};
use sloburn::series::batch::{Batch, Fetch, Sample};
use sloburn::source::Source;
use sloburn::source::error::{Failure, SourceError};
use sloburn::source::prometheus;

use super::log::{Log, MINUTE, Series};

/// The label of the log that tells the buckets of a native histogram apart: `n` ends at 2^n.
pub(super) const BUCKET: &str = "bucket";

/// The counts of buckets, by time and bucket.
type Points = BTreeMap<i64, BTreeMap<i32, i64>>;

/// An instant selector sees a sample for so long.
const LOOKBACK: i64 = 5 * MINUTE;

/// A source of what is in a log.
#[derive(Debug)]
pub(super) struct Prometheus {
    pub(super) log: &'static Log,
    pub(super) clock: Clock,
    /// When it does not answer.
    pub(super) down: Range<i64>,
    /// Samples of these times come so much later.
    pub(super) late: (Range<i64>, i64),
}

impl Source for Prometheus {
    async fn read(&self, fetch: &Fetch, range: TimeRange) -> Result<Batch, SourceError> {
        let now = Timestamp::from(self.clock.now()).as_millis();
        if self.down.contains(&now) {
            let reason = "connection refused".to_owned();
            return Err(SourceError {
                name: SourceName::new("default"),
                url: "http://prom:9090".into(),
                failure: Failure::Unreachable { reason },
            });
        }
        Ok(match fetch {
            Fetch::Samples(selector) => self.samples(selector, range, now),
            Fetch::Histograms { selector, .. } => {
                let body = self.histograms(selector, range, now).to_string();
                prometheus::answer(body.as_bytes(), fetch, range).expect("an answer")
            }
            Fetch::Expression { text, step } => {
                let expression = parser::parse(text).expect("PromQL");
                let mut values: BTreeMap<String, (Labels, Vec<Sample>)> = BTreeMap::new();
                let mut at = range.from.floor_to(*step) + *step;
                while at <= range.to {
                    for (labels, value) in self.evaluate(&expression, at.as_millis()) {
                        let series = values.entry(labels.to_string()).or_default();
                        series.0 = labels;
                        series.1.push(Sample { at, value });
                    }
                    at = at + *step;
                }
                values.into_values().collect()
            }
            Fetch::Sums(_) => panic!("nothing here is too large to be fetched"),
        })
    }
}

impl Prometheus {
    fn selected(&self, selector: &Selector) -> Vec<&Series> {
        let matchers = CompiledMatchers::of_selector(selector).expect("matchers");
        let series = self.log.series(&selector.metric);
        series.filter(|it| matchers.matches(&it.labels)).collect()
    }

    /// The samples of a series that are given out.
    fn given<'s>(
        &self,
        series: &'s Series,
        range: TimeRange,
        now: i64,
    ) -> impl Iterator<Item = (i64, i64)> + 's {
        let (late, by) = self.late.clone();
        let within = series.within(range.from.as_millis(), range.to.as_millis());
        within.iter().copied().filter(move |(at, _)| {
            let seen = if late.contains(at) { *at + by } else { *at };
            seen <= now
        })
    }

    fn samples(&self, selector: &Selector, range: TimeRange, now: i64) -> Batch {
        let of = |series: &&Series| {
            let samples = self
                .given(series, range, now)
                .map(|(at, value)| sample(at, number(value)));
            (series.labels.clone(), samples.collect())
        };
        self.selected(selector).iter().map(of).collect()
    }

    /// Native histograms as Prometheus prints them.
    fn histograms(&self, selector: &Selector, range: TimeRange, now: i64) -> Value {
        // Each series of the log is a bucket: time, then bucket, then count.
        let mut histograms: BTreeMap<String, (Labels, Points)> = BTreeMap::new();
        for series in self.selected(selector) {
            let labels = series.labels.iter().filter(|(name, _)| *name != BUCKET);
            let labels: Labels = labels.collect();
            let bucket: i32 = series.labels.get(BUCKET).parse().expect("a bucket");
            let histogram = histograms.entry(labels.to_string()).or_default();
            histogram.0 = labels;
            for (at, count) in self.given(series, range, now) {
                histogram.1.entry(at).or_default().insert(bucket, count);
            }
        }
        let point = |(at, buckets): (&i64, &BTreeMap<i32, i64>)| {
            let edge = |bucket: i32| 2.0_f64.powi(bucket).to_string();
            let bucket = |(number, count): (&i32, &i64)| {
                json!([0, edge(number - 1), edge(*number), count.to_string()])
            };
            let count: i64 = buckets.values().sum();
            let buckets: Vec<Value> = buckets.iter().map(bucket).collect();
            json!([number(*at) / 1_000.0, {"count": count.to_string(), "sum": "0", "buckets": buckets}])
        };
        let series = histograms.values().map(|(labels, points)| {
            let metric: BTreeMap<&str, &str> = labels.iter().collect();
            let points: Vec<Value> = points.iter().map(point).collect();
            json!({"metric": metric, "histograms": points})
        });
        let series: Vec<Value> = series.collect();
        json!({"status": "success", "data": {"resultType": "matrix", "result": series}})
    }

    /// What an expression is worth, by labels.
    fn evaluate(&self, expression: &Expr, at: i64) -> Vec<(Labels, f64)> {
        match expression {
            Expr::Paren(inner) => self.evaluate(&inner.expr, at),
            Expr::VectorSelector(selector) => {
                let of = |series: &Series| {
                    Some((unnamed(&series.labels), number(series.last(at, LOOKBACK)?)))
                };
                self.selected(&parse(&selector.to_string()))
                    .into_iter()
                    .filter_map(of)
                    .collect()
            }
            Expr::Call(call) if call.func.name == "increase" => {
                match call.args.args.first().map(|it| &**it) {
                    Some(Expr::MatrixSelector(matrix)) => {
                        let range = i64::try_from(matrix.range.as_millis()).unwrap();
                        let of = |series: &Series| {
                            Some((unnamed(&series.labels), number(grown(series, at, range)?)))
                        };
                        self.selected(&parse(&matrix.vs.to_string()))
                            .into_iter()
                            .filter_map(of)
                            .collect()
                    }
                    other => {
                        panic!("this source cannot take the increase of {other:?}; teach it to")
                    }
                }
            }
            Expr::Aggregate(sum) if sum.op.to_string() == "sum" && sum.modifier.is_none() => {
                let values = self.evaluate(&sum.expr, at);
                let sum = values.iter().map(|(_, value)| value).sum();
                (!values.is_empty())
                    .then_some((Labels::default(), sum))
                    .into_iter()
                    .collect()
            }
            Expr::Binary(division) if division.op.to_string() == "/" => match &*division.rhs {
                Expr::NumberLiteral(by) => {
                    let values = self.evaluate(&division.lhs, at).into_iter();
                    values
                        .map(|(labels, value)| (labels, value / by.val))
                        .collect()
                }
                other => panic!("this source cannot divide by {other:?}; teach it to"),
            },
            other => panic!("this source cannot evaluate `{other}`; teach it to"),
        }
    }
}

/// What a counter grew by, sample by sample; a server that extrapolates would only blur it.
fn grown(series: &Series, at: i64, range: i64) -> Option<i64> {
    let own = series.within(at - range, at);
    let before = series
        .samples
        .partition_point(|(time, _)| *time <= at - range);
    let mut last = before.checked_sub(1).map(|it| series.samples[it].1);
    let mut grown = 0;
    for (_, value) in own {
        grown += last.map_or(0, |last| if *value < last { *value } else { value - last });
        last = Some(*value);
    }
    (!own.is_empty()).then_some(grown)
}

fn parse(selector: &str) -> Selector {
    parse_selector(selector).expect("a selector")
}

fn unnamed(labels: &Labels) -> Labels {
    labels
        .iter()
        .filter(|(name, _)| *name != METRIC_NAME)
        .collect()
}

fn sample(at: i64, value: f64) -> Sample {
    Sample {
        at: Timestamp::from_millis(at),
        value,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and times here are far below 2^53"
)]
pub(super) fn number(value: i64) -> f64 {
    value as f64
}
