//! What judges of slices have in a fingerprint.

use super::super::indicator::Aggregate;
use super::super::quantity::{Bound, TimeUnit};
use super::super::slices::{BadWhen, Gauge, Grouped, Judge, MissingData, Sliced, WithinSlice};
use super::super::time::Span;
use super::Digest;

impl Digest {
    pub(super) fn sliced(&mut self, sliced: &Sliced) {
        self.judge(&sliced.judge);
        self.span(sliced.slice);
        match sliced.missing {
            MissingData::Hold => {}
            MissingData::Good => self.text("missing is good"),
            MissingData::Bad => self.text("missing is bad"),
        }
    }

    fn judge(&mut self, judge: &Judge) {
        match judge {
            Judge::Rate { total, bound } => {
                self.text("rate");
                self.selector(total);
                self.bound(*bound);
            }
            Judge::Drop {
                total,
                at_most,
                compared_to,
            } => {
                self.text("drop");
                self.selector(total);
                self.fraction(*at_most);
                self.count(compared_to.len());
                for span in compared_to {
                    self.span(*span);
                }
            }
            Judge::Events {
                events,
                signal,
                good,
            } => {
                self.text("events");
                self.events(events);
                self.text(signal.name());
                self.fraction(*good);
            }
            Judge::Share {
                used,
                limit,
                by,
                at_most,
                bad_when,
            } => {
                self.text("share");
                self.gauge(used);
                self.gauge(limit);
                self.texts(by);
                self.fraction(*at_most);
                self.bad_when(*bad_when);
            }
            Judge::Level {
                level,
                bound,
                within,
                bad_when,
            } => {
                self.text("level");
                self.grouped(level);
                self.bound(*bound);
                self.text(match within {
                    WithinSlice::Last => "last",
                    WithinSlice::Max => "max",
                    WithinSlice::Min => "min",
                    WithinSlice::Avg => "avg",
                });
                self.bad_when(*bad_when);
            }
            Judge::Quantile {
                quantile,
                at_most,
                unit,
                bad_when,
            } => {
                self.text("quantile");
                self.selector(quantile);
                self.decimal(*at_most);
                self.unit(*unit);
                self.bad_when(*bad_when);
            }
            Judge::Age {
                timestamp,
                unit,
                at_most,
                bad_when,
            } => {
                self.text("age");
                self.grouped(timestamp);
                self.unit(*unit);
                self.decimal(*at_most);
                self.bad_when(*bad_when);
            }
            Judge::Value {
                query,
                window,
                bound,
                bad_when,
            } => {
                self.expression("value", query, *window);
                self.bound(*bound);
                self.bad_when(*bad_when);
            }
            Judge::Ratio { query, window } => self.expression("ratio", query, *window),
        }
    }

    fn expression(&mut self, kind: &str, query: &str, window: Span) {
        self.text(kind);
        self.text(query);
        self.span(window);
    }

    /// The number and not its unit: half a second is 500 milliseconds.
    fn bound(&mut self, bound: Bound) {
        self.text(match bound {
            Bound::AtMost(_) => "at most",
            Bound::AtLeast(_) => "at least",
        });
        self.fraction(bound.quantity().value);
    }

    pub(super) fn bad_when(&mut self, bad_when: BadWhen) {
        match bad_when {
            BadWhen::Count(count) => {
                self.text("count");
                self.bytes(&count.to_le_bytes());
            }
            BadWhen::Share(share) => {
                self.text("share");
                self.fraction(share);
            }
        }
    }

    fn unit(&mut self, unit: TimeUnit) {
        self.text(match unit {
            TimeUnit::Seconds => "s",
            TimeUnit::Millis => "ms",
        });
    }

    fn gauge(&mut self, gauge: &Gauge) {
        self.selector(&gauge.series);
        self.text(match gauge.aggregate {
            Aggregate::Sum => "sum",
            Aggregate::Max => "max",
            Aggregate::Min => "min",
            Aggregate::Avg => "avg",
        });
    }

    fn grouped(&mut self, grouped: &Grouped) {
        self.gauge(&grouped.gauge);
        match &grouped.by {
            None => self.text("each"),
            Some(by) => {
                self.text("by");
                self.texts(by);
            }
        }
    }

    /// Labels, in whatever order they are written.
    fn texts(&mut self, texts: &[String]) {
        let mut sorted: Vec<&String> = texts.iter().collect();
        sorted.sort();
        self.count(sorted.len());
        for text in sorted {
            self.text(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::decimal::Fraction;
    use super::super::super::quantity::{Quantity, Unit};
    use super::super::super::selector::Selector;
    use super::super::super::time::Span;
    use super::*;

    fn print(sliced: &Sliced) -> u64 {
        let mut digest = Digest::new();
        digest.sliced(sliced);
        digest.0
    }

    /// One of each kind.
    fn kinds() -> Vec<Judge> {
        let series = || Selector::new("it", Vec::new());
        let gauge = |aggregate| Gauge {
            series: series(),
            aggregate,
        };
        let grouped = |by: Option<&str>| Grouped {
            gauge: gauge(Aggregate::Max),
            by: by.map(|label| vec![label.to_owned()]),
        };
        let bound = |value, unit| {
            Bound::AtMost(Quantity {
                value: Fraction::new(value, 2),
                unit,
            })
        };
        let query = || "sum(it)".to_owned();
        let window = Span::from_mins(5);
        vec![
            Judge::Rate {
                total: series(),
                bound: bound(10, Unit::PerSecond),
            },
            Judge::Rate {
                total: series(),
                bound: Bound::AtLeast(bound(10, Unit::PerSecond).quantity()),
            },
            Judge::Drop {
                total: series(),
                at_most: Fraction::new(2, 5),
                compared_to: vec![Span::from_days(7)],
            },
            Judge::Share {
                used: gauge(Aggregate::Max),
                limit: gauge(Aggregate::Min),
                by: vec!["pod".to_owned(), "container".to_owned()],
                at_most: Fraction::new(9, 10),
                bad_when: BadWhen::ANY,
            },
            Judge::Level {
                level: grouped(None),
                bound: bound(10, Unit::Plain),
                within: WithinSlice::Last,
                bad_when: BadWhen::Count(2),
            },
            Judge::Level {
                level: grouped(Some("pod")),
                bound: bound(10, Unit::Plain),
                within: WithinSlice::Max,
                bad_when: BadWhen::Share(Fraction::new(1, 10)),
            },
            Judge::Quantile {
                quantile: series(),
                at_most: "0.3".parse().unwrap(),
                unit: TimeUnit::Seconds,
                bad_when: BadWhen::ANY,
            },
            Judge::Age {
                timestamp: grouped(None),
                unit: TimeUnit::Millis,
                at_most: "3600".parse().unwrap(),
                bad_when: BadWhen::ANY,
            },
            Judge::Value {
                query: query(),
                window,
                bound: bound(1, Unit::Percent),
                bad_when: BadWhen::ANY,
            },
            Judge::Ratio {
                query: query(),
                window,
            },
        ]
    }

    fn of(judge: Judge) -> Sliced {
        Sliced {
            judge,
            slice: Span::from_mins(1),
            missing: MissingData::Hold,
        }
    }

    #[test]
    fn fingerprints_of_slices_are_the_same_for_ever_and_tell_all_kinds_apart() {
        let found: Vec<String> = kinds()
            .into_iter()
            .map(|judge| format!("{:016x}", print(&of(judge))))
            .collect();
        insta::assert_snapshot!(found.join("\n"), @"
        6452fbf288c066f7
        9908430725b9e5f6
        ae842f8128b0e68f
        8a229cbbeb4be35d
        edef1ce133d4ce2a
        226eaa7259f18e81
        180b625ddf707e8f
        10e685a270f87efc
        ff4ebad7aa90de29
        d0f592384dbdc8dc
        ");
        let mut all = Vec::new();
        for judge in kinds() {
            for slice in [1, 2] {
                for missing in [MissingData::Hold, MissingData::Good, MissingData::Bad] {
                    let slice = Span::from_mins(slice);
                    let judge = judge.clone();
                    all.push(print(&Sliced {
                        judge,
                        slice,
                        missing,
                    }));
                }
            }
        }
        let number = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), number);
    }

    #[test]
    fn units_and_the_order_of_labels_say_nothing() {
        let rate = |unit| {
            print(&of(Judge::Rate {
                total: Selector::new("it", Vec::new()),
                bound: Bound::AtMost(Quantity {
                    value: Fraction::new(10, 2),
                    unit,
                }),
            }))
        };
        assert_eq!(rate(Unit::PerSecond), rate(Unit::Plain));
        let share = |by: [&str; 2]| {
            let Some(Judge::Share {
                used,
                limit,
                at_most,
                bad_when,
                ..
            }) = kinds().into_iter().nth(3)
            else {
                panic!("another order of kinds");
            };
            print(&of(Judge::Share {
                used,
                limit,
                by: by.map(str::to_owned).to_vec(),
                at_most,
                bad_when,
            }))
        };
        assert_eq!(share(["pod", "container"]), share(["container", "pod"]));
    }
}
