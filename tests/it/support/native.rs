//! Native histograms as samples that are written into a Prometheus, and as what it scrapes.

use super::remote_write::{Sampled, message, varint};

/// Custom boundaries in place of a schema.
const CUSTOM: i32 = -53;

/// What is no further from zero lies in the bucket of zero.
const ZERO: f64 = 0.001;

/// One native histogram of whole numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Native {
    /// How fine the buckets are: each ends 2^(2^-schema) times above the one before.
    pub(crate) schema: i32,
    /// The boundaries of custom buckets; none of those of a schema.
    pub(crate) custom: Vec<f64>,
    /// Events within a thousandth of zero.
    pub(crate) zero: u64,
    /// The index of the first positive bucket, and the events of it and those behind.
    pub(crate) positive: (i32, Vec<u64>),
    /// The same for negative ones.
    pub(crate) negative: (i32, Vec<u64>),
}

impl Native {
    /// All events.
    pub(crate) fn count(&self) -> u64 {
        let counts = self.positive.1.iter().chain(&self.negative.1);
        counts.sum::<u64>() + self.zero
    }

    /// The message `Histogram` of an exposition, with the buckets of a schema.
    fn shown(&self) -> Vec<u8> {
        let mut out = Vec::new();
        number(1, self.count(), &mut out);
        double(2, 1.0, &mut out);
        number(5, zigzag(i64::from(self.schema)), &mut out);
        double(6, ZERO, &mut out);
        number(7, self.zero, &mut out);
        buckets((9, 10), &self.negative, &mut out);
        buckets((12, 13), &self.positive, &mut out);
        out
    }

    /// The message `Histogram` of remote write, at a time in milliseconds.
    fn encoded(&self, at: i64) -> Vec<u8> {
        let mut out = Vec::new();
        number(1, self.count(), &mut out);
        double(3, 1.0, &mut out);
        let schema = if self.custom.is_empty() {
            self.schema
        } else {
            CUSTOM
        };
        number(4, zigzag(i64::from(schema)), &mut out);
        if self.custom.is_empty() {
            double(5, ZERO, &mut out);
            number(6, self.zero, &mut out);
        }
        buckets((8, 9), &self.negative, &mut out);
        buckets((11, 12), &self.positive, &mut out);
        number(15, at.cast_unsigned(), &mut out);
        if !self.custom.is_empty() {
            let packed: Vec<u8> = self.custom.iter().flat_map(|it| it.to_le_bytes()).collect();
            // Behind 15 a field's number takes two bytes.
            varint(16 << 3 | 2, &mut out);
            varint(packed.len() as u64, &mut out);
            out.extend(packed);
        }
        out
    }
}

/// The message `MetricFamily` of a histogram with one series, behind its length, as exporters show it to who asks for
/// [`SCRAPED_AS`].
pub(crate) fn scraped(name: &str, labels: &[(&str, &str)], histogram: &Native) -> Vec<u8> {
    let mut metric = Vec::new();
    for (name, value) in labels {
        let mut label = Vec::new();
        message(1, name.as_bytes(), &mut label);
        message(2, value.as_bytes(), &mut label);
        message(1, &label, &mut metric);
    }
    message(7, &histogram.shown(), &mut metric);
    let mut family = Vec::new();
    message(1, name.as_bytes(), &mut family);
    number(3, HISTOGRAM, &mut family);
    message(4, &metric, &mut family);
    let mut out = Vec::new();
    varint(family.len() as u64, &mut out);
    out.extend(family);
    out
}

/// The type of content that has native histograms.
pub(crate) const SCRAPED_AS: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

/// The type of a family.
const HISTOGRAM: u64 = 4;

impl Sampled for Native {
    fn add(&self, at: i64, series: &mut Vec<u8>) {
        message(4, &self.encoded(at), series);
    }
}

/// A span of neighbouring buckets and the differences of their counts.
fn buckets((span, deltas): (u8, u8), (offset, counts): &(i32, Vec<u64>), out: &mut Vec<u8>) {
    if counts.is_empty() {
        return;
    }
    let mut own = Vec::new();
    number(1, zigzag(i64::from(*offset)), &mut own);
    number(2, counts.len() as u64, &mut own);
    message(span, &own, out);
    let mut packed = Vec::new();
    let mut before = 0;
    for count in counts {
        let count = count.cast_signed();
        varint(zigzag(count - before), &mut packed);
        before = count;
    }
    message(deltas, &packed, out);
}

fn number(field: u8, value: u64, out: &mut Vec<u8>) {
    out.push(field << 3);
    varint(value, out);
}

fn double(field: u8, value: f64, out: &mut Vec<u8>) {
    out.push(field << 3 | 1);
    out.extend(value.to_le_bytes());
}

const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}
