//! What objectives cost the Prometheus that holds their series, beside Sloth's rules for the same objectives:
//! `cargo bench --bench cost -- RULES.yaml [--slos 100] [--phase 300] [--rounds 3]`.
//!
//! A Prometheus scrapes services whose past was written beforehand: three days of the counters, and thirty of what the
//! peer's rules would have recorded. Then phases follow in which nothing, the peer or Sloburn asks it for anything.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints real time, and fails where it fails"
)]

mod daemon;
mod peer;
#[expect(dead_code, reason = "tests write the ends of series, too")]
#[path = "../../tests/it/support/remote_write.rs"]
mod remote_write;
mod report;
#[path = "../support/mod.rs"]
mod support;
mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use sloburn::client;
use sloburn::clock::Clock;
use tempfile::TempDir;
use tokio::time::sleep;

use daemon::Daemon;
use peer::{RECORDED, Rules};
use report::{Phase, Report, Round};
use support::Server;
use world::{STEP, World, service};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// So long Prometheus must have compacted nothing to count as at rest.
const AT_REST: Duration = Duration::from_mins(2);
/// So long nothing is measured after something began or ended.
const PAUSE: Duration = Duration::from_secs(45);

struct Arguments {
    rules: PathBuf,
    slos: i64,
    phase: Duration,
    rounds: usize,
}

impl Arguments {
    fn read() -> Self {
        let given: Vec<String> = std::env::args()
            .skip(1)
            .filter(|it| it != "--bench")
            .collect();
        let number = |name: &str, default: u64| {
            let place = given.iter().position(|it| it == name);
            place.map_or(default, |place| given[place + 1].parse().unwrap())
        };
        let rules = given.first().filter(|it| !it.starts_with("--"));
        let rules =
            rules.expect("say where the peer's rules are: cargo bench --bench cost -- RULES.yaml");
        Self {
            rules: PathBuf::from(rules),
            slos: number("--slos", 100).cast_signed(),
            phase: Duration::from_secs(number("--phase", 300)),
            rounds: usize::try_from(number("--rounds", 3)).unwrap(),
        }
    }
}

/// Everything that takes part.
struct Stage {
    folder: TempDir,
    server: Server,
    rules: Rules,
    world: World,
    phase: Duration,
}

impl Stage {
    /// Fills a Prometheus with the past and lets it scrape the present.
    async fn set(arguments: &Arguments) -> Self {
        let rules = Rules::read(&arguments.rules);
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
        let folder = TempDir::new_in(target).unwrap();
        configure(folder.path(), "");
        let server = Server::start(folder.path()).await;
        let now = Clock::System.now().as_second() / STEP * STEP;
        let world = World {
            services: arguments.slos,
            begin: now - 4 * DAY,
        };
        let mut from = now - 30 * DAY - HOUR;
        while from < now {
            let to = (from + 6 * HOUR).min(now);
            let mut series = rules.samples(arguments.slos, from, to);
            if to > now - 3 * DAY {
                series.extend(world.samples(from.max(now - 3 * DAY), to));
            }
            remote_write::write(&server.url(), &series).await.unwrap();
            from = to;
        }
        let address = world.serve().await;
        let stage = Self {
            folder,
            server,
            rules,
            world,
            phase: arguments.phase,
        };
        let scrape = format!(
            "scrape_configs: [{{job_name: bench, honor_labels: true, static_configs: [{{targets: ['{address}']}}]}}]\n"
        );
        stage.reconfigure(&scrape).await;
        fs::write(stage.folder.path().join("scrape.yml"), scrape).unwrap();
        stage
    }

    async fn reconfigure(&self, more: &str) {
        configure(self.folder.path(), more);
        let reload = client::builder()
            .build()
            .unwrap()
            .post(format!("{}/-/reload", self.server.url()));
        assert!(
            reload.send().await.unwrap().status().is_success(),
            "Prometheus refused what it is to do"
        );
    }

    /// Lets the peer's rules be evaluated, or no longer.
    async fn evaluate_rules(&self, evaluated: bool) {
        let scrape = fs::read_to_string(self.folder.path().join("scrape.yml")).unwrap();
        if evaluated {
            let rules = self.rules.repeated(self.world.services);
            fs::write(self.folder.path().join("rules.yml"), rules).unwrap();
            self.reconfigure(&format!("{scrape}rule_files: [rules.yml]\n"))
                .await;
        } else {
            self.reconfigure(&scrape).await;
        }
    }

    /// The single number that an expression gives, 0 when it gives none.
    async fn ask(&self, expression: &str) -> f64 {
        let form = [("query", expression)];
        let query = client::builder()
            .build()
            .unwrap()
            .post(format!("{}/api/v1/query", self.server.url()))
            .form(&form);
        let reply: Value =
            serde_json::from_str(&query.send().await.unwrap().text().await.unwrap()).unwrap();
        let value = reply["data"]["result"][0]["value"][1].as_str();
        value.map_or(0.0, |it| it.parse().unwrap())
    }

    /// Waits until Prometheus has put away what was written.
    async fn come_to_rest(&self) {
        let mut before = -1.0;
        loop {
            let compactions = self
                .server
                .metric("prometheus_tsdb_compactions_total")
                .await;
            if compactions.to_bits() == f64::to_bits(before) {
                return;
            }
            before = compactions;
            sleep(AT_REST).await;
        }
    }

    /// What Prometheus uses in one phase.
    async fn measure(&self) -> Phase {
        let now = async || Phase {
            cpu: self.server.metric("process_cpu_seconds_total").await,
            samples: self
                .server
                .metric("prometheus_engine_query_samples_total")
                .await,
        };
        let before = now().await;
        sleep(self.phase).await;
        now().await.less(before)
    }

    /// Fails unless the peer has everything that its rules look at.
    async fn check_peer(&self) {
        let expected = f64::from(i32::try_from(self.world.services).unwrap());
        while self.ask("count(slo:sli_error:ratio_rate30d)").await < expected {
            sleep(Duration::from_secs(1)).await;
        }
        let recorded = format!(
            "count_over_time({RECORDED}{{sloth_service=\"{}\"}}[30d])",
            service(0)
        );
        let points = self.ask(&recorded).await;
        assert!(
            points >= 86_000.0,
            "30 days of {} have only {points} points",
            service(0)
        );
    }
}

fn configure(folder: &Path, more: &str) {
    let global = format!("global: {{scrape_interval: {STEP}s, evaluation_interval: {STEP}s}}\n");
    fs::write(folder.join("config.yml"), format!("{global}{more}")).unwrap();
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::read();
    let stage = Stage::set(&arguments).await;
    println!(
        "{} objectives x 10 series; phases of {} s",
        arguments.slos,
        arguments.phase.as_secs()
    );
    let mut daemon = Daemon::prepare(stage.folder.path(), stage.world, &stage.server.url());
    daemon.start().await;
    daemon.stop();
    stage.come_to_rest().await;
    let mut report = Report::new(stage.measure().await);
    for round in 1..=arguments.rounds {
        stage.evaluate_rules(true).await;
        stage.check_peer().await;
        sleep(PAUSE).await;
        let peer = stage.measure().await;
        stage.evaluate_rules(false).await;
        sleep(PAUSE).await;
        let between = stage.measure().await;
        daemon.start().await;
        sleep(PAUSE).await;
        let own = stage.measure().await;
        let measured = daemon.measured().await;
        assert_eq!(measured, arguments.slos, "not every objective was measured");
        daemon.stop();
        sleep(PAUSE).await;
        let after = stage.measure().await;
        let round_of = Round {
            peer,
            between,
            own,
            after,
        };
        println!("round {round}: {round_of}");
        report.add(round_of);
    }
    println!("{report}");
}
