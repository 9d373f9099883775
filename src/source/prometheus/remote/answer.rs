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

/// How an answer is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source::prometheus) enum Form {
    /// Frames with chunks.
    Streamed,
    /// One compressed message with samples.
    Sampled,
}

impl Form {
    /// What a `Content-Type` says; `None` when it is no answer by remote read.
    pub(in crate::source::prometheus) fn of(content_type: &str) -> Option<Self> {
        let kind = content_type.split(';').next().unwrap_or_default().trim();
        match kind {
            "application/x-streamed-protobuf" => Some(Self::Streamed),
            "application/x-protobuf" => Some(Self::Sampled),
            _ => None,
        }
    }
}

/// Why an answer gives no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source::prometheus) enum Undecoded {
    /// It was cut short or changed on its way.
    Damaged,
    /// It is whole, and holds chunks of a kind that we do not know.
    Unknown,
    /// What it unfolds to takes more bytes than may be held.
    TooLarge,
}

impl From<Malformed> for Undecoded {
    fn from(Malformed: Malformed) -> Self {
        Self::Damaged
    }
}

/// Decodes `body` and keeps what lies in `range`, up to `limit` bytes: a sample of a chunk may take two bits, and
/// takes 16 bytes here.
pub(in crate::source::prometheus) fn decode(
    (form, body): (Form, &[u8]),
    range: TimeRange,
    limit: usize,
) -> Result<Batch, Undecoded> {
    let series = Series::new(range, limit);
    match form {
        Form::Streamed => streamed(body, series),
        Form::Sampled => {
            let length = snap::raw::decompress_len(body).map_err(|_| Malformed)?;
            if length > limit {
                return Err(Undecoded::TooLarge);
            }
            let mut decoder = snap::raw::Decoder::new();
            let body = decoder.decompress_vec(body).map_err(|_| Malformed)?;
            sampled(&body, series)
        }
    }
}

/// Writes series, of which one may come in several pieces.
struct Series {
    writer: BatchWriter,
    labels: Vec<(String, String)>,
    histograms: usize,
    limit: usize,
}

impl Series {
    fn new(range: TimeRange, limit: usize) -> Self {
        Self {
            writer: BatchWriter::new(range),
            labels: Vec::new(),
            histograms: 0,
            limit,
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

    fn sample(&mut self, sample: Sample) -> Result<(), Undecoded> {
        if sample.value.to_bits() != STALE {
            self.writer.sample(sample);
        }
        if self.writer.bytes() > self.limit {
            return Err(Undecoded::TooLarge);
        }
        Ok(())
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
fn streamed(mut body: &[u8], mut series: Series) -> Result<Batch, Undecoded> {
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

fn chunk(message: &[u8], series: &mut Series) -> Result<(), Undecoded> {
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
        return Err(Undecoded::Unknown);
    }
    xor::samples(data, |sample| series.sample(sample))
}

/// `ReadResponse { results = 1: { timeseries = 1: { labels = 1, samples = 2: { value = 1, timestamp = 2 }, histograms = 4 } } }`.
fn sampled(body: &[u8], mut series: Series) -> Result<Batch, Undecoded> {
    for result in messages(body, 1) {
        for message in messages(result?, 1) {
            let message = message?;
            series.begin(labels(message)?);
            for field in Fields::of(message) {
                match field? {
                    (2, Value::Bytes(message)) => series.sample(sample(message)?)?,
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

#[cfg(test)]
mod tests {
    use super::super::proto::{bytes, raw_varint, varint};
    use super::*;

    /// `up` with a chunk of `encoding`, as one frame.
    fn frame(encoding: u64, data: &[u8]) -> Vec<u8> {
        let [mut label, mut chunk, mut series, mut message, mut frame] = [const { Vec::new() }; 5];
        bytes(1, b"__name__", &mut label);
        bytes(2, b"up", &mut label);
        varint(3, encoding, &mut chunk);
        bytes(4, data, &mut chunk);
        bytes(1, &label, &mut series);
        bytes(2, &chunk, &mut series);
        bytes(1, &series, &mut message);
        raw_varint(message.len() as u64, &mut frame);
        frame.extend(frames::checksum(&message).to_be_bytes());
        [frame, message].concat()
    }

    /// As many samples as a chunk can hold, each of the value 0 and a millisecond after the one before: two bits.
    fn constant() -> Vec<u8> {
        let mut data = vec![0xff, 0xff];
        data.extend([0; 9]);
        data.push(1);
        data.extend([0; 16_384]);
        frame(XOR, &data)
    }

    /// `up` with as many samples that say nothing, each of two bytes.
    fn silent() -> Vec<u8> {
        let [mut label, mut series, mut result, mut message] = [const { Vec::new() }; 4];
        bytes(1, b"__name__", &mut label);
        bytes(2, b"up", &mut label);
        bytes(1, &label, &mut series);
        for _ in 0..0xffff {
            bytes(2, &[], &mut series);
        }
        bytes(1, &series, &mut result);
        bytes(1, &result, &mut message);
        snap::raw::Encoder::new().compress_vec(&message).unwrap()
    }

    #[test]
    fn an_answer_unfolds_to_no_more_than_may_be_held() {
        for (form, body) in [(Form::Streamed, constant()), (Form::Sampled, silent())] {
            let decoded = |limit| decode((form, &body), TimeRange::ALL, limit);
            for limit in [64 << 10, 256 << 10, 0xffff * 16] {
                assert_eq!(decoded(limit), Err(Undecoded::TooLarge), "{form:?} {limit}");
            }
            assert_eq!(decoded(2 << 20).map(|batch| batch.len()), Ok(1), "{form:?}");
        }
        let streamed = decode((Form::Streamed, &constant()), TimeRange::ALL, 2 << 20).unwrap();
        assert_eq!(streamed.samples().len(), 0xffff);
    }

    #[test]
    fn chunks_of_an_unknown_kind_are_told_from_damaged_ones() {
        let data = [&[0, 1][..], &[0; 9]].concat();
        for (name, body, expected) in [
            ("plain", frame(XOR, &data), Ok(1)),
            ("histograms", frame(2, &data), Ok(0)),
            ("of the future", frame(4, &data), Err(Undecoded::Unknown)),
            (
                "cut within",
                frame(XOR, &data[..9]),
                Err(Undecoded::Damaged),
            ),
            ("empty", frame(XOR, &[]), Err(Undecoded::Damaged)),
        ] {
            let decoded = decode((Form::Streamed, &body), TimeRange::ALL, 1 << 10);
            assert_eq!(
                decoded.map(|batch| batch.samples().len()),
                expected,
                "{name}"
            );
        }
    }
}
