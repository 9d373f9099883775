//! A source that reads from a server of this process, and in words what came of it.

mod liar;
mod lies;
mod oracle;
mod remote;
mod requests;

use std::fmt::Write;
use std::io::Write as _;

use crate::domain::selector::{Matcher, Selector};
use crate::domain::slo::SourceName;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::{Batch, Fetch};
use crate::source::Source;
use crate::source::error::SourceError;

use super::{PrometheusSettings, PrometheusSource};

const EMPTY: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#;
const ONE: &str = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up"},"values":[[1000.5,"1"]]}]}}"#;

fn settings(url: &str) -> PrometheusSettings {
    PrometheusSettings::new(SourceName::new("default"), url)
}

fn samples() -> Fetch {
    Fetch::Samples(Selector::new("up", vec![Matcher::equal("job", "api")]))
}

fn expression() -> Fetch {
    Fetch::Expression {
        text: "sum(rate(up[5m]))".to_owned(),
        step: Span::from_secs(30),
    }
}

async fn read(source: &PrometheusSource, fetch: &Fetch) -> Result<Batch, SourceError> {
    let range = TimeRange {
        from: Timestamp::from_millis(990_000),
        to: Timestamp::from_millis(1_080_500),
    };
    source.read(fetch, range).await
}

/// What came of a read, in one line in which the server's address is always the same.
async fn outcome(settings: PrometheusSettings, fetch: &Fetch) -> String {
    let address = settings.url.clone();
    let result = match PrometheusSource::new(settings) {
        Ok(source) => read(&source, fetch).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(batch) => {
            let samples = batch.samples().len();
            let mut text = format!("ok: {} series, {samples} samples", batch.len());
            for warning in batch.warnings {
                write!(text, ", warning `{warning}`").unwrap();
            }
            if batch.histograms > 0 {
                write!(text, ", {} histograms", batch.histograms).unwrap();
            }
            text
        }
        Err(error) => error.to_string().replace(&address, "http://prom:9090"),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
