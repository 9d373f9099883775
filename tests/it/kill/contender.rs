//! One of the two daemons, with a store and a Slack of its own, and what can be learned from its store.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sloburn::domain::time::{Span, Timestamp};
use sloburn::store::Store as _;
use sloburn::store::commit::Recovered;
use sloburn::store::sqlite::SqliteStore;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use tokio::time::sleep;

use crate::support::daemon::{Daemon, Files};
use crate::support::fake_slack::{FakeSlack, Options};

use super::calls::Call;
use super::world::now;

/// As in the settings below.
pub(super) const OFFSET: Span = Span::from_secs(2);
/// As in the settings below; blocks of this length are settled together.
pub(super) const SETTLE: Span = Span::from_secs(10);

const CONFIG: &str = "\
tick: 1s
sources: {default: {prometheus: {url: 'URL', offset: 2s, settle: 10s, timeout: 5s}}}
log: {filter: 'warn,sloburn=info,sloburn::engine=debug'}
";

/// Lanes of all kinds: of counters (in one family and in two), of buckets, of slices of counters and of gauges, of
/// values of queries.
const DEFINITIONS: &str = r#"
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: shop}
spec:
  window: 30d
  alertPolicy: test
  objectives:
    - {name: availability, objective: 99.9%, errors: {total: http_requests_total, badWhere: 'code="500"'}}
    - {name: payment, objective: 99.9%, errors: {total: 'http_requests_total{route="/pay"}', bad: 'http_requests_total{route="/pay",code="500"}'}}
    - {name: mixed, objective: 99.9%, errors: {total: 'http_request_duration_seconds_bucket{le="+Inf"}', bad: 'http_requests_total{code="500"}'}}
    - {name: latency, objective: 99%, latency: {histogram: http_request_duration_seconds, atMost: 300ms}}
    - {name: throughput, objective: 99%, traffic: {total: http_requests_total, atLeast: 100/s}, slice: 5s}
    - {name: pool, objective: 99%, saturation: {used: pool_used, limit: pool_limit, by: [pool], atMost: 50%}, slice: 5s}
    - {name: query, objective: 99%, query: {total: 'sum(increase(http_requests_total[$window]))', bad: 'sum(increase(http_requests_total{code="500"}[$window]))', window: 10s}}
"#;

const ALERTS: &str = "
apiVersion: sloburn.dev/v1
kind: AlertPolicy
metadata: {name: test}
spec:
  tiers:
    - {name: page, severity: page, long: 1m, short: 10s, burn: 14.4}
    - {name: ticket, severity: ticket, long: 1m, short: 10s, burn: 3}
  lowTraffic: off
  resolveAfter: {min: 10s}
  unmeasured: {after: 10m, severity: ticket}
---
apiVersion: sloburn.dev/v1
kind: Receiver
metadata: {name: team}
spec: {slack: {channel: '#alerts', tokenFile: secrets/token, apiUrl: 'URL'}}
---
apiVersion: sloburn.dev/v1
kind: Routing
metadata: {name: main}
spec: {default: team}
";

/// A daemon with its own store and Slack.
#[derive(Debug)]
pub(super) struct Contender {
    pub(super) daemon: Daemon,
    pub(super) slack: FakeSlack,
}

impl Contender {
    pub(super) async fn new(prometheus: &str) -> Self {
        // A short burst, since a daemon that was killed does not know when it called last.
        let options = Options {
            burst: 3,
            ..Options::default()
        };
        let slack = FakeSlack::start(options).await;
        let slack = slack.expect("a fake Slack can be started");
        let daemon = Daemon::prepare(&Files {
            config: &CONFIG.replace("URL", prometheus),
            definitions: DEFINITIONS,
            alerts: &ALERTS.replace("URL", &slack.api_url()),
            secrets: &[("token", FakeSlack::TOKEN)],
        });
        Self { daemon, slack }
    }

    /// Starts it if it does not run.
    pub(super) async fn start(&mut self) {
        if !self.daemon.is_running() {
            self.daemon.start().await;
        }
    }

    /// The file of its store.
    pub(super) fn store(&self) -> PathBuf {
        self.daemon.folder().join("sloburn.db")
    }

    /// What its Slack took, in that order.
    pub(super) fn accepted(&self) -> Vec<Call> {
        self.slack.accepted().iter().map(Call::of).collect()
    }

    /// Kills it; the calls that its Slack took and its store does not know of.
    pub(super) async fn kill(&mut self) -> Vec<Call> {
        self.daemon.kill();
        // What it sent last may still be on its way.
        let mut taken = None;
        while taken != Some(self.slack.accepted().len()) {
            taken = Some(self.slack.accepted().len());
            sleep(Duration::from_millis(250)).await;
        }
        let waiting = {
            let (_folder, store) = self.open_copy().await;
            let all = store.due(Timestamp::from_millis(i64::MAX)).await;
            all.expect("the outbox can be read")
        };
        let mut unknown = self.accepted();
        unknown.retain(|call| waiting.iter().any(|row| call.is_unknown_to(row)));
        unknown.sort();
        unknown.dedup();
        unknown
    }

    /// What its store holds; it must not run.
    pub(super) async fn recover(&self) -> Recovered {
        let (_folder, store) = self.open_copy().await;
        store
            .recover(Timestamp::EARLIEST)
            .await
            .expect("the store can be read")
    }

    /// A copy, so that it is the daemon's own next start that mends what the kill left behind.
    async fn open_copy(&self) -> (tempfile::TempDir, SqliteStore) {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for suffix in ["", "-wal"] {
            let name = format!("sloburn.db{suffix}");
            let original = self.daemon.folder().join(&name);
            if original.exists() {
                fs::copy(original, folder.path().join(name)).expect("the store can be copied");
            }
        }
        let opened = SqliteStore::open(&folder.path().join("sloburn.db"), now()).await;
        let opened = opened.expect("the store can be opened");
        assert_eq!(opened.quarantined, None, "the store was damaged");
        (folder, opened.store)
    }

    /// Whether an alert is not quiet yet, or something waits to be told.
    pub(super) async fn has_more_to_do(&self) -> bool {
        let mut connection = connect(&self.store()).await;
        let open = "SELECT (SELECT count(*) FROM alerts) + (SELECT count(*) FROM outbox WHERE delivered_at IS NULL)";
        let open: i64 = sqlx::query_scalar(open)
            .fetch_one(&mut connection)
            .await
            .expect("the store can be asked");
        open > 0
    }
}

/// Keeps others from writing to a store.
#[derive(Debug)]
pub(super) struct WriteLock(SqliteConnection);

impl WriteLock {
    pub(super) async fn take(store: &Path) -> Self {
        let mut connection = connect(store).await;
        let begun = sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut connection);
        begun.await.expect("the store can be locked");
        Self(connection)
    }

    pub(super) async fn release(self) {
        self.0.close().await.expect("the store can be let go");
    }
}

async fn connect(store: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(store);
    let connection = options.disable_statement_logging().connect().await;
    connection.expect("the store can be opened")
}
