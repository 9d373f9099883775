//! An exporter on loopback that shows all four signals in closed form, so that a test knows what every scrape must say.
//!
//! It changes its traffic when it is told to and logs when that was, and it logs every scrape that it answered.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use sloburn::clock::Clock;
use sloburn::domain::time::{Span, Timestamp};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Routes, and the share of the traffic that each has.
pub(crate) const ROUTES: [(&str, f64); 2] = [("/pay", 0.7), ("/list", 0.3)];

/// The share of requests that take longer than the bucket of 0.3 s.
pub(crate) const SLOW: f64 = 0.001;

/// How full the pool is: the gauges `pool_used` and `pool_limit` of `pool="a"`.
pub(crate) const POOL: (f64, f64) = (37.0, 100.0);

/// What the page says of the kinds of what is on it.
const KINDS: &str = "\
# TYPE http_requests_total counter
# TYPE http_request_duration_seconds histogram
# TYPE pool_used gauge
# TYPE pool_limit gauge
";

const PATIENCE: Duration = Duration::from_secs(30);

/// A running exporter, idle and with all counters at zero at first; it stops when it is dropped.
#[derive(Debug)]
pub(crate) struct Exporter {
    address: SocketAddr,
    shared: Arc<Mutex<Inner>>,
    _server: JoinSet<()>,
}

/// The traffic from `at` on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) at: Timestamp,
    /// Events a second; zero while the exporter is idle.
    pub(crate) rate: f64,
    /// The share of them that fails, 0..1.
    pub(crate) share: f64,
}

/// A scrape that was answered with 200.
#[derive(Clone, Debug)]
pub(crate) struct Scrape {
    /// When its values were taken.
    pub(crate) at: Timestamp,
    /// By series, written as they are exposed: `http_requests_total{code="200",route="/pay"}`.
    pub(crate) values: BTreeMap<String, f64>,
}

/// How scrapes are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// With what there is.
    #[default]
    Well,
    /// With an error.
    Refusing,
    /// Not before whoever asks has given up.
    Hanging,
}

/// Longer than anybody waits for a scrape here.
const HANGS: Duration = Duration::from_secs(3);

#[derive(Debug, Default)]
struct Inner {
    changes: Vec<Change>,
    /// Where in `changes` the present life begins.
    born: usize,
    mood: Mood,
    scrapes: Vec<Scrape>,
    /// Counters that are told one by one how they grow.
    told: BTreeMap<String, f64>,
}

impl Exporter {
    /// Starts an exporter on a free port.
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::<Mutex<Inner>>::default();
        let router = Router::new()
            .route("/metrics", get(metrics))
            .with_state(Arc::clone(&shared));
        let mut server = JoinSet::new();
        server.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                panic!("the exporter stopped: {error}");
            }
        });
        Ok(Self {
            address,
            shared,
            _server: server,
        })
    }

    /// Where it is scraped.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on so many events a second, of which this share fails.
    pub(crate) fn traffic(&self, rate: f64, share: f64) {
        self.traffic_at(now(), rate, share);
    }

    /// The same from `at` on, which may be yet to come; not before the last change.
    pub(crate) fn traffic_at(&self, at: Timestamp, rate: f64, share: f64) {
        let change = Change { at, rate, share };
        lock(&self.shared).changes.push(change);
    }

    /// No more events from now on.
    pub(crate) fn idle(&self) {
        self.traffic(0.0, 0.0);
    }

    /// So many more events for a series, which need not be one of those of the traffic: an unknown one is new from now on.
    pub(crate) fn count(&self, series: &str, events: u32) {
        let mut inner = lock(&self.shared);
        *inner.told.entry(series.to_owned()).or_default() += f64::from(events);
    }

    /// These of the series that are counted one by one are not shown any more.
    pub(crate) fn forget(&self, gone: impl Fn(&str) -> bool) {
        let mut inner = lock(&self.shared);
        inner.told.retain(|series, _| !gone(series));
    }

    /// Scrapes are answered with 503 from now on, as while a process starts; it must be idle.
    pub(crate) fn go_down(&self) {
        let mut inner = lock(&self.shared);
        inner.assert_idle();
        inner.mood = Mood::Refusing;
    }

    /// Scrapes are answered in this way from now on, while the traffic goes on.
    pub(crate) fn answer(&self, mood: Mood) {
        lock(&self.shared).mood = mood;
    }

    /// How scrapes are answered.
    pub(crate) fn mood(&self) -> Mood {
        lock(&self.shared).mood
    }

    /// Scrapes are answered again, by a new process: all counters are zero. It must be idle.
    pub(crate) fn restart(&self) {
        let mut inner = lock(&self.shared);
        inner.assert_idle();
        (inner.born, inner.mood) = (inner.changes.len(), Mood::Well);
    }

    /// Every change of its traffic so far.
    pub(crate) fn changes(&self) -> Vec<Change> {
        lock(&self.shared).changes.clone()
    }

    /// Every scrape that was answered with 200 so far.
    pub(crate) fn scrapes(&self) -> Vec<Scrape> {
        lock(&self.shared).scrapes.clone()
    }

    /// When it was last scraped, as far as the pace of the scrapes before tells; a single one may be late.
    pub(crate) fn last_scrape(&self, pace: Span) -> Timestamp {
        let scrapes = self.scrapes();
        let last = scrapes.last().expect("somebody scrapes the exporter").at;
        let half = pace.as_millis() / 2;
        let late = |scrape: &Scrape| {
            (last.since(scrape.at).as_millis() + half).rem_euclid(pace.as_millis()) - half
        };
        let latest = scrapes.iter().rev().take(10).map(late).max();
        last - Span::from_millis(latest.unwrap_or_default())
    }

    /// Waits until so many more scrapes were answered with 200.
    pub(crate) async fn scraped(&self, more: usize) {
        let wanted = lock(&self.shared).scrapes.len() + more;
        let enough = async {
            while lock(&self.shared).scrapes.len() < wanted {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, enough)
            .await
            .expect("somebody scrapes the exporter");
    }
}

/// What counters of `scrapes` say that happened from the first scraped value to the last: the increases, and after a
/// reset the whole value. Counts the series that `counts` takes.
pub(crate) fn increase(scrapes: &[Scrape], counts: impl Fn(&str) -> bool) -> f64 {
    let pairs = scrapes.iter().zip(scrapes.iter().skip(1));
    pairs
        .flat_map(|(before, after)| {
            let counted = after.values.iter().filter(|(series, _)| counts(series));
            counted.map(|(series, value)| match before.values.get(series) {
                Some(before) if value >= before => value - before,
                _ => *value,
            })
        })
        .sum()
}

fn now() -> Timestamp {
    Clock::System.now().into()
}

fn lock(shared: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    fn assert_idle(&self) {
        let idle = self.changes.last().is_none_or(|last| last.rate == 0.0);
        assert!(idle, "an exporter restarts only while it is idle");
    }

    /// Good and bad events of this life at `now`, with their fractions.
    fn events(&self, now: Timestamp) -> (f64, f64) {
        let life = self.changes.get(self.born..).unwrap_or_default();
        let ends = life.iter().skip(1).map(|next| next.at).chain([now]);
        life.iter()
            .zip(ends)
            .fold((0.0, 0.0), |(good, bad), (change, end)| {
                let lasted = end.min(now).since(change.at).as_secs_f64();
                let events = change.rate * lasted.max(0.0);
                (
                    good + events * (1.0 - change.share),
                    bad + events * change.share,
                )
            })
    }

    fn values(&self, now: Timestamp) -> BTreeMap<String, f64> {
        let mut values = BTreeMap::new();
        let (good, bad) = self.events(now);
        let mut all = 0.0;
        for (route, part) in ROUTES {
            for (code, events) in [("200", good), ("500", bad)] {
                let counted = (events * part).floor();
                all += counted;
                let series = format!(r#"http_requests_total{{code="{code}",route="{route}"}}"#);
                values.insert(series, counted);
            }
        }
        let slow = (all * SLOW).floor();
        for (le, counted) in [
            ("0.1", ((all - slow) / 2.0).floor()),
            ("0.3", all - slow),
            ("+Inf", all),
        ] {
            let series = format!(r#"http_request_duration_seconds_bucket{{le="{le}"}}"#);
            values.insert(series, counted);
        }
        let (used, limit) = POOL;
        values.insert(r#"pool_used{pool="a"}"#.to_owned(), used);
        values.insert(r#"pool_limit{pool="a"}"#.to_owned(), limit);
        values.extend(self.told.clone());
        values
    }
}

async fn metrics(State(shared): State<Arc<Mutex<Inner>>>) -> Response {
    let mood = lock(&shared).mood;
    if mood == Mood::Hanging {
        sleep(HANGS).await;
    }
    if mood != Mood::Well {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let mut inner = lock(&shared);
    let at = now();
    let values = inner.values(at);
    let mut body = KINDS.to_owned();
    for (series, value) in &values {
        writeln!(body, "{series} {value}").expect("a string can be written to");
    }
    inner.scrapes.push(Scrape { at, values });
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

#[tokio::test]
async fn counters_follow_the_traffic_and_start_anew_after_a_restart() {
    let exporter = Exporter::start().await.unwrap();
    exporter.traffic(1_000.0, 0.1);
    sleep(Duration::from_millis(300)).await;
    exporter.idle();
    let page = super::tools::get(exporter.address(), "/metrics")
        .await
        .unwrap();
    let scrape = exporter.scrapes().pop().unwrap();
    for (series, value) in &scrape.values {
        assert!(page.contains(&format!("\n{series} {value}\n")), "{page}");
    }
    let [on, off] = exporter.changes()[..] else {
        panic!("two changes are logged")
    };
    let events = 1_000.0 * off.at.since(on.at).as_secs_f64();
    let bad = scrape.values[r#"http_requests_total{code="500",route="/pay"}"#];
    assert!((bad - events * 0.07).abs() <= 1.0, "{bad} of {events}");
    let all = scrape.values[r#"http_request_duration_seconds_bucket{le="+Inf"}"#];
    assert!((all - events).abs() <= 4.0, "{all} of {events}");

    exporter.go_down();
    let down = super::tools::get(exporter.address(), "/metrics").await;
    assert!(down.unwrap().contains(" 503 "));
    exporter.restart();
    exporter.traffic(100.0, 0.0);
    sleep(Duration::from_millis(50)).await;
    let scrape_again = super::tools::get(exporter.address(), "/metrics");
    let ((), again) = tokio::join!(exporter.scraped(1), scrape_again);
    again.unwrap();
    let scrapes = exporter.scrapes();
    let last = scrapes.last().unwrap();
    let of = |scrape: &Scrape| increase(&[scrape.clone(), last.clone()], |s| s.contains("+Inf"));
    assert!(scrape.at < last.at && of(last) == 0.0 && of(&scrape) > 3.0 && of(&scrape) < 100.0);
}
