//! The services' pages: what a scrape of one shows, over HTTP on loopback.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::time::Timestamp;

use super::World;
use super::fault::Service;

/// Serves the page of `service` at `/metrics` until `stop`: a new one whenever the clock has moved.
pub async fn serve(
    listener: TcpListener,
    world: Arc<World>,
    service: Service,
    clock: Clock,
    stop: CancellationToken,
) -> io::Result<()> {
    let page = move || {
        let answer = answer(&world, service, clock.now().into());
        async move { answer }
    };
    let routes = Router::new().route("/metrics", get(page));
    axum::serve(listener, routes)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

fn answer(world: &World, service: Service, at: Timestamp) -> Response {
    if !world.is_up(service, at) {
        return (StatusCode::SERVICE_UNAVAILABLE, "down, for the game day\n").into_response();
    }
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], world.page(service, at)).into_response()
}

impl World {
    /// What the page of `service` shows at `at`, in Prometheus' text format.
    pub fn page(&self, service: Service, at: Timestamp) -> String {
        let (mut lines, mut told) = (Vec::new(), BTreeSet::new());
        let faults = self.faults();
        for (_, series) in &self.series {
            if series.target != service {
                continue;
            }
            if let Some((name, kind)) = kind_of(series.metric)
                && told.insert(name)
            {
                lines.push(format!("# TYPE {name} {kind}\n"));
            }
            let labels = series.labels.iter();
            let labels: Vec<String> = labels
                .map(|(name, value)| format!("{name}={value:?}"))
                .collect();
            let value = series.value.at(self.origin, &faults, self.single, at);
            lines.push(format!(
                "{}{{{}}} {value}\n",
                series.metric,
                labels.join(",")
            ));
        }
        lines.concat()
    }
}

/// The family of a metric and what it is, where its name says so.
fn kind_of(metric: &str) -> Option<(&str, &'static str)> {
    let histogram = metric
        .strip_suffix("_bucket")
        .map(|name| (name, "histogram"));
    histogram.or_else(|| metric.ends_with("_total").then_some((metric, "counter")))
}
