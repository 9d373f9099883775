//! Counts are exact: what an objective's window holds is what the exporters' own logs of their scrapes say.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use sloburn::clock::Clock;
use sloburn::domain::time::{Span, Timestamp};
use sloburn::status::view::list::ListView;
use sloburn::status::view::slo::SloView;
use tokio::time::sleep;

use crate::support::daemon::{Daemon, Files};
use crate::support::exporter::{Exporter, Mood, ROUTES, increase};
use crate::support::print;
use crate::support::tools::{RealServer, scrape_config};

/// After so long everything is settled: the settle time, and a block of its grid.
const SETTLED: Span = Span::from_secs(22);

/// One exporter for each name, with events per second and the share of them that fails.
const WORLD: [(&str, (f64, f64)); 3] = [
    ("one", (1_137.3, 0.05)),
    ("two", (613.1, 0.013)),
    ("three", (121.9, 0.31)),
];

struct World {
    exporters: Vec<(&'static str, Exporter)>,
    daemon: Daemon,
    prometheus: RealServer,
}

#[tokio::test]
async fn counts_are_exact_with_prometheus_3() {
    play(|config| async move { RealServer::prometheus(&config).await }).await;
}

#[tokio::test]
async fn counts_are_exact_with_prometheus_2() {
    play(|config| async move { RealServer::prometheus2(&config).await }).await;
}

#[tokio::test]
async fn counts_are_exact_with_victoria_metrics() {
    play(|config| async move { RealServer::victoria_metrics(&config).await }).await;
}

/// Three times over, with traffic all the time: targets start anew, scrapes fail, Prometheus and the daemon are killed.
async fn play<S: Future<Output = Option<RealServer>>>(server: impl FnOnce(String) -> S) {
    let Some(mut world) = World::start(server).await else {
        return;
    };
    for round in 0..3 {
        let restarted = ["one", "two", "three"][round];
        world.traffic();
        sleep(Duration::from_secs(6)).await;
        world.fail(Mood::Refusing).await;
        world.prometheus.restart().await;
        world.scraped().await;
        // What is provisional is lost with the process, and read again.
        world.daemon.kill();
        sleep(Duration::from_secs(2)).await;
        world.daemon.start().await;
        world.fail(Mood::Hanging).await;
        // At the end, so that what the new process counts stays far below what the old one did until it is seen: a server
        // that is killed may lose the last seconds.
        world.restart(restarted).await;
    }
    world.idle().await;

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
    async fn start<S: Future<Output = Option<RealServer>>>(
        server: impl FnOnce(String) -> S,
    ) -> Option<Self> {
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
        let prometheus = server(scrape_config(Duration::from_secs(1), &targets)).await?;
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
            prometheus,
        };
        // The first value of every series is 0, and seen.
        world.scraped().await;
        world.daemon.start().await;
        Some(world)
    }

    fn traffic(&self) {
        for ((_, exporter), (_, (rate, share))) in self.exporters.iter().zip(WORLD) {
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

    /// Restarts an exporter, which is not there for a while then, while the others go on.
    ///
    /// Traffic comes in at once, so that the first value of the new process is one that is not zero.
    async fn restart(&self, name: &str) {
        let exporters = self.exporters.iter().zip(WORLD);
        let mut named = exporters.filter(|((found, _), _)| *found == name);
        let ((_, exporter), (_, (rate, share))) = named.next().expect("it is known");
        exporter.idle();
        exporter.scraped(3).await;
        exporter.go_down();
        sleep(Duration::from_millis(1_500)).await;
        exporter.restart();
        exporter.traffic(rate, share);
        exporter.scraped(2).await;
    }

    /// Lets scrapes of two exporters fail for a while.
    async fn fail(&self, mood: Mood) {
        for (_, exporter) in &self.exporters[..2] {
            exporter.answer(mood);
        }
        sleep(Duration::from_secs(3)).await;
        for (_, exporter) in &self.exporters[..2] {
            exporter.answer(Mood::Well);
        }
        self.scraped().await;
    }

    async fn scraped(&self) {
        for (_, exporter) in &self.exporters {
            exporter.scraped(2).await;
        }
    }

    /// Compares every series once the daemon shows a tick at or after `at`.
    async fn check(&self, at: Timestamp, when: &str) {
        let is_shown = |page: &ListView<SloView>| page.at.is_some_and(|shown| shown.0 >= at);
        let slos = self.daemon.slos_once(is_shown).await;
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
