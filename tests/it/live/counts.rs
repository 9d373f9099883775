//! Counts are exact: what an objective's window holds is what the exporters' own logs of their scrapes say.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use sloburn::clock::Clock;
use sloburn::domain::time::{Span, Timestamp};
use sloburn::status::view::list::ListView;
use sloburn::status::view::slo::SloView;
use tokio::time::{Instant, sleep};

use crate::support::daemon::{Daemon, Files};
use crate::support::exporter::{Exporter, ROUTES, increase};
use crate::support::print;
use crate::support::tools::{RealServer, scrape_config};

const PATIENCE: Duration = Duration::from_mins(1);

/// After so long everything is settled: the settle time, and a block of its grid.
const SETTLED: Span = Span::from_secs(22);

/// One exporter for each name, with events per second and failing share of each of its runs.
const WORLD: [(&str, [(f64, f64); 3]); 3] = [
    ("one", [(1_137.3, 0.05), (61.9, 0.5), (400.0, 0.0)]),
    ("two", [(613.1, 0.013), (61.7, 0.2), (97.3, 0.5)]),
    ("three", [(12.9, 0.31), (7.1, 0.0), (3_211.7, 0.07)]),
];

struct World {
    exporters: Vec<(&'static str, Exporter)>,
    daemon: Daemon,
    _prometheus: RealServer,
}

#[tokio::test]
async fn every_event_between_the_first_and_the_last_scrape_is_counted_once() {
    let Some(mut world) = World::start().await else {
        return;
    };
    world.run(0, 8).await;
    world.restart(&["one", "two"]).await;
    world.traffic(1);
    sleep(Duration::from_secs(4)).await;
    // What is provisional is lost with the process, and read again.
    world.daemon.kill();
    sleep(Duration::from_secs(3)).await;
    world.daemon.start().await;
    world.idle().await;
    world.restart(&["two"]).await;
    world.run(2, 5).await;

    let last = Timestamp::from(Clock::System.now());
    world.check(last + Span::from_secs(1), "provisional").await;
    world.check(last + SETTLED, "settled").await;
    assert!(world.daemon.terminate().await.success());
    world.daemon.start().await;
    world
        .check(Clock::System.now().into(), "after a restart")
        .await;
}

impl World {
    async fn start() -> Option<Self> {
        let mut exporters = Vec::new();
        for (name, _) in WORLD {
            exporters.push((
                name,
                Exporter::start().await.expect("loopback has a free port"),
            ));
        }
        let targets: Vec<(&str, SocketAddr)> = exporters
            .iter()
            .map(|(name, exporter)| (*name, exporter.address()))
            .collect();
        let prometheus =
            RealServer::prometheus(&scrape_config(Duration::from_secs(1), &targets)).await?;
        let daemon = Daemon::prepare(&Files {
            config: &format!(
                "tick: 1s\nsources: {{default: {{prometheus: {{url: '{}', offset: 2s, settle: 10s, scrapeInterval: 1s}}}}}}\n",
                prometheus.url()
            ),
            definitions: &definitions(),
            ..Files::default()
        });
        let mut world = Self {
            exporters,
            daemon,
            _prometheus: prometheus,
        };
        // The first value of every series is 0, and seen.
        world.scraped().await;
        world.daemon.start().await;
        Some(world)
    }

    fn traffic(&self, run: usize) {
        for ((_, exporter), (_, runs)) in self.exporters.iter().zip(WORLD) {
            let (rate, share) = runs[run];
            exporter.traffic(rate, share);
        }
    }

    /// Stops the traffic, and waits until that was seen.
    async fn idle(&self) {
        for (_, exporter) in &self.exporters {
            exporter.idle();
        }
        self.scraped().await;
    }

    async fn run(&self, run: usize, seconds: u64) {
        self.traffic(run);
        sleep(Duration::from_secs(seconds)).await;
        self.idle().await;
    }

    /// Restarts some of the exporters, which are not there for a while then.
    ///
    /// Whoever lets traffic in at once makes the first value of the new process one that is not zero.
    async fn restart(&self, names: &[&str]) {
        let chosen = || {
            let chosen = self.exporters.iter();
            chosen.filter(|(name, _)| names.contains(name))
        };
        chosen().for_each(|(_, exporter)| exporter.go_down());
        sleep(Duration::from_millis(1_500)).await;
        chosen().for_each(|(_, exporter)| exporter.restart());
    }

    async fn scraped(&self) {
        for (_, exporter) in &self.exporters {
            exporter.scraped(2).await;
        }
    }

    /// Compares every series once the daemon shows a tick at or after `at`.
    async fn check(&self, at: Timestamp, when: &str) {
        let slos = self.slos_at(at).await;
        let (mut counted, mut exact) = (String::new(), String::new());
        for (name, exporter) in &self.exporters {
            let scrapes = exporter.scrapes();
            for (route, _) in ROUTES {
                let uid = format!("{name}/{}", route.trim_start_matches('/'));
                let slo = slos.iter().find(|slo| slo.uid == uid);
                let window = &slo.expect("every objective is shown").window;
                let of = |code| {
                    let series = format!(r#"http_requests_total{{code="{code}",route="{route}"}}"#);
                    increase(&scrapes, |it| it == series)
                };
                let (bad, total) = (window.bad.0, window.total.0);
                writeln!(counted, "{uid}: {} good, {bad} bad", total - bad)
                    .expect("a string can be written to");
                writeln!(exact, "{uid}: {} good, {} bad", of("200"), of("500"))
                    .expect("a string can be written to");
            }
        }
        assert_eq!(counted, exact, "{when}, counted and exact");
        print(&format!("Exact counts, {when}:\n{counted}"));
    }

    async fn slos_at(&self, at: Timestamp) -> Vec<SloView> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let page = self.daemon.json("/api/v1/slos").await;
            let page: ListView<SloView> =
                serde_json::from_value(page).expect("the API answers in the shape of its types");
            if page.at.is_some_and(|shown| shown.0 >= at) {
                return page.items;
            }
            assert!(
                Instant::now() < deadline,
                "no tick at {at}:\n{}",
                self.daemon.log()
            );
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// An objective for each route of each exporter, so that what is bad and what is not is one series each.
fn definitions() -> String {
    let documents = WORLD.map(|(name, _)| {
        let objectives = ROUTES.map(|(route, _)| {
            let objective = route.trim_start_matches('/');
            let total = format!(r#"http_requests_total{{job="{name}",route="{route}"}}"#);
            format!("    - {{name: {objective}, objective: 99%, errors: {{total: '{total}', badWhere: 'code=\"500\"'}}}}\n")
        });
        format!(
            "apiVersion: sloburn.dev/v1\nkind: ServiceObjectives\nmetadata: {{name: {name}}}\nspec:\n  window: 30d\n  alertPolicy: none\n  objectives:\n{}",
            objectives.concat()
        )
    });
    documents.join("---\n")
}
