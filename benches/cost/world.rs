//! The services whose requests are counted: a page of counters that is scraped, and the same counters in the past.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::routing::get;
use sloburn::clock::Clock;
use sloburn::domain::labels::Labels;
use tokio::net::TcpListener;

/// The distance of scrapes, of rule evaluations and of ticks, in seconds.
pub(crate) const STEP: i64 = 30;
/// Each service has so many instances, and each of these two series.
const INSTANCES: i64 = 5;
const CODES: [&str; 2] = ["200", "500"];

/// So many services with ten series each, counted since a moment in seconds of the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    pub(crate) services: i64,
    pub(crate) begin: i64,
}

/// `svc-007`, as the rules of the peer have it.
pub(crate) fn service(number: i64) -> String {
    format!("svc-{number:03}")
}

impl World {
    /// The labels of each series as they are scraped, without its name, and what it shows at a moment.
    fn series(self) -> impl Iterator<Item = ([String; 3], impl Fn(i64) -> i64)> {
        let all = (0..self.services).flat_map(|it| (0..INSTANCES).map(move |other| (it, other)));
        all.flat_map(move |(number, instance)| {
            CODES.into_iter().map(move |code| {
                let labels = [
                    service(number),
                    format!("{}-{instance}", service(number)),
                    code.to_owned(),
                ];
                let requests = 1 + number % 9 + instance;
                let value = move |second: i64| match code {
                    "500" => (second - self.begin) * requests / 2_000,
                    _ => (second - self.begin) * requests,
                };
                (labels, value)
            })
        })
    }

    /// All series with their samples of a stretch of the past, for remote write.
    #[expect(clippy::cast_precision_loss, reason = "they are far below 2^53")]
    pub(crate) fn samples(self, from: i64, to: i64) -> Vec<(Labels, Vec<(i64, f64)>)> {
        let written = |([service, instance, code], value): ([String; 3], _)| {
            let labels = [
                ("__name__", "http_requests_total"),
                ("job", "bench"),
                ("service", &*service),
                ("instance", &*instance),
                ("code", &*code),
            ];
            (labels.into_iter().collect(), every_step(from, to, value))
        };
        self.series()
            .map(|(labels, value)| written((labels, move |second| value(second) as f64)))
            .collect()
    }

    fn page(self) -> String {
        let now = Clock::System.now().as_second();
        let mut page = String::from("# TYPE http_requests_total counter\n");
        for ([service, instance, code], value) in self.series() {
            writeln!(
                page,
                r#"http_requests_total{{service="{service}",instance="{instance}",code="{code}"}} {}"#,
                value(now)
            )
            .unwrap();
        }
        page
    }

    /// Serves the page; returns where.
    pub(crate) async fn serve(self) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/metrics", get(move || async move { self.page() }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    /// The objectives as Sloburn has them: the same as the peer's.
    pub(crate) fn definitions(self) -> String {
        let document = |number| {
            let service = service(number);
            format!(
                "---\napiVersion: sloburn.dev/v1\nkind: ServiceObjectives\nmetadata: {{name: {service}}}\nspec:\n  window: 30d\n  \
                 objectives:\n    - name: availability\n      objective: 99.9%\n      errors:\n        \
                 total: http_requests_total{{job=\"bench\",service=\"{service}\"}}\n        badWhere: code=~\"5..\"\n"
            )
        };
        (0..self.services).map(document).collect()
    }
}

/// A sample for each step of a stretch.
pub(crate) fn every_step(from: i64, to: i64, value: impl Fn(i64) -> f64) -> Vec<(i64, f64)> {
    let seconds = (from..to).step_by(usize::try_from(STEP).unwrap());
    seconds
        .map(|second| (second * 1_000, value(second)))
        .collect()
}
