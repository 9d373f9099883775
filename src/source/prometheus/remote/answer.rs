//! From the bytes of an answer to a batch, whichever of the two forms the server chose.

use crate::domain::time::{TimeRange, Timestamp};
use crate::series::batch::{Batch, BatchWriter, Sample};

use super::frames;
use super::proto::{Fields, Malformed, Value};
use super::xor;

/// The encoding of chunks of plain numbers; others hold native histograms.
const XOR: u64 = 1;
const HISTOGRAMS: [u64; 2] = [2, 3];

/// What Prometheus keeps where a series ended. It is no sample, and queries for ranges do not give it: with it
/// the same past would read otherwise by remote read.
const STALE: u64 = 0x7ff0_0000_0000_0002;

/// How an answer is packed, by its `Content-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source::prometheus) enum Form {
    /// Frames with chunks.
    Streamed,
    /// One compressed message with samples.
    Sampled,
}

/// How large `body` is once it is unpacked, as it says itself; nothing when it is no such answer.
pub(in crate::source::prometheus) fn unpacked(form: Form, body: &[u8]) -> usize {
    match form {
        Form::Streamed => body.len(),
        Form::Sampled => snap::raw::decompress_len(body).unwrap_or_default(),
    }
}

/// Decodes `body` and keeps what lies in `range`; `None` when it is no such answer.
pub(in crate::source::prometheus) fn decode(
    form: Form,
    body: &[u8],
    range: TimeRange,
) -> Option<Batch> {
    match form {
        Form::Streamed => streamed(body, range).ok(),
        Form::Sampled => {
            let body = snap::raw::Decoder::new().decompress_vec(body).ok()?;
            sampled(&body, range).ok()
        }
    }
}

/// Writes series, of which one may come in several pieces.
struct Series {
    writer: BatchWriter,
    labels: Vec<(String, String)>,
    histograms: usize,
}

impl Series {
    fn new(range: TimeRange) -> Self {
        Self {
            writer: BatchWriter::new(range),
            labels: Vec::new(),
            histograms: 0,
        }
    }

    fn begin(&mut self, labels: Vec<(String, String)>) {
        if labels == self.labels {
            return;
        }
        self.end();
        for (name, value) in &labels {
            self.writer.label(name, value);
        }
        self.labels = labels;
    }

    fn sample(&mut self, sample: Sample) {
        if sample.value.to_bits() != STALE {
            self.writer.sample(sample);
        }
    }

    fn end(&mut self) {
        if !std::mem::take(&mut self.labels).is_empty() {
            self.writer.end_series();
        }
    }

    fn finish(mut self) -> Batch {
        self.end();
        let mut batch = self.writer.finish();
        batch.histograms = self.histograms;
        batch
    }
}

/// `ChunkedReadResponse { chunked_series = 1: { labels = 1, chunks = 2: { type = 3, data = 4 } } }` in each frame.
fn streamed(mut body: &[u8], range: TimeRange) -> Result<Batch, Malformed> {
    let mut series = Series::new(range);
    while let Some(frame) = frames::next(&mut body)? {
        for field in Fields::of(frame) {
            let (1, Value::Bytes(message)) = field? else {
                continue;
            };
            series.begin(labels(message)?);
            for field in Fields::of(message) {
                if let (2, Value::Bytes(message)) = field? {
                    chunk(message, &mut series)?;
                }
            }
        }
    }
    Ok(series.finish())
}

fn chunk(message: &[u8], series: &mut Series) -> Result<(), Malformed> {
    let (mut encoding, mut data) = (0, &[][..]);
    for field in Fields::of(message) {
        match field? {
            (3, Value::Varint(found)) => encoding = found,
            (4, Value::Bytes(found)) => data = found,
            _ => {}
        }
    }
    if HISTOGRAMS.contains(&encoding) {
        series.histograms += 1;
        return Ok(());
    }
    if encoding != XOR {
        return Err(Malformed);
    }
    xor::samples(data, |sample| series.sample(sample))
}

/// `ReadResponse { results = 1: { timeseries = 1: { labels = 1, samples = 2: { value = 1, timestamp = 2 }, histograms = 4 } } }`.
fn sampled(body: &[u8], range: TimeRange) -> Result<Batch, Malformed> {
    let mut series = Series::new(range);
    for result in messages(body, 1) {
        for message in messages(result?, 1) {
            let message = message?;
            series.begin(labels(message)?);
            for field in Fields::of(message) {
                match field? {
                    (2, Value::Bytes(message)) => series.sample(sample(message)?),
                    (4, Value::Bytes(_)) => series.histograms += 1,
                    _ => {}
                }
            }
        }
    }
    Ok(series.finish())
}

fn sample(message: &[u8]) -> Result<Sample, Malformed> {
    let (mut at, mut value) = (0, 0.0);
    for field in Fields::of(message) {
        match field? {
            (1, Value::Fixed64(bits)) => value = f64::from_bits(bits),
            (2, Value::Varint(millis)) => at = millis.cast_signed(),
            _ => {}
        }
    }
    let at = Timestamp::from_millis(at);
    Ok(Sample { at, value })
}

/// The labels of a series: `Label { name = 1, value = 2 }` in its field 1.
fn labels(message: &[u8]) -> Result<Vec<(String, String)>, Malformed> {
    let mut labels = Vec::new();
    for label in messages(message, 1) {
        let (mut name, mut value) = (String::new(), String::new());
        for field in Fields::of(label?) {
            match field? {
                (1, Value::Bytes(text)) => name = utf8(text)?,
                (2, Value::Bytes(text)) => value = utf8(text)?,
                _ => {}
            }
        }
        labels.push((name, value));
    }
    Ok(labels)
}

fn utf8(bytes: &[u8]) -> Result<String, Malformed> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Malformed)
}

/// The messages in one field of a message.
fn messages(message: &[u8], wanted: u64) -> impl Iterator<Item = Result<&[u8], Malformed>> {
    Fields::of(message).filter_map(move |field| match field {
        Ok((field, Value::Bytes(message))) if field == wanted => Some(Ok(message)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}
