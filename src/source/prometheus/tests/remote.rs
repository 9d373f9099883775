//! The past of a server that does not offer remote read, or answers by it otherwise than today's Prometheus does.

use crate::domain::time::{TimeRange, Timestamp};
use crate::series::batch::Batch;
use crate::source::Source as _;
use crate::source::error::SourceError;

use super::liar::{Liar, Lie};
use super::{ONE, PrometheusSettings, PrometheusSource, samples, settings};

const RANGE: TimeRange = TimeRange {
    from: Timestamp::from_millis(990_000),
    to: Timestamp::from_millis(1_080_500),
};

/// `ReadResponse` with `up{job="api"}` at 1000.5 s (1), 1,015.5 s (no value, which is 0) and 2,000 s (2), as an old server
/// packs it: the length of all, and one literal.
const SAMPLED: &[u8] = b"\x44\xf0\x43\
    \x0a\x42\x0a\x40\
    \x0a\x0e\x0a\x08__name__\x12\x02up\
    \x0a\x0a\x0a\x03job\x12\x03api\
    \x12\x0d\x09\0\0\0\0\0\0\xf0\x3f\x10\xb4\x88\x3d\
    \x12\x04\x10\xcc\xfd\x3d\
    \x12\x0d\x09\0\0\0\0\0\0\0\x40\x10\x80\x89\x7a";

/// A server's answer by remote read: which of the forms it is stands in its headers.
fn sampled(body: &[u8]) -> Lie {
    Lie::ok(body).with("content-type: application/x-protobuf")
}

fn streamed(body: &[u8]) -> Lie {
    Lie::ok(body)
        .with("content-type: application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse")
}

fn source(liar: &Liar) -> PrometheusSource {
    let settings = PrometheusSettings {
        max_body_bytes: 1 << 20,
        ..settings(&liar.url())
    };
    PrometheusSource::new(settings).unwrap()
}

/// The past is read twice: what came of it, and the paths that were asked for.
async fn twice(script: Vec<Lie>) -> (Vec<Result<Batch, SourceError>>, Vec<String>) {
    let liar = Liar::telling(script);
    let source = source(&liar);
    let mut read = Vec::new();
    for _ in 0..2 {
        read.push(source.read_past(&samples(), RANGE).await);
    }
    let path = |line: &str| line.split(' ').nth(1).unwrap_or_default().to_owned();
    let asked = liar.asked().iter().map(|asked| path(&asked.line)).collect();
    (read, asked)
}

#[tokio::test]
async fn where_remote_read_is_not_offered_queries_are_used_and_it_is_not_tried_again() {
    let json = r#"{"status":"error","errorType":"not_found","error":"no such path"}"#;
    let refused = r#"{"status":"error","errorType":"bad_data","error":"remote read is off"}"#;
    for (name, refusal) in [
        ("400", Lie::status(400, "unsupported path requested")),
        ("400 JSON", Lie::status(400, refused)),
        ("403", Lie::status(403, "only queries are allowed")),
        ("404", Lie::status(404, "404 page not found")),
        ("404 JSON", Lie::status(404, json)),
        ("405", Lie::status(405, "")),
        ("405 JSON", Lie::status(405, json)),
        ("501", Lie::status(501, "")),
        ("302", Lie::status(302, "").with("location: http://login/")),
        ("an answer to a query", Lie::ok(ONE)),
        (
            "an answer to a query, as JSON",
            Lie::ok(ONE).with("content-type: application/json"),
        ),
        ("a page", Lie::ok("<html>").with("content-type: text/html")),
    ] {
        let (read, asked) = twice(vec![refusal, Lie::ok(ONE)]).await;
        for batch in read {
            assert_eq!(batch.unwrap().samples().len(), 1, "{name}");
        }
        let expected = ["/api/v1/read", "/api/v1/query", "/api/v1/query"];
        assert_eq!(asked, expected, "{name}");
    }
}

#[tokio::test]
async fn a_failure_that_passes_is_no_reason_to_use_queries() {
    for (name, failure) in [
        ("401", Lie::status(401, "")),
        ("429", Lie::status(429, "")),
        ("500", Lie::status(500, "disk gone")),
        ("503", Lie::status(503, "")),
        (
            "broken off",
            Lie::Bytes(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx".to_vec()),
        ),
    ] {
        let (read, asked) = twice(vec![failure, sampled(SAMPLED)]).await;
        let outcomes: Vec<_> = read.iter().map(Result::is_ok).collect();
        assert_eq!(outcomes, [false, true], "{name}");
        assert_eq!(asked, ["/api/v1/read", "/api/v1/read"], "{name}");
    }
}

#[tokio::test]
async fn what_came_damaged_is_asked_for_by_a_query_and_the_next_by_remote_read() {
    let (cut, _) = SAMPLED.split_at(SAMPLED.len() - 1);
    for (name, damaged) in [
        ("cut samples", sampled(cut)),
        ("no samples", sampled(b"\x03\x08abc")),
        ("a cut frame", streamed(b"\x09\0\0\0\0")),
        ("a frame with another checksum", streamed(b"\x01\0\0\0\0x")),
    ] {
        let (read, asked) = twice(vec![damaged, Lie::ok(ONE), sampled(SAMPLED)]).await;
        let samples: Vec<_> = read
            .into_iter()
            .map(|it| it.unwrap().samples().len())
            .collect();
        assert_eq!(samples, [1, 2], "{name}");
        let expected = ["/api/v1/read", "/api/v1/query", "/api/v1/read"];
        assert_eq!(asked, expected, "{name}");
    }
}

#[tokio::test]
async fn an_old_server_answers_with_samples() {
    let (read, asked) = twice(vec![sampled(SAMPLED)]).await;
    for batch in read {
        let batch = batch.unwrap();
        let series = batch.series().next().unwrap();
        assert_eq!(
            series.labels.to_labels().to_string(),
            r#"__name__="up",job="api""#
        );
        let samples: Vec<_> = series
            .samples
            .iter()
            .map(|it| (it.at.as_millis(), it.value))
            .collect();
        assert_eq!(samples, [(1_000_500, 1.0), (1_015_500, 0.0)]);
    }
    assert_eq!(asked, ["/api/v1/read"; 2]);
}

#[tokio::test]
async fn an_answer_that_says_that_it_unpacks_to_too_much_is_not_unpacked() {
    let (read, _) = twice(vec![sampled(b"\xff\xff\xff\xff\x0f\x00x")]).await;
    let told: Vec<_> = read.into_iter().map(|read| read.unwrap_err()).collect();
    assert!(
        told.iter().all(|error| error.failure.is_too_large()),
        "{told:?}"
    );
}
