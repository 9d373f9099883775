//! `/metrics`: the snapshot for Prometheus, in the form that it asks for.

use std::collections::BTreeSet;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

use super::AppState;
use super::error::ApiError;
use super::exposition::Exposition;
use super::families::Format;
use super::moment::Moment;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/metrics", get(expose))
}

async fn expose(
    State(state): State<AppState>,
    headers: HeaderMap,
    moment: Moment,
) -> Result<Response, ApiError> {
    let format = negotiate(&headers);
    let body = encode(moment, format, &state.counters)
        .map_err(|error| ApiError::Internal(error.into()))?;
    let content_type = match format {
        Format::Text => "text/plain; version=0.0.4; charset=utf-8",
        Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
    };
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::VARY, "accept"),
    ];
    Ok((headers, body).into_response())
}

/// The registry lives as long as the answer: what left the snapshot leaves the metrics.
fn encode(moment: Moment, format: Format, counters: &Registry) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("sloburn");
    registry.register_collector(Box::new(Exposition {
        read: moment.read,
        freshness: moment.freshness,
        format,
    }));
    let mut body = String::new();
    text::encode_registry(&mut body, &registry)?;
    let mut kept = String::new();
    text::encode_registry(&mut kept, counters)?;
    match format {
        Format::Text => body.extend(declared(&kept)),
        Format::OpenMetrics => {
            body.push_str(&kept);
            text::encode_eof(&mut body)?;
        }
    }
    Ok(body)
}

/// The lines of a registry that the library wrote, in Prometheus' own form: there a counter is declared by the full name
/// of its series, where OpenMetrics, which is all that the library knows, leaves `_total` out.
fn declared(written: &str) -> impl Iterator<Item = String> + '_ {
    let counter = |line: &str| {
        let name = line.strip_prefix("# TYPE ")?.strip_suffix(" counter")?;
        Some(name.to_owned())
    };
    let counters: BTreeSet<String> = written.lines().filter_map(counter).collect();
    written.lines().map(move |line| {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(what), Some(name), Some(rest)) if counters.contains(name) => {
                format!("# {what} {name}_total {rest}\n")
            }
            _ => format!("{line}\n"),
        }
    })
}

/// OpenMetrics where the client names it and likes it at least as much as plain text.
fn negotiate(headers: &HeaderMap) -> Format {
    let values = headers.get_all(header::ACCEPT).iter();
    let (mut open_metrics, mut plain) = (0.0, 0.0);
    for one in values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
    {
        let mut parts = one.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let liking = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok());
        let liking: f64 = liking.unwrap_or(1.0);
        if kind.eq_ignore_ascii_case("application/openmetrics-text") {
            open_metrics = liking.max(open_metrics);
        } else if ["text/plain", "text/*", "*/*"].contains(&kind) {
            plain = liking.max(plain);
        }
    }
    if open_metrics > 0.0 && open_metrics >= plain {
        Format::OpenMetrics
    } else {
        Format::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_metrics_is_given_to_who_prefers_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                          application/openmetrics-text;version=0.0.1;q=0.5,\
                          text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                          text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, format) in [
            ("", Format::Text),
            ("*/*", Format::Text),
            ("text/html,*/*;q=0.8", Format::Text),
            (prometheus, Format::OpenMetrics),
            ("application/openmetrics-text", Format::OpenMetrics),
            ("application/openmetrics-text;q=0", Format::Text),
            (
                "application/openmetrics-text; q=0.2, text/plain",
                Format::Text,
            ),
        ] {
            let headers = [(header::ACCEPT, accept.parse().unwrap())];
            assert_eq!(
                negotiate(&headers.into_iter().collect()),
                format,
                "{accept}"
            );
        }
    }
}
