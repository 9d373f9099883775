//! Remote read: the samples of a long range as Prometheus stores them, at a hundredth of a query's cost.

mod answer;
mod frames;
mod proto;
mod xor;

use crate::domain::selector::{MatchOp, Matcher, Selector};
use crate::domain::time::TimeRange;

pub(super) use answer::{Form, Undecoded, decode};
use proto::{bytes, varint};

/// What a server may answer with, the best first: chunks as they are stored, and single samples.
const STREAMED_CHUNKS: u64 = 1;
const SAMPLES: u64 = 0;

/// The body of a request for the series of a selector, compressed.
///
/// `ReadRequest { queries = 1: Query { start_timestamp_ms = 1, end_timestamp_ms = 2, matchers = 3:
/// LabelMatcher { type = 1, name = 2, value = 3 } }, accepted_response_types = 2 }`
pub(super) fn request(selector: &Selector, range: TimeRange) -> Result<Vec<u8>, snap::Error> {
    let mut query = Vec::new();
    // Both ends are included, and ours begins behind `from`.
    varint(1, (range.from.as_millis() + 1).cast_unsigned(), &mut query);
    varint(2, range.to.as_millis().cast_unsigned(), &mut query);
    let name = Matcher::equal("__name__", selector.metric.as_str());
    for matcher in std::iter::once(&name).chain(&selector.matchers) {
        let mut out = Vec::new();
        let kind = match matcher.op {
            MatchOp::Equal => 0,
            MatchOp::NotEqual => 1,
            MatchOp::Matches => 2,
            MatchOp::NotMatches => 3,
        };
        varint(1, kind, &mut out);
        bytes(2, matcher.label.as_bytes(), &mut out);
        bytes(3, matcher.value.as_bytes(), &mut out);
        bytes(3, &out, &mut query);
    }
    let mut request = Vec::new();
    bytes(1, &query, &mut request);
    varint(2, STREAMED_CHUNKS, &mut request);
    varint(2, SAMPLES, &mut request);
    snap::raw::Encoder::new().compress_vec(&request)
}
