//! Tells what an indicator counts from what another one counts, over restarts and versions of this program.

mod slices;

use super::decimal::{Decimal, Fraction};
use super::indicator::{Events, Histogram, HistogramKind, Indicator, Split};
use super::quantity::TimeUnit;
use super::selector::{MatchOp, Matcher, Selector};
use super::slo::SourceName;
use super::time::Span;

/// The same for indicators that count the same of the same source, and different for others.
///
/// It is kept in stores, so it must never change for what people have already written: a field that
/// an indicator gains is taken in only where it is set to something else than what was meant before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Of counts that were kept before indicators were told apart.
    pub const UNKNOWN: Self = Self(0);

    /// The fingerprint of an indicator that reads `source`.
    pub fn of(indicator: &Indicator, source: &SourceName) -> Self {
        let mut digest = Digest::new();
        digest.text(source.as_str());
        digest.indicator(indicator);
        Self(digest.0.max(1))
    }

    /// A fingerprint that was kept.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// To be kept.
    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// FNV-1a over 64 bits: short, and the same for ever.
struct Digest(u64);

impl Digest {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// With its length, so that two texts are never taken for two others.
    fn text(&mut self, text: &str) {
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.bytes(&length.to_le_bytes());
        self.bytes(text.as_bytes());
    }

    fn indicator(&mut self, indicator: &Indicator) {
        match indicator {
            Indicator::Errors(events) => {
                self.text("errors");
                self.events(events);
            }
            Indicator::Latency(events) => {
                self.text("latency");
                self.events(events);
            }
            Indicator::Slices(sliced) => {
                self.text("slices");
                self.sliced(sliced);
            }
            Indicator::Query {
                total,
                split,
                window,
            } => {
                self.text("query");
                self.text(total);
                self.split(split, |digest, text: &String| digest.text(text));
                self.span(*window);
            }
        }
    }

    fn events(&mut self, events: &Events) {
        match events {
            Events::OfTotal { total, split } => {
                self.text("of total");
                self.selectors(total);
                self.split(split, |digest, selectors| digest.selectors(selectors));
            }
            Events::GoodAndBad { good, bad } => {
                self.text("good and bad");
                self.selectors(good);
                self.selectors(bad);
            }
            Events::Histogram(histogram) => self.histogram(histogram),
            Events::Probe(probe) => {
                self.text("probe");
                self.selector(&probe.series);
                if let Some(quorum) = probe.quorum {
                    self.text("quorum");
                    self.bad_when(quorum);
                }
            }
        }
    }

    fn histogram(&mut self, histogram: &Histogram) {
        self.text("histogram");
        self.selector(&histogram.series);
        self.decimal(histogram.at_most);
        match histogram.kind {
            HistogramKind::Classic => {}
            HistogramKind::Native => self.text("native"),
        }
        match histogram.unit {
            TimeUnit::Seconds => {}
            TimeUnit::Millis => self.text("ms"),
        }
        for other in &histogram.overrides {
            let mut conditions: Vec<&Matcher> = other.conditions.iter().collect();
            conditions.sort();
            self.text("override");
            self.count(conditions.len());
            for condition in conditions {
                self.matcher(condition);
            }
            self.decimal(other.at_most);
        }
    }

    /// Selectors whose events are added up, in whatever order they are written.
    fn selectors(&mut self, selectors: &[Selector]) {
        let mut sorted: Vec<&Selector> = selectors.iter().collect();
        sorted.sort();
        self.count(sorted.len());
        for selector in sorted {
            self.selector(selector);
        }
    }

    fn split<T>(&mut self, split: &Split<T>, one: impl Fn(&mut Self, &T)) {
        self.text(match split {
            Split::Bad(_) => "bad",
            Split::Good(_) => "good",
        });
        one(self, split.counted());
    }

    fn selector(&mut self, selector: &Selector) {
        self.text(&selector.metric);
        self.count(selector.matchers.len());
        for matcher in &selector.matchers {
            self.matcher(matcher);
        }
    }

    fn matcher(&mut self, matcher: &Matcher) {
        self.text(&matcher.label);
        self.text(match matcher.op {
            MatchOp::Equal => "=",
            MatchOp::NotEqual => "!=",
            MatchOp::Matches => "=~",
            MatchOp::NotMatches => "!~",
        });
        self.text(&matcher.value);
    }

    fn count(&mut self, count: usize) {
        self.bytes(&u64::try_from(count).unwrap_or(u64::MAX).to_le_bytes());
    }

    /// The number and not how it is written: 0.3 is 0.30.
    fn decimal(&mut self, decimal: Decimal) {
        self.fraction(decimal.fraction());
    }

    fn fraction(&mut self, fraction: Fraction) {
        self.bytes(&fraction.numerator().to_le_bytes());
        self.bytes(&fraction.denominator().to_le_bytes());
    }

    fn span(&mut self, span: Span) {
        self.bytes(&span.as_millis().to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::indicator::Override;
    use super::*;

    fn selector(metric: &str, matchers: &[(&str, &str)]) -> Selector {
        let one = |(label, value): &(&str, &str)| Matcher::equal(*label, *value);
        Selector::new(metric, matchers.iter().map(one).collect())
    }

    fn print(indicator: &Indicator) -> u64 {
        Fingerprint::of(indicator, &SourceName::new("default")).bits()
    }

    fn histogram(kind: HistogramKind, overrides: &[(&str, &str)]) -> Histogram {
        let one = |(value, at_most): &(&str, &str)| Override {
            conditions: vec![Matcher::equal("route", *value)],
            at_most: at_most.parse().unwrap(),
        };
        Histogram {
            kind,
            series: selector("duration_seconds_bucket", &[]),
            unit: TimeUnit::Seconds,
            at_most: "0.3".parse().unwrap(),
            overrides: overrides.iter().map(one).collect(),
        }
    }

    /// One of each kind, with the fingerprint that stores hold of it: these must never change.
    fn known() -> Vec<(Indicator, u64)> {
        vec![
            (
                Indicator::Errors(Events::OfTotal {
                    total: vec![selector("requests_total", &[("job", "shop")])],
                    split: Split::Bad(vec![selector("requests_total", &[("code", "500")])]),
                }),
                0x2234_1967_6878_976e,
            ),
            (
                Indicator::Errors(Events::OfTotal {
                    total: vec![selector("requests_total", &[("job", "shop")])],
                    split: Split::Good(vec![selector("requests_total", &[("code", "500")])]),
                }),
                0xeb95_ffb5_3c20_58d5,
            ),
            (
                Indicator::Latency(Events::Histogram(histogram(HistogramKind::Classic, &[]))),
                0xd3a7_0db5_f0d5_9188,
            ),
            (
                Indicator::Query {
                    total: "sum(increase(jobs_total[$window]))".to_owned(),
                    split: Split::Bad("sum(increase(failed_total[$window]))".to_owned()),
                    window: Span::from_mins(5),
                },
                0x2b79_20ec_9e16_7aa8,
            ),
        ]
    }

    #[test]
    fn fingerprints_are_the_same_for_ever() {
        let found: Vec<u64> = known().iter().map(|(it, _)| print(it)).collect();
        let expected: Vec<u64> = known().iter().map(|(_, it)| *it).collect();
        assert_eq!(found, expected, "stores would lose what they hold");
    }

    #[test]
    fn what_counts_something_else_has_another_fingerprint() {
        let errors = |total: Selector| {
            Indicator::Errors(Events::OfTotal {
                split: Split::Bad(vec![total.clone()]),
                total: vec![total],
            })
        };
        let sum = |of: [&str; 2]| {
            let selectors = || of.map(|metric| selector(metric, &[])).to_vec();
            Indicator::Errors(Events::GoodAndBad {
                good: selectors(),
                bad: Vec::new(),
            })
        };
        assert_eq!(print(&sum(["a", "b"])), print(&sum(["b", "a"])));
        let classic = HistogramKind::Classic;
        let histograms = [
            histogram(classic, &[]),
            histogram(HistogramKind::Native, &[]),
            histogram(classic, &[("/a", "1")]),
            histogram(classic, &[("/a", "2")]),
            // The first that holds counts.
            histogram(classic, &[("/a", "1"), ("/b", "2")]),
            histogram(classic, &[("/b", "2"), ("/a", "1")]),
            Histogram {
                unit: TimeUnit::Millis,
                ..histogram(classic, &[])
            },
        ];
        let mut prints = histograms.map(|it| print(&Indicator::Latency(Events::Histogram(it))));
        prints.sort_unstable();
        assert!(prints.windows(2).all(|pair| pair[0] != pair[1]));
        let one = print(&errors(selector("a", &[("b", "c"), ("d", "e")])));
        let same = print(&errors(selector(
            "a",
            &[("d", "e"), ("b", "c"), ("b", "c")],
        )));
        assert_eq!(one, same, "the order of matchers says nothing");
        for other in [
            selector("a", &[("b", "c")]),
            selector("a", &[("b", "cd"), ("", "e")]),
            selector("ab", &[("", "c"), ("d", "e")]),
        ] {
            assert_ne!(one, print(&errors(other)));
        }
        let elsewhere = Fingerprint::of(
            &errors(selector("a", &[("b", "c"), ("d", "e")])),
            &SourceName::new("other"),
        );
        assert_ne!(
            one,
            elsewhere.bits(),
            "another source counts something else"
        );
        let mut all: Vec<u64> = known().iter().map(|(it, _)| print(it)).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), known().len());
    }
}
