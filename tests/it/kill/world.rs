//! A Prometheus, an exporter, and two daemons that watch it: one to be killed and one to be spared.

use std::sync::Arc;
use std::time::Duration;

use sloburn::clock::Clock;
use sloburn::domain::time::{Span, Timestamp};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::support::exporter::Exporter;
use crate::support::tools::{RealServer, scrape_config};

use super::calls::copies;
use super::contender::{Contender, OFFSET, SETTLE};
use super::kills::{Kills, Phase};

/// Events a second.
const RATE: f64 = 1_000.0;

/// Everything of the play.
#[derive(Debug)]
pub(super) struct World {
    pub(super) victim: Contender,
    pub(super) spared: Contender,
    pub(super) kills: Kills,
    exporter: Arc<Exporter>,
    _prometheus: RealServer,
}

impl World {
    /// Starts everything, in good health; `None` where tests with real servers are not asked for.
    pub(super) async fn start() -> Option<Self> {
        let exporter = Exporter::start().await.expect("an exporter can be started");
        // Scraped twice, at different moments, so that what is covered is a union.
        let targets = [("shop", exporter.address()), ("till", exporter.address())];
        let config = scrape_config(Duration::from_secs(1), &targets);
        let prometheus = RealServer::prometheus(&config).await?;
        exporter.traffic(RATE, 0.0);
        exporter.scraped(5).await;
        let mut world = Self {
            victim: Contender::new(&prometheus.url()).await,
            spared: Contender::new(&prometheus.url()).await,
            kills: Kills::default(),
            exporter: Arc::new(exporter),
            _prometheus: prometheus,
        };
        world.spared.start().await;
        world.victim.start().await;
        Some(world)
    }

    /// Lets a fifth of all requests fail for a while, and the exporter be down and start anew, again and again, until
    /// what is returned is dropped.
    pub(super) fn weather(&self) -> JoinSet<()> {
        let exporter = Arc::clone(&self.exporter);
        let mut weather = JoinSet::new();
        weather.spawn(async move {
            loop {
                exporter.traffic(RATE, 0.2);
                sleep(Duration::from_secs(8)).await;
                exporter.traffic(RATE, 0.0);
                sleep(Duration::from_secs(12)).await;
                exporter.idle();
                exporter.go_down();
                // Long enough to be a gap, over which the first samples afterwards are spread.
                sleep(Duration::from_secs(5)).await;
                exporter.restart();
                exporter.traffic(RATE, 0.0);
                sleep(Duration::from_secs(9)).await;
            }
        });
        weather
    }

    /// Ends all errors, and waits until both daemons have closed and told everything and settled what came before.
    pub(super) async fn calm_down(&mut self) {
        self.exporter.idle();
        self.exporter.restart();
        self.exporter.traffic(RATE, 0.0);
        self.victim.start().await;
        // A block is settled at most this long after it began; a busy machine takes a little longer.
        sleep((SETTLE + SETTLE + OFFSET + Span::from_secs(6)).to_std()).await;
        for contender in [&mut self.victim, &mut self.spared] {
            let deadline = Instant::now() + Duration::from_mins(2);
            while contender.has_more_to_do().await {
                assert!(Instant::now() < deadline, "{}", contender.daemon.log());
                sleep(Duration::from_millis(500)).await;
            }
            let status = contender.daemon.terminate().await;
            assert!(status.success(), "{}", contender.daemon.log());
        }
    }

    /// Kills the victim; says whether that was inside a send: Slack had taken a call and the store does not know of it.
    pub(super) async fn kill(&mut self, phase: Phase) -> bool {
        let unknown = self.victim.kill().await;
        let taken = copies(self.victim.accepted());
        self.kills.note(phase, &taken, &unknown)
    }

    /// Kills the victim; says whether that was before the tick `at`, or one after it, committed what it settles.
    pub(super) async fn kill_before_commit(&mut self, at: Timestamp) -> bool {
        let unknown = self.victim.kill().await;
        let recovered = self.victim.recover().await;
        let mut families = recovered.families.values();
        let before = families.all(|family| family.settled_to < at - SETTLE);
        let phase = if before {
            Phase::BeforeCommit
        } else {
            Phase::Elsewhere
        };
        let taken = copies(self.victim.accepted());
        self.kills.note(phase, &taken, &unknown);
        before
    }
}

pub(super) fn now() -> Timestamp {
    Clock::System.now().into()
}

/// Waits until it is so; `false` when it never was.
pub(super) async fn until(mut so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + Duration::from_mins(1);
    while Instant::now() < deadline {
        if so() {
            return true;
        }
        sleep(Duration::from_millis(20)).await;
    }
    false
}
