//! From the bytes of an answer to a batch: what its kinds mean, and what is no answer.

use serde_json::error::Category;

use crate::domain::time::{TimeRange, Timestamp};
use crate::series::batch::{Batch, BatchWriter, Sample};
use crate::source::error::Failure;

use super::histogram::Thresholds;
use super::wire::{Envelope, Outcome, Text};
use super::words::cleaned;

/// What an answer of kind *success* holds.
#[derive(Debug)]
pub(super) struct Decoded {
    /// How the samples came.
    pub(super) kind: Kind,
    /// The samples within the range that was asked for.
    pub(super) batch: Batch,
    /// Remarks of the server that do not touch the data.
    pub(super) infos: Vec<String>,
}

/// The result types that hold numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Series with several samples each.
    Matrix,
    /// Series with one sample each.
    Vector,
    /// A number without labels.
    Scalar,
}

impl Kind {
    /// Prometheus' name for it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Matrix => "matrix",
            Self::Vector => "vector",
            Self::Scalar => "scalar",
        }
    }
}

/// Decodes `body` and keeps what lies in `range`: before Prometheus 3 a range holds the sample at its start, too.
pub(super) fn decode(
    body: &[u8],
    range: TimeRange,
    thresholds: &Thresholds,
) -> Result<Decoded, Failure> {
    let envelope =
        Envelope::read(body, range, thresholds).map_err(|error| foreign(body, &error))?;
    match envelope.status.as_ref().map(|status| &*status.0) {
        Some("success") => {}
        Some("error") => return Err(refused(&envelope)),
        _ => return Err(other_shape()),
    }
    let data = envelope.data.ok_or_else(other_shape)?;
    let (kind, mut batch) = match (&*data.result_type.0, data.result) {
        ("matrix", Outcome::Series(batch)) => (Kind::Matrix, batch),
        ("vector", Outcome::Series(batch)) => (Kind::Vector, batch),
        ("scalar", Outcome::Single(at, text)) => (Kind::Scalar, scalar(at, &text, range)?),
        ("string", Outcome::Single(..)) => return Err(Failure::Shape { found: "string" }),
        _ => return Err(other_shape()),
    };
    batch.warnings = envelope.warnings;
    if envelope.is_partial {
        let sentence = "the server marks its answer as partial";
        batch.warnings.push(sentence.to_owned());
    }
    Ok(Decoded {
        kind,
        batch,
        infos: envelope.infos,
    })
}

/// The type and text of an error that the server reports, if `body` is one.
pub(super) fn reported(body: &[u8]) -> Option<(String, String)> {
    let envelope = Envelope::read(body, TimeRange::ALL, &Thresholds::NONE).ok()?;
    let text = envelope.error.as_ref().or(envelope.error_type.as_ref())?;
    let error_type = envelope.error_type.as_ref().map_or("error", |it| &*it.0);
    Some((cleaned(error_type), cleaned(&text.0)))
}

fn refused(envelope: &Envelope) -> Failure {
    let text = |it: &Option<Text>| it.as_ref().map_or("not said", |it| &*it.0).to_owned();
    Failure::Refused {
        error_type: cleaned(&text(&envelope.error_type)),
        message: cleaned(&text(&envelope.error)),
    }
}

fn foreign(body: &[u8], error: &serde_json::Error) -> Failure {
    let reason = match error.classify() {
        Category::Eof if body.trim_ascii().is_empty() => "an empty answer",
        Category::Eof => return Failure::Truncated,
        Category::Data => return other_shape(),
        Category::Syntax if body.trim_ascii_start().starts_with(b"<") => "a web page, not JSON",
        Category::Syntax | Category::Io => "not JSON",
    };
    Failure::Protocol {
        reason: reason.to_owned(),
    }
}

fn other_shape() -> Failure {
    Failure::Protocol {
        reason: "JSON, but not an answer to a query".to_owned(),
    }
}

fn scalar(at: Timestamp, text: &str, range: TimeRange) -> Result<Batch, Failure> {
    let value = text.parse().map_err(|_| other_shape())?;
    let mut writer = BatchWriter::new(range);
    writer.sample(Sample { at, value });
    writer.end_series();
    Ok(writer.finish())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::domain::selector::Selector;
    use crate::series::batch::Fetch;

    /// Decodes with the range `(1000 s, 1100 s]` and prints what came of it.
    fn read(body: &str) -> String {
        read_with(body, &Thresholds::NONE)
    }

    fn read_with(body: &str, thresholds: &Thresholds) -> String {
        let range = TimeRange {
            from: Timestamp::from_millis(1_000_000),
            to: Timestamp::from_millis(1_100_000),
        };
        let decoded = match decode(body.as_bytes(), range, thresholds) {
            Ok(decoded) => decoded,
            Err(failure) => return format!("{failure:?}"),
        };
        let mut text = decoded.kind.name().to_owned();
        for series in decoded.batch.series() {
            write!(text, "\n{{{}}}", series.labels).unwrap();
            for sample in series.samples {
                write!(text, " {}@{}", sample.value, sample.at.as_millis()).unwrap();
            }
        }
        for warning in &decoded.batch.warnings {
            write!(text, "\nwarning: {warning}").unwrap();
        }
        for info in &decoded.infos {
            write!(text, "\ninfo: {info}").unwrap();
        }
        if decoded.batch.histograms > 0 {
            write!(text, "\nhistograms: {}", decoded.batch.histograms).unwrap();
        }
        text
    }

    fn success(data: &str) -> String {
        read(&format!(r#"{{"status":"success","data":{data}}}"#))
    }

    fn matrix(result: &str) -> String {
        success(&format!(r#"{{"resultType":"matrix","result":[{result}]}}"#))
    }

    #[test]
    fn numbers_and_times_are_exact() {
        insta::assert_snapshot!(matrix(
            r#"{"metric":{"__name__":"x"},"values":[[1000.001,"0.1"],[1001,"NaN"],[1002.999,"+Inf"],[1003,"-Inf"],[1.0040005e3,"1e+06"],[1005,"9007199254740993"],[1006,"-0"]]}"#
        ), @r#"
        matrix
        {__name__="x"} 0.1@1000001 NaN@1001000 inf@1002999 -inf@1003000 1000000@1004001 9007199254740992@1005000 -0@1006000
        "#);
    }

    #[test]
    fn what_lies_outside_of_the_range_is_cut_off() {
        insta::assert_snapshot!(matrix(
            r#"{"metric":{"a":"1"},"values":[[1000,"1"],[1000.001,"2"],[1100,"3"],[1100.001,"4"]]},{"metric":{"a":"2"},"values":[[1000,"1"]]}"#
        ), @r#"
        matrix
        {a="1"} 2@1000001 3@1100000
        "#);
    }

    #[test]
    fn samples_come_sorted_and_each_time_once() {
        insta::assert_snapshot!(matrix(
            r#"{"metric":{},"values":[[1003,"3"],[1001,"1"],[1003,"4"],[1002,"2"]]}"#
        ), @r"
        matrix
        {} 1@1001000 2@1002000 3@1003000
        ");
    }

    #[test]
    fn labels_may_need_unescaping() {
        insta::assert_snapshot!(matrix(
            r#"{"metric":{"path":"a\"b\\c\n\u00e9\ud83d\ude00","my.l\u00e4bel":"é"},"values":[[1001,"1"]]}"#
        ), @r#"
        matrix
        {my.läbel="é",path="a\"b\\c\né😀"} 1@1001000
        "#);
    }

    #[test]
    fn series_of_histograms_are_counted_and_left_out() {
        insta::assert_snapshot!(matrix(
            r#"{"metric":{"a":"1"},"histograms":[[1001,{"count":"3","sum":"2","buckets":[[3,"-0.1","0.1","1"]]}]]},{"metric":{"a":"2"},"values":[[1001,"1"]],"histograms":[[1002,{}]]},{"metric":{"a":"3"},"values":[[1001,"1"]]}"#
        ), @r#"
        matrix
        {a="3"} 1@1001000
        histograms: 2
        "#);
        insta::assert_snapshot!(success(
            r#"{"resultType":"vector","result":[{"metric":{"a":"1"},"histogram":[1001,{}]},{"metric":{"a":"2"},"value":[1001,"2"]}]}"#
        ), @r#"
        vector
        {a="2"} 2@1001000
        histograms: 1
        "#);
    }

    #[test]
    fn native_histograms_become_the_counters_of_classic_ones() {
        let fetch = Fetch::Histograms {
            selector: Selector::new("x", Vec::new()),
            thresholds: vec!["0.3".to_owned()],
        };
        let body = r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"histograms":[[1001,{"count":"20","sum":"9","buckets":[[3,"-0.001","0.001","10"],[0,"0.25","0.5","10"]]}],[1016,{"count":"21","sum":"9","buckets":[[3,"-0.001","0.001","11"],[0,"0.25","0.5","10"]]}]],"metric":{"job":"a","__name__":"x"}},
            {"metric":{"job":"b"},"values":[[1001,"1"]]},
            {"metric":{"job":"c"},"histograms":[[1001,{"count":"0","sum":"0"}]]}]}}"#;
        insta::assert_snapshot!(read_with(body, &Thresholds::of(&fetch)), @r#"
        matrix
        {__name__="x",job="a",le="+Inf"} 20@1001000 21@1016000
        {__name__="x",job="a",le="0.3"} 12.630344058337936@1001000 13.630344058337936@1016000
        {job="c",le="+Inf"} 0@1001000
        {job="c",le="0.3"} 0@1001000
        "#);
    }

    #[test]
    fn the_order_of_keys_does_not_matter() {
        insta::assert_snapshot!(read(
            r#"{"stats":{"n":[1]},"data":{"x":null,"result":[1001.5,"7"],"resultType":"scalar"},"infos":["i"],"warnings":["w"],"isPartial":true,"status":"success"}"#
        ), @r"
        scalar
        {} 7@1001500
        warning: w
        warning: the server marks its answer as partial
        info: i
        ");
        insta::assert_snapshot!(read(
            r#"{"data":{"result":[{"values":[[1001,"1"]],"more":{},"metric":{"a":"1"}}],"resultType":"matrix"},"warnings":null,"status":"success"}"#
        ), @r#"
        matrix
        {a="1"} 1@1001000
        "#);
    }

    #[test]
    fn what_is_no_answer_is_refused_whole() {
        let good = r#"{"metric":{},"values":[[1001,"1"]]}"#;
        let mut text = String::new();
        for body in [
            r#"{"status":"success"}"#,
            r#"{"status":"success","data":null}"#,
            r#"{"status":"fine","data":{"resultType":"matrix","result":[]}}"#,
            r#"{"status":"error"}"#,
            r#"{"status":"success","data":{"resultType":"matrix","result":[]}} x"#,
            r#"{"status":"success","data":{"resultType":"matrix","result":[1,"2"]}}"#,
            r#"{"status":"success","data":{"resultType":"scalar","result":[1,"x"]}}"#,
            r#"{"status":"success","data":{"resultType":"scalar","result":[]}}"#,
            "[]",
            "  ",
            "{",
        ] {
            writeln!(text, "{body}: {}", read(body)).unwrap();
        }
        for broken in [
            r#"{"values":[[1001,"1"]]}"#,
            r#"{"metric":{},"values":[[1001,1]]}"#,
            r#"{"metric":{},"values":[[1001,"one"]]}"#,
            r#"{"metric":{},"values":[[1001]]}"#,
            r#"{"metric":{},"values":[[1001,"1",2]]}"#,
            r#"{"metric":{"a":1},"values":[]}"#,
            "null",
            "[1001,\"1\"]",
        ] {
            let outcome = matrix(&format!("{good},{broken}"));
            assert_eq!(outcome, read("{\"status\":1}"), "{broken}");
        }
        insta::assert_snapshot!(text, @r#"
        {"status":"success"}: Protocol { reason: "JSON, but not an answer to a query" }
        {"status":"success","data":null}: Protocol { reason: "JSON, but not an answer to a query" }
        {"status":"fine","data":{"resultType":"matrix","result":[]}}: Protocol { reason: "JSON, but not an answer to a query" }
        {"status":"error"}: Refused { error_type: "not said", message: "not said" }
        {"status":"success","data":{"resultType":"matrix","result":[]}} x: Protocol { reason: "not JSON" }
        {"status":"success","data":{"resultType":"matrix","result":[1,"2"]}}: Protocol { reason: "JSON, but not an answer to a query" }
        {"status":"success","data":{"resultType":"scalar","result":[1,"x"]}}: Protocol { reason: "JSON, but not an answer to a query" }
        {"status":"success","data":{"resultType":"scalar","result":[]}}: Protocol { reason: "JSON, but not an answer to a query" }
        []: Protocol { reason: "JSON, but not an answer to a query" }
          : Protocol { reason: "an empty answer" }
        {: Truncated
        "#);
    }

    #[test]
    fn no_prefix_of_an_answer_is_an_answer() {
        let body = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"1"},"values":[[1001,"1"],[1002,"2"]]}]}}"#;
        for (end, _) in body.char_indices().skip(1) {
            let prefix: String = body.chars().take(end).collect();
            assert_eq!(read(&prefix), "Truncated", "{prefix}");
        }
    }
}
