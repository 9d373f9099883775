//! Native histograms as the counters that classic ones would have: how many events lie at or below
//! each threshold. Where a threshold lies within a bucket, its events are interpolated the way
//! Prometheus' `histogram_fraction` does it.

use crate::domain::time::Timestamp;
use crate::series::batch::{BatchWriter, Fetch, Sample};
use crate::series::boundary::{INFINITY, LE};

/// Numbers that are whole apart from the noise of binary floats differ from that by less.
const NOISE: f64 = 1e-6;

/// No schema of Prometheus has narrower buckets: powers of two, divided by 2^8.
const NARROWEST: f64 = 1.0 / 256.0;

/// The thresholds of a fetch of native histograms, as `le` spells them and as numbers.
#[derive(Clone, Debug, Default)]
pub(super) struct Thresholds(Vec<(String, f64)>);

impl Thresholds {
    /// Those of all other fetches.
    pub(super) const NONE: Self = Self(Vec::new());

    pub(super) fn of(fetch: &Fetch) -> Self {
        let Fetch::Histograms { thresholds, .. } = fetch else {
            return Self::NONE;
        };
        let number = |text: &String| Some((text.clone(), text.parse().ok()?));
        Self(thresholds.iter().filter_map(number).collect())
    }

    /// Whether native histograms are of no use here.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One sample of a native histogram.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) at: Timestamp,
    /// All events, those included that lie in no bucket.
    pub(super) count: f64,
    /// The buckets that are not empty, lowest first.
    pub(super) buckets: Vec<Bucket>,
}

/// The events between two boundaries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bucket {
    pub(super) lower: f64,
    pub(super) upper: f64,
    pub(super) count: f64,
}

impl Bucket {
    /// Whether zero lies in it or at its edge.
    fn has_zero(&self) -> bool {
        self.lower <= 0.0 && self.upper >= 0.0
    }

    /// Whether it has the very boundary at which another begins.
    const fn begins_as(&self, other: &Self) -> bool {
        self.lower.to_bits() == other.lower.to_bits()
    }

    /// Its width on the scale of logarithms to base 2, if it is one of a schema with exponential
    /// boundaries; those are powers of two, divided by a power of two.
    fn width(&self) -> Option<f64> {
        let (lower, upper) = (self.lower.abs().log2(), self.upper.abs().log2());
        let width = (upper - lower).abs();
        let fits = |value: f64| (value - value.round()).abs() < NOISE;
        let parts = (1.0 / width).log2();
        let is_schema = width.is_finite() && width > NARROWEST / 2.0 && fits(parts);
        (is_schema && fits(upper / width) && fits(lower / width)).then_some(width)
    }

    /// The bucket of this width, or a wider one, in which it lies.
    fn widened(&self, width: f64) -> Self {
        let far = self.lower.abs().max(self.upper.abs());
        let index = (far.log2() / width - NOISE).ceil();
        let (near, far) = (((index - 1.0) * width).exp2(), (index * width).exp2());
        let (lower, upper) = if self.upper > 0.0 {
            (near, far)
        } else {
            (-far, -near)
        };
        Self {
            lower,
            upper,
            count: self.count,
        }
    }
}

/// Writes the samples of one native histogram as counters with these labels, one for each threshold
/// and one for all events.
///
/// Between two resets all samples are read with the widest buckets that one of them has: a server
/// joins buckets when there are too many, and what is interpolated within them must not jump then.
pub(super) fn write(
    writer: &mut BatchWriter,
    labels: &[(String, String)],
    mut points: Vec<Point>,
    thresholds: &Thresholds,
) {
    points.sort_by_key(|point| point.at);
    let shape = Shape::of(&points);
    for run in points.chunk_by_mut(|older, newer| newer.count >= older.count) {
        shape.level(run);
    }
    let mut series = |boundary: &str, value: &dyn Fn(&Point) -> f64| {
        for (name, value) in labels {
            writer.label(name, value);
        }
        writer.label(LE, boundary);
        let mut last: Option<(f64, f64)> = None;
        for point in &points {
            let mut up_to = value(point);
            // What is interpolated never falls unless all of it does: that would be a reset.
            if let Some((count, before)) = last
                && point.count >= count
            {
                up_to = up_to.max(before);
            }
            last = Some((point.count, up_to));
            writer.sample(Sample {
                at: point.at,
                value: up_to,
            });
        }
        writer.end_series();
    };
    series(INFINITY, &|point| point.count);
    for (text, threshold) in &thresholds.0 {
        series(text, &|point| shape.up_to(point, *threshold));
    }
}

/// How the boundaries of a histogram were chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// By a schema, each a constant factor above the one before.
    Exponential,
    /// By a person, as those of classic histograms.
    Custom,
}

impl Shape {
    /// What all samples of a series show: custom boundaries, as soon as one is of no schema. A
    /// histogram whose custom boundaries all look like those of a schema cannot be told from it.
    fn of(points: &[Point]) -> Self {
        let buckets = points.iter().flat_map(|point| &point.buckets);
        let is_finite = |it: &Bucket| it.lower.is_finite() && it.upper.is_finite();
        let mut bounded =
            buckets.map(|it| is_finite(it) && (it.has_zero() || it.width().is_some()));
        if bounded.all(|fits| fits) {
            Self::Exponential
        } else {
            Self::Custom
        }
    }

    /// Gives all samples the widest buckets that one of them has.
    fn level(self, points: &mut [Point]) {
        if self == Self::Custom {
            return;
        }
        let width = |point: &Point| {
            let widths = point.buckets.iter().filter(|it| !it.has_zero());
            widths.filter_map(Bucket::width).reduce(f64::max)
        };
        let Some(widest) = points.iter().filter_map(width).reduce(f64::max) else {
            return;
        };
        for point in points {
            if width(point).is_none_or(|own| own > widest - NOISE) {
                continue;
            }
            let mut joined: Vec<Bucket> = Vec::with_capacity(point.buckets.len());
            for bucket in &point.buckets {
                let wide = if bucket.has_zero() {
                    *bucket
                } else {
                    bucket.widened(widest)
                };
                match joined.last_mut() {
                    Some(last) if !last.has_zero() && last.begins_as(&wide) => {
                        last.count += wide.count;
                    }
                    _ => joined.push(wide),
                }
            }
            point.buckets = joined;
        }
    }

    /// How many events lie at or below `threshold`.
    fn up_to(self, point: &Point, threshold: f64) -> f64 {
        let has = |is_side: fn(&Bucket) -> bool| point.buckets.iter().any(is_side);
        let has_positive = has(|it| it.lower > 0.0);
        let has_negative = has(|it| it.upper < 0.0);
        let mut below = 0.0;
        for bucket in &point.buckets {
            let mut bucket = *bucket;
            if bucket.lower == f64::NEG_INFINITY && bucket.upper > 0.0 {
                // The lowest of custom buckets: what is measured is taken to be no less than zero.
                bucket.lower = 0.0;
            } else if bucket.has_zero() && self == Self::Exponential {
                // A histogram of one side only has nothing on the other side of zero.
                if has_positive && !has_negative {
                    bucket.lower = 0.0;
                } else if has_negative && !has_positive {
                    bucket.upper = 0.0;
                }
            }
            if bucket.lower >= threshold {
                return f64::min(below, point.count);
            }
            if bucket.upper > threshold {
                let within = self.share(&bucket, threshold) * bucket.count;
                return f64::min(below + within, point.count);
            }
            below += bucket.count;
        }
        point.count
    }

    /// The share of a bucket's events that lie at or below a threshold within it.
    fn share(self, bucket: &Bucket, threshold: f64) -> f64 {
        if bucket.lower == f64::NEG_INFINITY {
            return 1.0;
        }
        if self == Self::Custom || bucket.has_zero() {
            return (threshold - bucket.lower) / (bucket.upper - bucket.lower);
        }
        let log = |value: f64| value.abs().log2();
        let (lower, upper, at) = (log(bucket.lower), log(bucket.upper), log(threshold));
        if threshold > 0.0 {
            (at - lower) / (upper - lower)
        } else {
            1.0 - (at - upper) / (lower - upper)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::TimeRange;

    /// `lower upper count` for each bucket.
    fn buckets(text: &str) -> Vec<Bucket> {
        let numbers: Vec<f64> = text
            .split_whitespace()
            .map(|it| it.parse().unwrap())
            .collect();
        let bucket = |part: &[f64]| Bucket {
            lower: part[0],
            upper: part[1],
            count: part[2],
        };
        numbers.chunks(3).map(bucket).collect()
    }

    /// What is written of samples a second apart: a line a counter.
    fn written(points: &[(f64, &str)], thresholds: &[&str]) -> String {
        let point = |(second, (count, text)): (i64, &(f64, &str))| Point {
            at: Timestamp::from_millis(second * 1_000),
            count: *count,
            buckets: buckets(text),
        };
        let points = (0..).zip(points).map(point).collect();
        let number = |text: &&str| ((*text).to_owned(), text.parse().unwrap());
        let thresholds = Thresholds(thresholds.iter().map(number).collect());
        let mut writer = BatchWriter::new(TimeRange::ALL);
        write(
            &mut writer,
            &[("job".into(), "a".into())],
            points,
            &thresholds,
        );
        let batch = writer.finish();
        let lines = batch.series().map(|series| {
            let values = series.samples.iter().map(|it| format!("{:.4}", it.value));
            format!(
                "{} {}",
                series.labels.get("le"),
                values.collect::<Vec<_>>().join(" ")
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// By hand: of ten events in (0.25, 0.5] those up to 0.3 are 10 × log2(0.3 / 0.25) = 2.6303.
    #[test]
    fn thresholds_within_a_bucket_are_interpolated() {
        let exponential = [(25.0, "-0.001 0.001 5 0.25 0.5 10 0.5 1 10")];
        let thresholds = ["0.0005", "0.1", "0.25", "0.3", "0.5", "0.75", "1", "7"];
        insta::assert_snapshot!(written(&exponential, &thresholds), @"
        +Inf 25.0000
        0.0005 2.5000
        0.1 5.0000
        0.25 5.0000
        0.3 7.6303
        0.5 15.0000
        0.75 20.8496
        1 25.0000
        7 25.0000
        ");
        let negative = [(20.0, "-1 -0.5 8 -0.001 0.001 4 0.5 1 8")];
        let thresholds = ["-0.75", "0", "0.75"];
        insta::assert_snapshot!(written(&negative, &thresholds), @"
        +Inf 20.0000
        -0.75 3.3203
        0 10.0000
        0.75 16.6797
        ");
        let custom = [(40.0, "-Inf 0.1 10 0.1 0.25 10 0.25 1 10 1 +Inf 10")];
        let thresholds = ["0.05", "0.1", "0.15", "0.25", "0.5", "1", "2"];
        insta::assert_snapshot!(written(&custom, &thresholds), @"
        +Inf 40.0000
        0.05 5.0000
        0.1 10.0000
        0.15 13.3333
        0.25 20.0000
        0.5 23.3333
        1 30.0000
        2 30.0000
        ");
        // Events that are no numbers lie in no bucket, and above every threshold but the highest.
        let unordered = [(25.0, "0.25 0.5 10 0.5 1 10")];
        insta::assert_snapshot!(written(&unordered, &["0.5", "1"]), @"
        +Inf 25.0000
        0.5 10.0000
        1 25.0000
        ");
        insta::assert_snapshot!(written(&[(0.0, "")], &["0.5"]), @"
        +Inf 0.0000
        0.5 0.0000
        ");
    }

    /// 0.4 lies in (0.3536, 0.5] of schema 1, and in (0.25, 0.5] of schema 0.
    #[test]
    fn joined_buckets_are_joined_in_what_came_before_too() {
        let fine = "0.25 0.3535533905932738 6 0.3535533905932738 0.5 4";
        let more = "0.25 0.3535533905932738 7 0.3535533905932738 0.5 4";
        let coarse = "0.25 0.5 13";
        insta::assert_snapshot!(written(&[(10.0, fine), (11.0, more)], &["0.4"]), @"
        +Inf 10.0000 11.0000
        0.4 7.4246 8.4246
        ");
        insta::assert_snapshot!(
            written(&[(10.0, fine), (11.0, more), (13.0, coarse)], &["0.4"]), @"
            +Inf 10.0000 11.0000 13.0000
            0.4 6.7807 7.4588 8.8149
            ");
        // After a reset nothing of it matters any more.
        insta::assert_snapshot!(
            written(&[(13.0, coarse), (10.0, fine), (11.0, more)], &["0.4"]), @"
            +Inf 13.0000 10.0000 11.0000
            0.4 8.8149 7.4246 8.4246
            ");
    }

    #[test]
    fn boundaries_of_a_schema_are_told_from_those_that_people_chose() {
        let shape = |text: &str| {
            let point = Point {
                at: Timestamp::default(),
                count: 1.0,
                buckets: buckets(text),
            };
            Shape::of(&[point])
        };
        for schema in -4..=8 {
            let growth = (-f64::from(schema)).exp2();
            for index in -40..40 {
                let upper = f64::from(index) * growth;
                let (lower, upper) = ((upper - growth).exp2(), upper.exp2());
                for text in [format!("{lower} {upper} 1"), format!("-{upper} -{lower} 1")] {
                    assert_eq!(shape(&text), Shape::Exponential, "{schema} {text}");
                }
            }
        }
        for text in [
            "0.1 0.25 1",
            "0.25 1 1 1 5 1",
            "-Inf 0.5 1",
            "1 +Inf 1",
            "0.005 0.01 1",
        ] {
            assert_eq!(shape(text), Shape::Custom, "{text}");
        }
    }
}
