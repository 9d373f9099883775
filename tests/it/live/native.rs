//! Native histograms as they are scraped: what the daemon counts of them is what the exporter showed.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use sloburn::clock::Clock;
use sloburn::domain::time::{Span, Timestamp};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::daemon::{Daemon, Files};
use crate::support::dice::Dice;
use crate::support::native::{Native, SCRAPED_AS, scraped};
use crate::support::print;
use crate::support::tools::{RealServer, scrape_config};

/// The first of eight buckets, each twice as wide as the one before, ends at 2^-5 s. The fourth ends at the threshold.
const FIRST: i32 = -5;
const WITHIN: usize = 4;
const BUCKETS: usize = 8;

const DEFINITIONS: &str = "\
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: rpc}
spec:
  window: 1d
  alertPolicy: none
  objectives:
    - {name: fast, objective: 90%, latency: {histogram: rpc_duration_seconds, atMost: 250ms, native: true}}
";

/// A process with one native histogram; it logs what it showed.
#[derive(Debug)]
struct Process {
    counts: [u64; BUCKETS],
    /// Events above the threshold, and all of them, by scrape.
    shown: Vec<(u64, u64)>,
}

impl Process {
    fn events(&self) -> (u64, u64) {
        let (_, bad) = self.counts.split_at(WITHIN);
        (bad.iter().sum(), self.counts.iter().sum())
    }
}

async fn metrics(State(process): State<Arc<Mutex<Process>>>) -> Response {
    let mut process = process.lock().unwrap();
    let histogram = Native {
        positive: (FIRST, process.counts.to_vec()),
        ..Native::default()
    };
    let events = process.events();
    process.shown.push(events);
    let page = scraped("rpc_duration_seconds", &[("method", "Pay")], &histogram);
    ([(header::CONTENT_TYPE, SCRAPED_AS)], page).into_response()
}

/// Serves the process; stops when it is dropped.
async fn serve(process: Arc<Mutex<Process>>) -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/metrics", get(metrics))
        .with_state(process);
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, server)
}

/// What was shown grew by, from the first scrape on; after a restart all that is shown is new.
fn grown(shown: &[(u64, u64)]) -> (u64, u64) {
    let pairs = shown.iter().zip(shown.iter().skip(1));
    pairs.fold((0, 0), |(bad, total), (before, now)| {
        let base = if now.1 < before.1 { (0, 0) } else { *before };
        (bad + now.0 - base.0, total + now.1 - base.1)
    })
}

#[tokio::test]
async fn native_histograms_that_are_scraped_are_counted_over_restarts() {
    let process = Arc::new(Mutex::new(Process {
        counts: [5; BUCKETS],
        shown: Vec::new(),
    }));
    let (address, _server) = serve(Arc::clone(&process)).await;
    let scrapes = scrape_config(Duration::from_secs(1), &[("rpc", address)]);
    let native = "global: {scrape_native_histograms: true, ";
    let config = scrapes.replacen("global: {", native, 1);
    let Some(prometheus) = RealServer::prometheus(&config).await else {
        return;
    };
    let mut dice = Dice::cast();
    print(&format!("seed {}", dice.seed()));
    let scraped = async |more: usize| {
        let wanted = process.lock().unwrap().shown.len() + more;
        while process.lock().unwrap().shown.len() < wanted {
            sleep(Duration::from_millis(50)).await;
        }
    };
    scraped(2).await;
    let mut daemon = Daemon::prepare(&Files {
        config: &format!(
            "tick: 1s\nsources: {{default: {{prometheus: {{url: '{}', offset: 2s, settle: 10s, scrapeInterval: 1s}}}}}}\n",
            prometheus.url()
        ),
        definitions: DEFINITIONS,
        ..Files::default()
    });
    daemon.start().await;
    for life in 0..2 {
        for _ in 0..30 {
            let bucket = usize::try_from(dice.below(BUCKETS as u64)).unwrap();
            process.lock().unwrap().counts[bucket] += 1 + dice.below(90);
            sleep(Duration::from_millis(200)).await;
        }
        scraped(2).await;
        if life == 0 {
            // The process ends and another one takes its place, with little in its histogram.
            process.lock().unwrap().counts = [1; BUCKETS];
            scraped(2).await;
        }
    }
    // Nothing happens any more, so that it does not matter how long a scrape was on its way.
    let now: Timestamp = Clock::System.now().into();
    let past = now + Span::from_secs(2);
    let slos = daemon
        .slos_once(|page| page.at.is_some_and(|at| at.0 >= past))
        .await;
    let [slo] = &*slos else {
        panic!("one objective, and not {slos:#?}");
    };
    let own = [slo.window.bad.0, slo.window.total.0].map(|it| format!("{it}"));
    let (bad, total) = grown(&process.lock().unwrap().shown);
    assert_eq!(own, [bad.to_string(), total.to_string()], "{slo:#?}");
    assert!(bad > 100 && total > bad + 100, "{bad} of {total}");
    print(&format!("{bad} of {total} events of a native histogram"));
}
