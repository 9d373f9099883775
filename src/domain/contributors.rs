//! Contributors: which label values most of the bad events came from.

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::labels::{Labels, METRIC_NAME};

/// So many values of a label are told apart at most, and so many of them are named.
const MOST_VALUES: usize = 10_000;
const NAMED: usize = 5;

/// The label by which the buckets of a histogram differ, which tells nothing of where an event came from.
pub const BUCKET: &str = "le";

/// How many values each label has among the series of an instance.
#[derive(Clone, Debug, Default)]
pub struct Variety(BTreeMap<Box<str>, HashSet<u64>>);

impl Variety {
    /// Takes note of a series.
    pub fn add(&mut self, labels: &Labels) {
        for (label, value) in labels {
            if label == METRIC_NAME || label == BUCKET {
                continue;
            }
            let mut hasher = DefaultHasher::new();
            value.hash(&mut hasher);
            let hash = hasher.finish();
            match self.0.get_mut(label) {
                Some(values) if values.len() < MOST_VALUES => _ = values.insert(hash),
                Some(_) => {}
                None => _ = self.0.insert(label.into(), HashSet::from([hash])),
            }
        }
    }

    /// How many values a label has; 0 when no series has it.
    pub fn values(&self, label: &str) -> usize {
        self.0.get(label).map_or(0, HashSet::len)
    }
}

/// How the bad events of a window are spread over the values of one label.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelShare {
    /// The label.
    pub label: String,
    /// How many values it has among all series of the instance; at least 2.
    pub values: usize,
    /// The values with the most bad events, the most first; never empty.
    pub top: Vec<ValueShare>,
}

/// One value's part of the bad events.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueShare {
    /// The value.
    pub value: String,
    /// The bad events of its series.
    pub bad: f64,
    /// Their share (0..1) of all bad events of the window.
    pub share: f64,
}

impl LabelShare {
    /// The value that stands out, if one does: whose share is nearer to all than to an even one.
    pub fn outstanding(&self) -> Option<&ValueShare> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "values are counted in thousands"
        )]
        let even = 1.0 / self.values as f64;
        let first = self.top.first()?;
        (first.share > f64::midpoint(even, 1.0)).then_some(first)
    }
}

/// How bad events, given by the series that they came from, are spread over the labels that tell
/// the series of the instance apart; the label with the greatest share of one value first.
///
/// A label that all series share tells nothing and is left out.
pub fn contributors(
    bad: &BTreeMap<Labels, f64>,
    values: impl Fn(&str) -> usize,
) -> Vec<LabelShare> {
    let all: f64 = bad.values().sum();
    // How many values a label has, and the bad events of each; the latter only where it tells series apart.
    let mut labels: BTreeMap<&str, (usize, BTreeMap<&str, f64>)> = BTreeMap::new();
    for (series, events) in bad {
        for (label, value) in series {
            let new = || (values(label), BTreeMap::new());
            let (count, by_value) = labels.entry(label).or_insert_with(new);
            if *count > 1 {
                *by_value.entry(value).or_default() += events;
            }
        }
    }
    let share = |(label, (values, by_value)): (&str, (usize, BTreeMap<&str, f64>))| {
        let mut top: Vec<(&str, f64)> =
            by_value.into_iter().filter(|(_, bad)| *bad > 0.0).collect();
        top.sort_by(|(a, more), (b, less)| less.total_cmp(more).then_with(|| a.cmp(b)));
        top.truncate(NAMED);
        let of_all = |(value, bad): (&str, f64)| ValueShare {
            value: value.to_owned(),
            bad,
            share: bad / all,
        };
        LabelShare {
            label: label.to_owned(),
            values,
            top: top.into_iter().map(of_all).collect(),
        }
    };
    let telling = labels.into_iter().filter(|(_, (values, _))| *values > 1);
    let shares = telling.map(share).filter(|it| !it.top.is_empty());
    let mut shares: Vec<LabelShare> = shares.collect();
    shares.sort_by(|a, b| b.top[0].share.total_cmp(&a.top[0].share));
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Labels {
        text.split(',')
            .filter_map(|pair| pair.split_once('='))
            .collect()
    }

    /// The shares that come of series with their bad events, as `label=value 81%` where one stands
    /// out, else `label even (how many)`.
    fn told(series: &[(&str, f64)]) -> String {
        let mut variety = Variety::default();
        for (text, _) in series {
            variety.add(&labels(text));
        }
        let bad = series.iter().filter(|(_, bad)| *bad > 0.0);
        let bad = bad.map(|(text, bad)| (labels(text), *bad)).collect();
        let shares = contributors(&bad, |label| variety.values(label));
        let tell = |it: &LabelShare| match it.outstanding() {
            Some(ValueShare { value, share, .. }) => {
                format!("{}={value} {:.0}%", it.label, share * 100.0)
            }
            None => format!("{} even ({})", it.label, it.values),
        };
        shares.iter().map(tell).collect::<Vec<_>>().join(" · ")
    }

    #[test]
    fn a_value_stands_out_or_its_label_is_even() {
        for (series, expected) in [
            // What all share tells nothing.
            (
                &[
                    ("job=a,code=200,route=/pay", 0.0),
                    ("job=a,code=503,route=/pay", 81.0),
                    ("job=a,code=500,route=/list", 6.0),
                    ("job=a,code=503,route=/list", 13.0),
                    ("job=a,code=200,route=/cart", 0.0),
                ][..],
                "code=503 94% · route=/pay 81%",
            ),
            (
                &[
                    ("pod=a,code=200", 0.0),
                    ("pod=a,code=500", 10.0),
                    ("pod=b,code=500", 11.0),
                    ("pod=c,code=500", 9.0),
                ],
                "code=500 100% · pod even (3)",
            ),
            // Of two values the greater one must have more than three quarters.
            (&[("pod=a", 70.0), ("pod=b", 30.0)], "pod even (2)"),
            (&[("pod=a", 80.0), ("pod=b", 20.0)], "pod=a 80%"),
            (&[("pod=a", 0.0), ("pod=b", 0.0)], ""),
            (&[("job=a", 5.0)], ""),
        ] {
            assert_eq!(told(series), expected);
        }
    }
}
