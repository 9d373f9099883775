//! Days that were written before the daemon began, and traffic that goes on while it and Prometheus are killed: every slot
//! holds what was written.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::Value;
use sloburn::clock::Clock;
use sloburn::domain::labels::Labels;
use sloburn::domain::slot::Slot;
use sloburn::domain::time::{Span, Timestamp};
use sloburn::store::Store as _;
use sloburn::store::sqlite::SqliteStore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::daemon::{Daemon, Files};
use crate::support::print;
use crate::support::remote_write::{self, Written};
use crate::support::shop::until;
use crate::support::tools::RealServer;

/// Seconds between two samples; a tick and a slot are as long.
const SCRAPE: i64 = 5;

/// When in its slot a sample lies.
const PHASE: i64 = 2;

const HOUR: i64 = 3_600 / SCRAPE;

/// How much was written before, in scrapes.
const HISTORY: i64 = 72 * HOUR;

/// One counter of a process is reset so long before the end of the history, and one series begins.
const RESET: i64 = 30 * HOUR;
const BORN: i64 = 25 * HOUR;

/// Code, instance, and what the counter grows by in each scrape.
const SERIES: [(&str, &str, i64); 4] = [
    ("200", "a", 7),
    ("200", "b", 3),
    ("500", "a", 1),
    ("500", "b", 2),
];

const CONFIG: &str = "tick: 5s\nsources: {default: {prometheus: {url: 'URL', offset: 2s, settle: 30s, scrapeInterval: 5s}}}\n";

const DEFINITIONS: &str = "\
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: shop}
spec:
  window: 4d
  alertPolicy: none
  objectives:
    - {name: it, objective: 99%, errors: {total: 'http_requests_total{job=\"shop\"}', badWhere: 'code=~\"5..\"'}}
";

/// After so long everything is settled: the settle time, a block of its grid, and a little for a busy machine.
const SETTLED: Span = Span::from_secs(75);

/// What is written, in closed form; scrapes are counted from the epoch on.
#[derive(Clone, Copy, Debug)]
struct Log {
    /// The first scrape after the history.
    now: i64,
}

impl Log {
    fn first(self) -> i64 {
        self.now - HISTORY
    }

    /// From which scrape on a series counts from zero.
    fn since(self, (code, instance, _): (&str, &str, i64), scrape: i64) -> i64 {
        match (code, instance) {
            ("200", "a") if scrape >= self.now - RESET => self.now - RESET,
            ("500", "b") => self.now - BORN,
            _ => self.first(),
        }
    }

    /// All samples in `[from, to)`.
    fn written(self, from: i64, to: i64) -> Vec<Written> {
        let written = SERIES.map(|series| {
            let (code, instance, each) = series;
            let labels = [
                ("__name__", "http_requests_total"),
                ("job", "shop"),
                ("instance", instance),
                ("code", code),
            ];
            let sample = |scrape: i64| {
                let counted = scrape - self.since(series, scrape);
                let value = i32::try_from(counted * each).expect("a small number");
                (counted >= 0).then(|| ((scrape * SCRAPE + PHASE) * 1_000, f64::from(value)))
            };
            let samples: Vec<_> = (from..to).filter_map(sample).collect();
            (labels.into_iter().collect::<Labels>(), samples)
        });
        written
            .into_iter()
            .filter(|(_, samples)| !samples.is_empty())
            .collect()
    }

    /// What is bad, and what there is at all, up to `end`.
    fn truth(self, end: Timestamp) -> (f64, f64) {
        let last = (end.as_millis() / 1_000 - PHASE).div_euclid(SCRAPE);
        let (mut bad, mut total) = (0, 0);
        for series in SERIES {
            // A reset loses what would have been counted between the last sample before it and it.
            let begins = if series.0 == "500" {
                self.since(series, last)
            } else {
                self.first()
            };
            let lost = i64::from(self.since(series, last) > begins);
            let counted = (last - begins - lost).max(0) * series.2;
            total += counted;
            bad += if series.0 == "500" { counted } else { 0 };
        }
        let number = |count: i64| f64::from(i32::try_from(count).expect("a small number"));
        (number(bad), number(total))
    }
}

/// Writes each scrape when its time has come, or as soon as Prometheus is there again; nothing is left out.
fn go_on(log: Log, url: String) -> (Arc<AtomicI64>, JoinSet<()>) {
    let reached = Arc::new(AtomicI64::new(log.now));
    let (told, mut writer) = (Arc::clone(&reached), JoinSet::new());
    writer.spawn(async move {
        for scrape in log.now.. {
            let due = Timestamp::from_millis((scrape * SCRAPE + PHASE) * 1_000);
            Clock::System.sleep_until(due.to_jiff()).await;
            while remote_write::write(&url, &log.written(scrape, scrape + 1))
                .await
                .is_err()
            {
                sleep(Duration::from_millis(100)).await;
            }
            told.store(scrape, Ordering::Relaxed);
        }
    });
    (reached, writer)
}

#[tokio::test]
async fn days_written_before_and_kills_of_everything_lose_and_double_nothing() {
    let Some(mut prometheus) = RealServer::prometheus("global: {}\n").await else {
        return;
    };
    let log = Log {
        now: Clock::System.now().as_second() / SCRAPE,
    };
    let before = log.written(log.first(), log.now);
    remote_write::write(&prometheus.url(), &before)
        .await
        .expect("it takes samples");
    let (reached, _writer) = go_on(log, prometheus.url());
    let mut daemon = Daemon::prepare(&Files {
        config: &CONFIG.replace("URL", &prometheus.url()),
        definitions: DEFINITIONS,
        ..Files::default()
    });
    // At first in the midst of counting the past.
    for lived in [2, 4, 11] {
        daemon.start().await;
        sleep(Duration::from_secs(lived)).await;
        daemon.kill();
        prometheus.stop();
        sleep(Duration::from_secs(3)).await;
        prometheus.start().await;
        daemon.start().await;
        sleep(Duration::from_secs(lived)).await;
        daemon.kill();
    }
    let killed = Timestamp::from_millis(reached.load(Ordering::Relaxed) * SCRAPE * 1_000);
    daemon.start().await;
    Clock::System
        .sleep_until((killed + SETTLED).to_jiff())
        .await;
    let is_counted = |status: &Value| status["sources"][0]["backfill"].is_null();
    until(
        &daemon,
        "/api/v1/status",
        "that all of the past is counted",
        is_counted,
    )
    .await;
    assert!(daemon.terminate().await.success(), "{}", daemon.log());
    let slots = stored(&daemon).await;
    let last = slots.last().map(|(end, _)| *end);
    assert!(
        last > Some(killed),
        "{last:?}: what came after the last kill is settled too"
    );
    let (mut bad, mut total, mut wrong) = (0.0, 0.0, Vec::new());
    for (end, slot) in &slots {
        bad += slot.counts.bad;
        total += slot.counts.total;
        if (bad, total) != log.truth(*end) {
            wrong.push(format!(
                "{end}: {bad} of {total}, not {:?}",
                log.truth(*end)
            ));
        }
        assert!(!slot.reconstructed, "{end}: nothing was missing");
    }
    wrong.truncate(20);
    assert_eq!(wrong, Vec::<String>::new());
    print(&format!(
        "Days and kills: {} slots, {bad} bad of {total}, all as written",
        slots.len()
    ));
    // Five-minute slots of what is older than six hours, five-second slots since.
    assert!(slots.len() > 66 * 12 + 5 * 720, "{}", slots.len());
}

/// All slots that the store holds, oldest first; the daemon must not run.
async fn stored(daemon: &Daemon) -> Vec<(Timestamp, Slot)> {
    let path = daemon.folder().join("sloburn.db");
    let opened = SqliteStore::open(&path, Clock::System.now().into()).await;
    let store = opened.expect("the store can be opened").store;
    let recovered = store
        .recover(Timestamp::EARLIEST)
        .await
        .expect("it can be read");
    let chunks = recovered.chunks.values();
    let mut slots: Vec<_> = chunks
        .flat_map(|chunk| chunk.slots().collect::<Vec<_>>())
        .collect();
    slots.sort_by_key(|(end, _)| *end);
    store.close().await.expect("the store can be closed");
    slots
}
