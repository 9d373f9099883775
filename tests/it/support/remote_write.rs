//! Samples into a Prometheus or VictoriaMetrics by remote write 1.0, with their own times and staleness markers.
//!
//! The few messages are encoded by hand, and snappy's format is used without compressing: on loopback that is the cheapest.

use std::io;
use std::net::SocketAddr;

use sloburn::domain::labels::Labels;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A series with its samples: milliseconds and value, oldest first.
pub(crate) type Written<S = f64> = (Labels, Vec<(i64, S)>);

/// What a sample may be: a number or a histogram.
pub(crate) trait Sampled {
    /// Adds it, with its time in milliseconds, to the message of its series.
    fn add(&self, at: i64, series: &mut Vec<u8>);
}

impl Sampled for f64 {
    /// `samples = 2: Sample { value = 1, timestamp = 2 }`.
    fn add(&self, at: i64, series: &mut Vec<u8>) {
        let mut sample = vec![1 << 3 | 1];
        sample.extend(self.to_le_bytes());
        sample.push(2 << 3);
        varint(at.cast_unsigned(), &mut sample);
        message(2, &sample, series);
    }
}

/// The value that says that a series has ended.
pub(crate) const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// About so many samples go into one request.
const SAMPLES: usize = 50_000;

/// Writes all samples of all series in the order of their times, as they would have been scraped: a server takes nothing
/// that is much older than what it has.
///
/// `url` is where the server is: `http://127.0.0.1:PORT`.
pub(crate) async fn write<S: Sampled>(url: &str, series: &[Written<S>]) -> io::Result<()> {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    let mut stream = TcpStream::connect(address).await?;
    let mut rest: Vec<&[(i64, S)]> = series.iter().map(|(_, samples)| &**samples).collect();
    while let Some(end) = end_of_request(&rest) {
        let mut request = Vec::new();
        for ((labels, _), rest) in series.iter().zip(&mut rest) {
            let (now, later) = rest.split_at(rest.partition_point(|(at, _)| *at <= end));
            *rest = later;
            if !now.is_empty() {
                message(1, &time_series(labels, now), &mut request);
            }
        }
        post(&mut stream, address, &literal(&request)).await?;
    }
    Ok(())
}

/// Up to which time the next request reaches; `None` when all is written.
fn end_of_request<S>(rest: &[&[(i64, S)]]) -> Option<i64> {
    let left = rest.iter().filter(|samples| !samples.is_empty());
    let each = (SAMPLES / left.clone().count().max(1)).max(1);
    left.map(|samples| samples[each.min(samples.len()) - 1].0)
        .min()
}

async fn post(stream: &mut TcpStream, address: SocketAddr, body: &[u8]) -> io::Result<()> {
    let head = format!(
        "POST /api/v1/write HTTP/1.1\r\nHost: {address}\r\nContent-Encoding: snappy\r\nContent-Type: application/x-protobuf\r\n\
         X-Prometheus-Remote-Write-Version: 0.1.0\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    let (mut reply, mut part) = (Vec::new(), [0; 1_024]);
    while !reply.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut part).await?;
        if read == 0 {
            return Err(io::Error::other("the server hung up"));
        }
        reply.extend_from_slice(&part[..read]);
    }
    // What was written is answered without a body, so the connection can be used again.
    let reply = String::from_utf8_lossy(&reply);
    if reply.starts_with("HTTP/1.1 204") {
        return Ok(());
    }
    Err(io::Error::other(format!("samples were refused: {reply}")))
}

/// `TimeSeries { labels = 1: Label { name = 1, value = 2 }, … }`.
fn time_series<S: Sampled>(labels: &Labels, samples: &[(i64, S)]) -> Vec<u8> {
    let mut series = Vec::new();
    for (name, value) in labels {
        let mut label = Vec::new();
        message(1, name.as_bytes(), &mut label);
        message(2, value.as_bytes(), &mut label);
        message(1, &label, &mut series);
    }
    for (at, sample) in samples {
        sample.add(*at, &mut series);
    }
    series
}

/// A field of bytes, text or a message: its number with wire type 2, its length, itself.
pub(super) fn message(field: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(field << 3 | 2);
    varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

pub(super) fn varint(mut value: u64, out: &mut Vec<u8>) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

/// Snappy's block format with literals only: the length of all, then pieces of up to 64 KiB, each behind its length.
fn literal(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 1_000 + 16);
    varint(bytes.len() as u64, &mut out);
    for piece in bytes.chunks(1 << 16) {
        let length = u16::try_from(piece.len() - 1).expect("a piece is at most 64 KiB long");
        out.push(61 << 2);
        out.extend(length.to_le_bytes());
        out.extend_from_slice(piece);
    }
    out
}

#[test]
fn requests_follow_time_and_are_encoded_as_the_protocol_says() {
    let labels: Labels = [("__name__", "up")].into_iter().collect();
    let series = time_series(&labels, &[(300, 1.0)]);
    let expected =
        b"\x0a\x0e\x0a\x08__name__\x12\x02up\x12\x0c\x09\0\0\0\0\0\0\xf0\x3f\x10\xac\x02";
    assert_eq!(series, expected);
    assert_eq!(literal(b"abc"), b"\x03\xf4\x02\x00abc");
    assert_eq!(literal(&vec![7; 65_537]).len(), 3 + 3 + 65_536 + 3 + 1);

    let (early, late) = ([(1, 0.0), (2, 0.0)], [(9, 0.0)]);
    assert_eq!(end_of_request(&[&early, &late]), Some(2));
    assert_eq!(end_of_request(&[&[], &late]), Some(9));
    assert_eq!(end_of_request::<f64>(&[&[], &[]]), None);
}
