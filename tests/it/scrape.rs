//! Objectives over pages that are scraped without a Prometheus: counts are exact, and a target that fails is
//! unmeasured while the others go on.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use sloburn::clock::Clock;
use sloburn::definitions::{self, Options};
use sloburn::domain::slo::{Catalog, SourceName};
use sloburn::domain::time::{Span, Timestamp};
use sloburn::engine::settings::{Settings, SourceSettings};
use sloburn::engine::shell::{Engine, Parts};
use sloburn::source::AnySource;
use sloburn::source::scrape::{ScrapeSettings, ScrapeSource, Target};
use sloburn::status::board::Board;
use sloburn::store::memory::MemoryStore;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

const TICK: Span = Span::from_secs(30);
const INTERVAL: Span = Span::from_secs(15);
const SETTLE: Span = Span::from_mins(1);

/// A service that has answered this many requests, a tenth of them badly; `None` while it is down.
type Shown = Arc<Mutex<Option<u64>>>;

async fn serve(shown: Shown, serving: &mut JoinSet<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    let page = move || {
        let shown = *shown.lock().unwrap();
        async move {
            let requests = shown.ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
            let (good, bad) = (requests - requests / 10, requests / 10);
            Ok::<_, StatusCode>(format!(
                "http_requests_total{{code=\"200\"}} {good}\nhttp_requests_total{{code=\"500\"}} {bad}\n"
            ))
        }
    };
    let routes = Router::new().route("/metrics", get(page));
    serving.spawn(async move { axum::serve(listener, routes).await.unwrap() });
    url
}

fn catalog() -> Catalog {
    let service = |name: &str| {
        format!(
            "apiVersion: sloburn.dev/v1\nkind: ServiceObjectives\nmetadata: {{name: {name}}}\nspec:\n  source: laptop\n  alertPolicy: none\n  \
             window: 30d\n  objectives:\n    - name: availability\n      objective: 99%\n      errors:\n        \
             total: http_requests_total{{job=\"{name}\"}}\n        badWhere: code=~\"5..\"\n"
        )
    };
    let files =
        ["steady", "failing"].map(|name| (PathBuf::from(format!("{name}.yaml")), service(name)));
    let (catalog, diagnostics) = definitions::read(&files, &Options::default());
    catalog.unwrap_or_else(|| panic!("{}", diagnostics.render_lines()))
}

#[tokio::test]
async fn a_failing_target_is_unmeasured_and_the_others_count_on() {
    let mut serving = JoinSet::new();
    let (steady, failing) = (Shown::default(), Shown::default());
    let target = |url: String, job: &str| Target {
        url,
        labels: BTreeMap::from([("job".to_owned(), job.to_owned())]),
    };
    let name = SourceName::new("laptop");
    let source = ScrapeSource::new(ScrapeSettings {
        name: name.clone(),
        interval: INTERVAL,
        timeout: Duration::from_mins(1),
        max_body_bytes: 1 << 20,
        settle: SETTLE,
        tick: TICK,
        targets: vec![
            target(serve(Arc::clone(&steady), &mut serving).await, "steady"),
            target(serve(Arc::clone(&failing), &mut serving).await, "failing"),
        ],
    });
    let source = Arc::new(AnySource::Scrape(Box::new(source.unwrap())));
    let AnySource::Scrape(scraper) = &*source else {
        unreachable!("it was just made")
    };

    let first = Timestamp::from_millis(1_900_000_000_000).floor_to(Span::from_hours(1));
    let board = Arc::new(Board::new(first));
    let settings = Settings {
        tick: TICK,
        slot: TICK,
        sources: BTreeMap::from([(
            name.clone(),
            SourceSettings {
                settle: SETTLE,
                scrape_interval: Some(INTERVAL),
                ..SourceSettings::default()
            },
        )]),
        ..Settings::default()
    };
    let parts = Parts {
        sources: BTreeMap::from([(name, Arc::clone(&source))]),
        store: Arc::new(MemoryStore::default()),
        clock: Clock::simulated(first.to_jiff()),
        board: Arc::clone(&board),
        wake: Arc::new(Notify::new()),
    };
    let mut engine = Engine::start(settings, Arc::new(catalog()), parts)
        .await
        .unwrap();

    let requests = AtomicU64::new(1_000);
    let mut seen = Vec::new();
    for number in 0_i64..24 {
        let requests = requests.fetch_add(50, Ordering::Relaxed);
        let at = first + Span::from_millis(number * INTERVAL.as_millis());
        *steady.lock().unwrap() = Some(requests);
        // Down for two minutes: from the seventh scrape up to the fifteenth.
        *failing.lock().unwrap() = Some(requests).filter(|_| !(7..15).contains(&number));
        scraper.scrape(at).await;
        if number % 2 == 0 {
            engine.tick(at).await;
            let snapshot = board.read().snapshot;
            let slos = snapshot.slos.iter().map(|slo| {
                let counts = slo.window.counts;
                let spread = if slo.reconstructed_share > 0.0 {
                    " spread"
                } else {
                    ""
                };
                let outcome = slo.measurement.outcome.name();
                format!(
                    "{} {outcome} {}/{}{spread}",
                    slo.slo.service, counts.bad, counts.total
                )
            });
            seen.push(format!(
                "{:>3}s {}",
                at.since(first).as_millis() / 1_000,
                slos.collect::<Vec<_>>().join(" · ")
            ));
        }
    }
    // Nothing is lost: after its return the gap is spread over its slots, and both have counted the same.
    insta::assert_snapshot!(seen.join("\n"), @r"
      0s failing noData 0/0 · steady noData 0/0
     30s failing measured 10/100 · steady measured 10/100
     60s failing measured 20/200 · steady measured 20/200
     90s failing measured 30/300 · steady measured 30/300
    120s failing measured 30/300 · steady measured 40/400
    150s failing noData 30/300 · steady measured 50/500
    180s failing noData 30/300 · steady measured 60/600
    210s failing noData 30/300 · steady measured 70/700
    240s failing measured 80/800 spread · steady measured 80/800
    270s failing measured 90/900 spread · steady measured 90/900
    300s failing measured 100/1000 spread · steady measured 100/1000
    330s failing measured 110/1100 spread · steady measured 110/1100
    ");
}
