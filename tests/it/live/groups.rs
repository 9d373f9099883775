//! Groups on a real Prometheus: they come and go while it is scraped, and each counts what its own series show.

use std::collections::BTreeMap;
use std::time::Duration;

use sloburn::clock::Clock;
use sloburn::domain::time::{Span, Timestamp};
use sloburn::status::names::Measured;
use sloburn::status::view::list::ListView;
use sloburn::status::view::slo::SloView;
use tokio::time::sleep;

use crate::support::daemon::{Daemon, Files};
use crate::support::dice::Dice;
use crate::support::exporter::{Exporter, Mood, increase};
use crate::support::print;
use crate::support::tools::{RealServer, scrape_config};

const CLUSTERS: [&str; 2] = ["eu1", "us1"];
const EVERY: Duration = Duration::from_millis(200);

/// After so long everything is settled: the settle time, and a block of its grid.
const SETTLED: Span = Span::from_secs(22);

const DEFINITIONS: &str = r#"
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: shop}
spec:
  window: 30d
  alertPolicy: present
  objectives:
    - name: route
      objective: 99%
      groupBy: [route]
      alsoWhole: true
      overrides: [{where: 'route="/list"', objective: 90%}]
      errors: &requests {total: shop_requests_total, badWhere: 'code="500"'}
    - name: cluster
      objective: 99%
      groupBy: [cluster]
      alsoWhole: true
      expect: {cluster: [eu1, us1]}
      errors: *requests
    - {name: cell, objective: 99%, groupBy: [cluster, route], errors: *requests}
    - {name: few, objective: 99%, groupBy: [route], maxGroups: 3, errors: *requests}
"#;

/// What happened in the last ten seconds is the present.
const POLICY: &str = "
apiVersion: sloburn.dev/v1
kind: AlertPolicy
metadata: {name: present}
spec:
  tiers: [{name: never, severity: ticket, long: 60s, short: 10s, bad: 1000000}]
";

/// Two clusters of one shop, the Prometheus that scrapes both, and the daemon.
struct World {
    clusters: [Exporter; 2],
    routes: Vec<&'static str>,
    dice: Dice,
    daemon: Daemon,
    _prometheus: RealServer,
}

#[tokio::test]
async fn groups_come_and_go_and_each_counts_its_own() {
    let Some(mut world) = World::start().await else {
        return;
    };
    world.traffic(25).await;
    let known = ["/list", "/old", "/pay"];
    world.check(&known, "with all that were there").await;

    world.routes.push("/new");
    world.traffic(25).await;
    world.end("/old");
    world.traffic(60).await;
    let all = ["/list", "/new", "/old", "/pay"];
    world.check(&all, "with one more, and one that ended").await;

    world.clusters[1].answer(Mood::Refusing);
    world.traffic(25).await;
    world.a_cluster_is_missing().await;
    // What is provisional is lost with the process, and read again.
    world.daemon.kill();
    world.traffic(5).await;
    world.daemon.start().await;
    world.a_cluster_is_missing().await;
    world.clusters[1].answer(Mood::Well);
    world.traffic(25).await;
    world.check(&all, "with the cluster that was away").await;

    world.shown(now() + SETTLED).await;
    world.check(&all, "settled").await;
    assert!(world.daemon.terminate().await.success());
    world.daemon.start().await;
    world.check(&all, "after a restart").await;
}

impl World {
    async fn start() -> Option<Self> {
        let start = async || Exporter::start().await.expect("loopback has a free port");
        let clusters = [start().await, start().await];
        let targets = [0, 1].map(|it| (CLUSTERS[it], clusters[it].address()));
        let prometheus =
            RealServer::prometheus(&scrape_config(Duration::from_secs(1), &targets)).await?;
        let daemon = Daemon::prepare(&Files {
            config: &format!(
                "tick: 1s\nsources: {{default: {{prometheus: {{url: '{}', offset: 2s, settle: 10s, scrapeInterval: 1s}}}}}}\n",
                prometheus.url()
            ),
            definitions: DEFINITIONS,
            alerts: POLICY,
            ..Files::default()
        });
        let mut world = Self {
            clusters,
            routes: vec!["/list", "/old", "/pay"],
            dice: Dice::cast(),
            daemon,
            _prometheus: prometheus,
        };
        print(&format!("seed {}", world.dice.seed()));
        // The first value of every series is one that is not zero, and seen.
        world.traffic(1).await;
        world.scraped().await;
        world.daemon.start().await;
        Some(world)
    }

    /// Counts events of all routes so many times, and waits until the last of them are seen.
    async fn traffic(&mut self, times: usize) {
        for _ in 0..times {
            for (exporter, cluster) in self.clusters.iter().zip(CLUSTERS) {
                for route in &self.routes {
                    for (code, most) in [("200", 90), ("500", 9)] {
                        let events = u32::try_from(self.dice.below(most)).unwrap();
                        exporter.count(&series(cluster, route, code), events);
                    }
                }
            }
            sleep(EVERY).await;
        }
        self.scraped().await;
    }

    /// What is there is scraped; who refuses is not waited for.
    async fn scraped(&self) {
        for exporter in &self.clusters {
            if exporter.mood() == Mood::Well {
                exporter.scraped(2).await;
            }
        }
    }

    /// A route has no series any more, in no cluster.
    fn end(&mut self, route: &str) {
        self.routes.retain(|it| *it != route);
        for exporter in &self.clusters {
            exporter.forget(|series| series.ends_with(&format!(r#"route="{route}"}}"#)));
        }
    }

    /// What the exporters showed of the series with all of these labels: bad and all.
    fn truth(&self, group: &BTreeMap<String, String>) -> (f64, f64) {
        let labels = group.iter();
        let labels: Vec<String> = labels.map(|(n, v)| format!("{n}={v:?}")).collect();
        let of = |code: &str| {
            let is_it = |series: &str| {
                let code = format!("code={code:?}");
                series.starts_with("shop_requests_total{")
                    && labels.iter().chain([&code]).all(|it| series.contains(it))
            };
            let grown = |it: &Exporter| increase(&it.scrapes(), is_it);
            self.clusters.iter().map(grown).sum::<f64>()
        };
        (of("500"), of("200") + of("500"))
    }

    async fn shown(&self, at: Timestamp) -> Vec<SloView> {
        let is_shown = |page: &ListView<SloView>| page.at.is_some_and(|shown| shown.0 >= at);
        self.daemon.slos_once(is_shown).await
    }

    /// Compares every instance, and which there are, once the daemon shows what was scraped until now.
    async fn check(&self, routes: &[&str], when: &str) {
        let slos = self.shown(now() + Span::from_secs(1)).await;
        let mut wanted: Vec<String> = Vec::new();
        let known = ["/list", "/old", "/pay"];
        wanted.extend(["shop/route", "shop/cluster"].map(str::to_owned));
        wanted.extend(
            routes
                .iter()
                .map(|it| format!("shop/route{{route={it:?}}}")),
        );
        wanted.extend(known.map(|it| format!("shop/few{{route={it:?}}}")));
        for cluster in CLUSTERS {
            wanted.push(format!("shop/cluster{{cluster={cluster:?}}}"));
            let cell = |it: &&str| format!("shop/cell{{cluster={cluster:?},route={it:?}}}");
            wanted.extend(routes.iter().map(cell));
        }
        wanted.sort();
        let mut ids: Vec<&String> = slos.iter().map(|slo| &slo.id).collect();
        ids.sort();
        assert_eq!(ids, wanted.iter().collect::<Vec<_>>(), "{when}");
        for slo in &slos {
            let counted = (slo.window.bad.0, slo.window.total.0);
            let exact = self.truth(&slo.group);
            assert_eq!(counted, exact, "{when}, {}: counted and exact", slo.id);
            assert!(exact.0 > 0.0, "{when}, {}: nothing failed", slo.id);
            let percent = if slo.name == "route" && is_route(slo, "/list") {
                "90"
            } else {
                "99"
            };
            assert_eq!(slo.objective_percent, percent, "{}", slo.id);
            let allowed = exact.1 * (1.0 - percent.parse::<f64>().unwrap() / 100.0);
            let shown = slo.budget.allowed.expect("events make a budget").0;
            assert!((shown - allowed).abs() < 1e-6, "{}: {shown}", slo.id);
            assert!(slo.measured, "{when}: {slo:#?}");
            if is_route(slo, "/old") && routes.len() > 3 {
                assert_eq!(slo.measurement.outcome, Measured::NoTraffic);
            }
        }
        self.refused(&slos, u64::from(routes.len() > 3)).await;
        print(&format!("{} groups are exact, {when}", slos.len()));
    }

    /// How many routes `few` has no place for, as the API and the metrics tell it.
    async fn refused(&self, slos: &[SloView], refused: u64) {
        let few = slos.iter().filter(|slo| slo.name == "few");
        for grouping in few.map(|slo| slo.grouping.expect("it is grouped")) {
            let told = (grouping.groups, grouping.max_groups, grouping.refused);
            assert_eq!(told, (3, 3, refused));
        }
        let metrics = self.daemon.text("/metrics").await;
        let is_it = |line: &&str| {
            line.starts_with("sloburn_groups_refused{") && line.contains(r#"slo="shop/few""#)
        };
        let line = metrics.lines().find(is_it).expect("a metric tells of it");
        assert!(line.ends_with(&format!("}} {refused}.0")), "{line}");
    }

    /// The cluster that is away is not measured, the whole only in part, and all others as before.
    async fn a_cluster_is_missing(&self) {
        let away = r#"shop/cluster{cluster="us1"}"#;
        let is_away = |slo: &SloView| slo.id == away && slo.measurement.outcome == Measured::NoData;
        let slos = self
            .daemon
            .slos_once(|page| page.items.iter().any(is_away))
            .await;
        for slo in slos {
            let (outcome, reason) = (slo.measurement.outcome, slo.measurement.reason.as_deref());
            let reason = reason.unwrap_or_default();
            match &*slo.id {
                "shop/cluster" => {
                    assert_eq!(outcome, Measured::Partial, "{slo:#?}");
                    assert!(reason.contains(r#"{cluster="us1"}"#), "{reason}");
                }
                id if id == away => assert!(
                    reason.starts_with("`shop_requests_total` has had no sample since"),
                    "{reason}"
                ),
                _ => assert!(slo.measured, "{slo:#?}"),
            }
        }
    }
}

fn is_route(slo: &SloView, route: &str) -> bool {
    slo.group.get("route").is_some_and(|it| it == route)
}

fn series(cluster: &str, route: &str, code: &str) -> String {
    format!("shop_requests_total{{cluster={cluster:?},code={code:?},route={route:?}}}")
}

fn now() -> Timestamp {
    Clock::System.now().into()
}
