//! Days that were written before the daemon began, and traffic that goes on while it and its server are killed: every slot
//! holds what was written.

mod log;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::Value;
use sloburn::clock::Clock;
use sloburn::domain::slot::Slot;
use sloburn::domain::time::{Span, Timestamp};
use sloburn::store::Store as _;
use sloburn::store::sqlite::SqliteStore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::support::daemon::{Daemon, Files};
use crate::support::shop::until;
use crate::support::tools::RealServer;
use crate::support::{print, remote_write};
use log::{Log, SCRAPE, Samples, counted, held, missing, recent, samples, time};

const CONFIG: &str = "tick: 5s\nsources: {default: {prometheus: {url: 'URL', offset: 2s, settle: 10s, scrapeInterval: 5s}}}\n";

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

/// A tick so much later has settled everything: the settle time, a block of its grid, and a slot.
const SETTLED: Span = Span::from_secs(25);

/// How long what was killed stays away, and the daemon goes on without a server.
const PAUSE: Duration = Duration::from_secs(1);

const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn days_and_kills_lose_and_double_nothing_with_prometheus_3() {
    play(RealServer::prometheus("global: {}\n").await, 0).await;
}

#[tokio::test]
async fn days_and_kills_lose_and_double_nothing_with_prometheus_2() {
    play(RealServer::prometheus2("global: {}\n").await, 0).await;
}

/// What VictoriaMetrics took it holds in memory for up to eight seconds, and a kill loses that.
#[tokio::test]
async fn days_and_kills_lose_and_double_nothing_with_victoria_metrics() {
    let server = RealServer::victoria_metrics("global: {}\n").await;
    play(server, 1).await;
}

/// `loses` says how many scrapes the server may lose with a kill, the last ones; the log is then what it still holds.
async fn play(server: Option<RealServer>, loses: i64) {
    let Some(mut server) = server else {
        return;
    };
    let log = Log {
        now: Clock::System.now().as_millisecond() / SCRAPE.as_millis(),
    };
    let history = log.written(log.first(), log.now);
    let written = remote_write::write(&server.url(), &history).await;
    written.expect("it takes samples");
    let writer = Writer::of(log, server.url());
    writer.up_to_date(&server).await;
    let mut daemon = Daemon::prepare(&Files {
        config: &CONFIG.replace("URL", &server.url()),
        definitions: DEFINITIONS,
        ..Files::default()
    });
    let mut kills = Vec::new();
    daemon.start().await;
    // At first in the midst of counting the past.
    for lived in [1, 3, 5] {
        sleep(Duration::from_secs(lived)).await;
        daemon.kill();
        daemon.start().await;
        // One scrape later, so that no two are lost that follow one another: that would be a gap.
        writer.between_scrapes().await;
        server.write_down().await;
        writer.between_scrapes().await;
        kills.push(writer.reached());
        server.stop();
        sleep(PAUSE).await;
        daemon.kill();
        daemon.start().await;
        sleep(PAUSE).await;
        // Nothing is read before all is there that was held up: on a busy machine it could be later than it may be.
        daemon.freeze();
        server.start().await;
        writer.up_to_date(&server).await;
        daemon.thaw();
    }
    let end = time(writer.reached()).ceil_to(SCRAPE);
    daemon
        .slos_once(|page| page.at.is_some_and(|at| at.0 >= end + SETTLED))
        .await;
    let is_counted = |status: &Value| status["sources"][0]["backfill"].is_null();
    let what = "that all of the past is counted";
    until(&daemon, "/api/v1/status", what, is_counted).await;
    assert!(daemon.terminate().await.success(), "{}", daemon.log());

    let slots = stored(&daemon).await;
    let settled = slots.last().map(|(end, _)| *end);
    assert!(settled >= Some(end), "{settled:?}, but not up to {end}");
    let mut lost = missing(&recent(log, writer.reached()), &held(&server).await);
    // What is newer is perhaps not given out yet.
    lost.retain(|at| Some(*at) <= settled);
    let last = kills.iter().flat_map(|last| last - loses + 1..=*last);
    let last: BTreeSet<Timestamp> = last.map(time).collect();
    assert!(lost.is_subset(&last), "{lost:?} are lost, not of {last:?}");
    let mut log = samples(log.written(log.first(), writer.reached() + 1));
    log.retain(|(_, at), _| !lost.contains(at));
    compare(&slots, &log);
    print(&format!("The server lost {} scrapes", lost.len()));
}

/// Writes each scrape when its time has come, or as soon as the server is there again; nothing is left out.
struct Writer {
    /// The last scrape that was taken.
    reached: Arc<AtomicI64>,
    _task: JoinSet<()>,
}

impl Writer {
    fn of(log: Log, url: String) -> Self {
        let reached = Arc::new(AtomicI64::new(log.now - 1));
        let (told, mut task) = (Arc::clone(&reached), JoinSet::new());
        task.spawn(async move {
            for scrape in log.now.. {
                Clock::System.sleep_until(time(scrape).to_jiff()).await;
                let samples = log.written(scrape, scrape + 1);
                while remote_write::write(&url, &samples).await.is_err() {
                    sleep(Duration::from_millis(100)).await;
                }
                told.store(scrape, Ordering::Relaxed);
            }
        });
        Self {
            reached,
            _task: task,
        }
    }

    fn reached(&self) -> i64 {
        self.reached.load(Ordering::Relaxed)
    }

    /// Waits for the next middle between two scrapes.
    async fn between_scrapes(&self) {
        let mut middle = time(self.reached()) + Span::from_millis(SCRAPE.as_millis() / 2);
        if middle < Clock::System.now().into() {
            middle = middle + SCRAPE;
        }
        Clock::System.sleep_until(middle.to_jiff()).await;
    }

    /// Waits until it is at the present, and the server gives that out: some take a moment.
    async fn up_to_date(&self, server: &RealServer) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let newest = self.reached();
            let is_present = time(newest + 1) > Clock::System.now().into();
            if is_present && held(server).await.keys().any(|(_, at)| *at == time(newest)) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "scrape {newest} is not given out"
            );
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Holds every slot to the log.
fn compare(slots: &[(Timestamp, Slot)], log: &Samples) {
    let log = counted(log);
    let (mut so_far, mut wrong) = ((0.0, 0.0), Vec::new());
    for (end, slot) in slots {
        so_far = (so_far.0 + slot.counts.bad, so_far.1 + slot.counts.total);
        let written = log.range(..=*end).next_back();
        let written = written.map(|(_, counted)| *counted).unwrap_or_default();
        if so_far != written {
            wrong.push(format!("{end}: {so_far:?}, not {written:?}"));
        }
        assert!(!slot.reconstructed, "{end}: nothing was missing");
    }
    wrong.truncate(20);
    assert_eq!(wrong, Vec::<String>::new(), "bad and all, up to slots");
    let (number, (bad, total)) = (slots.len(), so_far);
    print(&format!(
        "Days and kills: {number} slots, {bad} bad of {total}, all as written"
    ));
    // Five-minute slots of what is older than six hours, five-second slots since.
    assert!(number > 66 * 12 + 5 * 720, "{number}");
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
