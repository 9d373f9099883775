//! The query that answers, in a graph, what an objective judges: the share that is bad, a rate, or a gauge.

use crate::domain::indicator::{Aggregate, Events, Histogram, HistogramKind, Indicator, Split};
use crate::domain::quantity::TimeUnit;
use crate::domain::selector::{MatchOp, Matcher, Selector};
use crate::domain::slices::{Gauge, Grouped, Judge};
use crate::domain::slo::Slo;
use crate::domain::time::Span;
use crate::series::batch::Fetch;
use crate::series::boundary::LE;

/// PromQL for what `slo` judges, of its group alone where it has one. Expressions stay as they were written.
pub(super) fn query(slo: &Slo) -> String {
    let group = slo.group.iter();
    let group = group.map(|(name, value)| matcher(name, MatchOp::Equal, value));
    let own = Own(group.collect());
    match &slo.indicator {
        Indicator::Errors(events) | Indicator::Latency(events) => own.bad_share(events),
        Indicator::Query {
            total,
            split,
            window,
        } => {
            let total = evaluated(total, *window);
            let part = evaluated(split.counted(), *window);
            share(split, &format!("({part})"), &format!("({total})"))
        }
        Indicator::Slices(sliced) => match &sliced.judge {
            Judge::Rate { total, .. } | Judge::Drop { total, .. } => own.rate(total),
            Judge::Events { events, .. } => own.bad_share(events),
            Judge::Share {
                used, limit, by, ..
            } => {
                format!("{} / {}", own.grouped(used, by), own.grouped(limit, by))
            }
            Judge::Level { level, .. } => own.level(level),
            Judge::Quantile { quantile, .. } => own.samples(quantile),
            Judge::Age {
                timestamp, unit, ..
            } => match unit {
                TimeUnit::Seconds => format!("time() - {}", own.level(timestamp)),
                TimeUnit::Millis => format!("time() - {} / 1000", own.level(timestamp)),
            },
            Judge::Value { query, window, .. } | Judge::Ratio { query, window } => {
                evaluated(query, *window)
            }
        },
    }
}

/// The conditions of a group, which all of its selectors get.
struct Own(Vec<Matcher>);

impl Own {
    fn samples(&self, selector: &Selector) -> String {
        Fetch::Samples(selector.refined(self.0.iter().cloned())).text()
    }

    fn rate(&self, selector: &Selector) -> String {
        format!("sum({})", self.each_rate(selector))
    }

    fn each_rate(&self, selector: &Selector) -> String {
        format!("rate({}[5m])", self.samples(selector))
    }

    /// The rate of all of them together; where one has no series, it adds nothing.
    fn rates(&self, selectors: &[Selector]) -> String {
        sum(selectors.iter().map(|selector| self.rate(selector)))
    }

    /// The share of the events that is bad.
    fn bad_share(&self, events: &Events) -> String {
        match events {
            Events::OfTotal { total, split } => {
                let all = match total.as_slice() {
                    [only] => self.rate(only),
                    several => self.rates(several),
                };
                share(split, &self.rates(split.counted()), &all)
            }
            Events::GoodAndBad { good, bad } => {
                let (good, bad) = (self.rates(good), self.rates(bad));
                format!("{bad} / ({good} + {bad})")
            }
            Events::Histogram(histogram) => self.too_slow(histogram),
            Events::Probe(probe) => format!("1 - avg({})", self.samples(&probe.series)),
        }
    }

    /// The share of a histogram's events that took longer than they may.
    fn too_slow(&self, histogram: &Histogram) -> String {
        let (mut quick, mut all) = (Vec::new(), Vec::new());
        for threshold in histogram.thresholds() {
            let at_most = threshold.at_most.to_string();
            for selector in &threshold.selectors {
                match histogram.kind {
                    HistogramKind::Classic => {
                        let bucket = |le| self.rate(&selector.refined([le]));
                        quick.push(bucket(spelled(&at_most)));
                        all.push(bucket(matcher(LE, MatchOp::Equal, "+Inf")));
                    }
                    HistogramKind::Native => {
                        let rate = self.rate(selector);
                        quick.push(format!(
                            "histogram_fraction(0, {at_most}, {rate}) * histogram_count({rate})"
                        ));
                        all.push(format!("histogram_count({rate})"));
                    }
                }
            }
        }
        format!("1 - {} / {}", sum(quick), sum(all))
    }

    fn level(&self, level: &Grouped) -> String {
        match &level.by {
            Some(by) => self.grouped(&level.gauge, by),
            None => self.samples(&level.gauge.series),
        }
    }

    /// A gauge as it is put together before it is judged.
    fn grouped(&self, gauge: &Gauge, by: &[String]) -> String {
        let aggregate = match gauge.aggregate {
            Aggregate::Sum => "sum",
            Aggregate::Max => "max",
            Aggregate::Min => "min",
            Aggregate::Avg => "avg",
        };
        let by = by.join(", ");
        format!("{aggregate} by ({by}) ({})", self.samples(&gauge.series))
    }
}

/// The bad share, of what is bad or of what is good.
fn share<T>(split: &Split<T>, part: &str, all: &str) -> String {
    match split {
        Split::Bad(_) => format!("{part} / {all}"),
        Split::Good(_) => format!("1 - {part} / {all}"),
    }
}

/// All together; what has no series adds nothing.
fn sum(parts: impl IntoIterator<Item = String>) -> String {
    let parts = parts
        .into_iter()
        .map(|part| format!("({part} or vector(0))"));
    let parts: Vec<String> = parts.collect();
    match parts.as_slice() {
        [only] => only.clone(),
        several => format!("({})", several.join(" + ")),
    }
}

/// The bucket with this boundary, as Prometheus 2 and 3 spell it.
fn spelled(boundary: &str) -> Matcher {
    if boundary.contains('.') {
        matcher(LE, MatchOp::Equal, boundary)
    } else {
        matcher(LE, MatchOp::Matches, &format!("{boundary}(\\.0)?"))
    }
}

fn matcher(label: &str, op: MatchOp, value: &str) -> Matcher {
    Matcher {
        label: label.into(),
        op,
        value: value.into(),
    }
}

fn evaluated(query: &str, window: Span) -> String {
    query.replace("$window", &window.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::decimal::Fraction;
    use crate::domain::group::Group;
    use crate::domain::quantity::{Bound, Quantity, Unit};
    use crate::domain::slices::{BadWhen, MissingData, Sliced, WithinSlice};
    use crate::engine::tests::{catalog, requests, selector};

    fn gauge(metric: &str, aggregate: Aggregate) -> Gauge {
        Gauge {
            series: selector(metric),
            aggregate,
        }
    }

    fn sliced(judge: Judge) -> Indicator {
        Indicator::Slices(Sliced {
            judge,
            slice: Span::from_mins(1),
            missing: MissingData::Hold,
        })
    }

    fn latency(kind: HistogramKind, at_most: &str) -> Indicator {
        let series = match kind {
            HistogramKind::Classic => "seconds_bucket",
            HistogramKind::Native => "seconds",
        };
        Indicator::Latency(Events::Histogram(Histogram {
            kind,
            series: selector(series),
            unit: TimeUnit::Seconds,
            at_most: at_most.parse().unwrap(),
            overrides: Vec::new(),
        }))
    }

    #[test]
    fn a_graph_shows_what_is_judged() {
        let bound = Bound::AtMost(Quantity {
            value: Fraction::new(9, 10),
            unit: Unit::Plain,
        });
        let level = |by: Option<&str>| Judge::Level {
            level: Grouped {
                gauge: gauge("queue", Aggregate::Sum),
                by: by.map(|by| vec![by.to_owned()]),
            },
            bound,
            within: WithinSlice::Last,
            bad_when: BadWhen::ANY,
        };
        let shares = Judge::Share {
            used: gauge("used", Aggregate::Max),
            limit: gauge("limit", Aggregate::Min),
            by: vec!["pod".into()],
            at_most: Fraction::new(9, 10),
            bad_when: BadWhen::ANY,
        };
        let both = Indicator::Errors(Events::GoodAndBad {
            good: vec![selector("good")],
            bad: vec![selector("bad"), selector("worse")],
        });
        let estimated = Indicator::Query {
            total: "sum(increase(jobs[$window]))".into(),
            split: Split::Good("sum(increase(done[$window]))".into()),
            window: Span::from_mins(5),
        };
        let rate = Judge::Rate {
            total: selector("requests_total"),
            bound,
        };
        let told = [
            requests(),
            both,
            latency(HistogramKind::Classic, "0.3"),
            latency(HistogramKind::Classic, "1"),
            latency(HistogramKind::Native, "0.3"),
            estimated,
            sliced(rate),
            sliced(shares),
            sliced(level(Some("pod"))),
            sliced(level(None)),
        ]
        .map(|indicator| {
            let slo = catalog(indicator).slos.into_values().next().unwrap();
            let group: Group = [("route", "/pay")].into_iter().collect();
            let of_one = slo.of_group(group, slo.objective);
            format!("{}\n  {}", query(&slo), query(&of_one))
        });
        insta::assert_snapshot!(told.join("\n"), @r#"
        (sum(rate(requests_total{code=~"5.."}[5m])) or vector(0)) / sum(rate(requests_total[5m]))
          (sum(rate(requests_total{code=~"5..",route="/pay"}[5m])) or vector(0)) / sum(rate(requests_total{route="/pay"}[5m]))
        ((sum(rate(bad[5m])) or vector(0)) + (sum(rate(worse[5m])) or vector(0))) / ((sum(rate(good[5m])) or vector(0)) + ((sum(rate(bad[5m])) or vector(0)) + (sum(rate(worse[5m])) or vector(0))))
          ((sum(rate(bad{route="/pay"}[5m])) or vector(0)) + (sum(rate(worse{route="/pay"}[5m])) or vector(0))) / ((sum(rate(good{route="/pay"}[5m])) or vector(0)) + ((sum(rate(bad{route="/pay"}[5m])) or vector(0)) + (sum(rate(worse{route="/pay"}[5m])) or vector(0))))
        1 - (sum(rate(seconds_bucket{le="0.3"}[5m])) or vector(0)) / (sum(rate(seconds_bucket{le="+Inf"}[5m])) or vector(0))
          1 - (sum(rate(seconds_bucket{le="0.3",route="/pay"}[5m])) or vector(0)) / (sum(rate(seconds_bucket{le="+Inf",route="/pay"}[5m])) or vector(0))
        1 - (sum(rate(seconds_bucket{le=~"1(\\.0)?"}[5m])) or vector(0)) / (sum(rate(seconds_bucket{le="+Inf"}[5m])) or vector(0))
          1 - (sum(rate(seconds_bucket{le=~"1(\\.0)?",route="/pay"}[5m])) or vector(0)) / (sum(rate(seconds_bucket{le="+Inf",route="/pay"}[5m])) or vector(0))
        1 - (histogram_fraction(0, 0.3, sum(rate(seconds[5m]))) * histogram_count(sum(rate(seconds[5m]))) or vector(0)) / (histogram_count(sum(rate(seconds[5m]))) or vector(0))
          1 - (histogram_fraction(0, 0.3, sum(rate(seconds{route="/pay"}[5m]))) * histogram_count(sum(rate(seconds{route="/pay"}[5m]))) or vector(0)) / (histogram_count(sum(rate(seconds{route="/pay"}[5m]))) or vector(0))
        1 - (sum(increase(done[5m]))) / (sum(increase(jobs[5m])))
          1 - (sum(increase(done[5m]))) / (sum(increase(jobs[5m])))
        sum(rate(requests_total[5m]))
          sum(rate(requests_total{route="/pay"}[5m]))
        max by (pod) (used) / min by (pod) (limit)
          max by (pod) (used{route="/pay"}) / min by (pod) (limit{route="/pay"})
        sum by (pod) (queue)
          sum by (pod) (queue{route="/pay"})
        queue
          queue{route="/pay"}
        "#);
    }
}
