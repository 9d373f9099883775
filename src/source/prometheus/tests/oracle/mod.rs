//! The streaming decoder against a slow one that keeps everything: what is JSON at all is left to `serde_json`.

mod answers;
mod json;
mod slow;

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::domain::time::{TimeRange, Timestamp};
use crate::source::error::Failure;

use self::answers::answer;
use self::json::Json;
use self::slow::outcome;
use super::super::decode::decode;
use super::super::histogram::Thresholds;

type Samples = Vec<(i64, u64)>;

/// What comes of an answer.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Data {
        kind: &'static str,
        series: Vec<(BTreeMap<String, String>, Samples)>,
        histograms: usize,
        warnings: usize,
        infos: Vec<String>,
    },
    Refused,
    WrongShape,
    Other,
}

const RANGE: TimeRange = TimeRange {
    from: Timestamp::from_millis(1_000_000),
    to: Timestamp::from_millis(1_100_000),
};

/// What the decoder made of the same bytes.
fn decoded(body: &[u8]) -> Result<Outcome, Failure> {
    match decode(body, RANGE, &Thresholds::NONE) {
        Ok(decoded) => {
            let series = decoded.batch.series().map(|series| {
                let labels = series.labels.iter();
                let samples = series.samples.iter().map(|sample| {
                    let value = if sample.value.is_nan() {
                        f64::NAN
                    } else {
                        sample.value
                    };
                    (sample.at.as_millis(), value.to_bits())
                });
                (
                    labels
                        .map(|(name, value)| (name.to_owned(), value.to_owned()))
                        .collect(),
                    samples.collect(),
                )
            });
            Ok(Outcome::Data {
                kind: decoded.kind.name(),
                series: series.collect(),
                histograms: decoded.batch.histograms,
                warnings: decoded.batch.warnings.len(),
                infos: decoded.infos,
            })
        }
        Err(Failure::Refused { .. }) => Ok(Outcome::Refused),
        Err(Failure::Shape { .. }) => Ok(Outcome::WrongShape),
        Err(Failure::Protocol { reason }) if reason.starts_with("JSON") => Ok(Outcome::Other),
        Err(failure) => Err(failure),
    }
}

/// Both say the same of what is JSON, and neither finds an answer in what is none. Bytes that are no
/// text may stand where nobody reads: what is passed over is not looked into.
fn agree(body: &[u8]) {
    let shown = String::from_utf8_lossy(body);
    let outcome_here = decoded(body);
    let is_refused = matches!(outcome_here, Err(_) | Ok(Outcome::Other));
    if let Ok(json) = serde_json::from_str::<Json>(&shown) {
        let expected = outcome(&json).unwrap_or(Outcome::Other);
        let may_be_refused = std::str::from_utf8(body).is_err() && is_refused;
        assert!(
            may_be_refused || outcome_here.as_ref().is_ok_and(|here| *here == expected),
            "{shown}: {outcome_here:?}, not {expected:?}"
        );
    } else {
        assert!(is_refused, "{shown}: {outcome_here:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn both_decoders_read_the_same(answer in answer()) {
        agree(answer.as_bytes());
    }

    #[test]
    fn both_decoders_agree_on_what_was_damaged(
        answer in answer(),
        at in any::<prop::sample::Index>(),
        damage in prop_oneof![
            Just(None),
            prop::sample::select(&b"\"\\{}[],:0e-.nx \x00\xff\xc3"[..]).prop_map(Some),
        ],
        insert in any::<bool>(),
    ) {
        let mut body = answer.into_bytes();
        let at = at.index(body.len());
        match damage {
            None => drop(body.remove(at)),
            Some(byte) if insert => body.insert(at, byte),
            Some(byte) => body[at] = byte,
        }
        agree(&body);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    #[test]
    fn no_beginning_of_an_answer_is_an_answer(answer in answer()) {
        let body = answer.as_bytes();
        for end in 0..body.len() {
            agree(&body[..end]);
        }
    }
}
