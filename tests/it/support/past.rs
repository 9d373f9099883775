//! A real Prometheus with a past that was written into it, and Sloburn over it: asked once, or as a daemon.

use std::process::Command;

use sloburn::clock::Clock;
use sloburn::domain::slo::SourceName;
use sloburn::domain::time::Timestamp;
use sloburn::source::prometheus::{PrometheusSettings, PrometheusSource};
use sloburn::status::view::list::ListView;
use sloburn::status::view::slo::SloView;

use super::daemon::{Daemon, Files};
use super::remote_write::{self, STALE, Sampled, Written};
use super::tools::RealServer;

/// The distance of scrapes, in seconds.
pub(crate) const SCRAPE: i64 = 15;
/// How many milliseconds scrapes of a past in closed form are behind the whole second.
pub(crate) const BEHIND: i64 = 250;
/// In seconds.
pub(crate) const HOUR: i64 = 3_600;

/// How far a past in closed form reaches back.
const LENGTH: i64 = 30 * HOUR;

/// The value of a series by the seconds before the end; `None` where it was not there.
pub(crate) type Course = fn(i64) -> Option<i64>;

/// A metric, the labels of one of its series, and how that goes.
pub(crate) type Made = (
    &'static str,
    &'static [(&'static str, &'static str)],
    Course,
);

/// A Prometheus; all that it knows was written into it, unless it is told to scrape.
#[derive(Debug)]
pub(crate) struct Past {
    server: RealServer,
}

impl Past {
    /// Of a Prometheus 3; `None` says that the test is to be skipped.
    pub(crate) async fn of<S: Sampled>(series: &[Written<S>]) -> Option<Self> {
        Self::in_server(RealServer::prometheus(NOTHING).await, series).await
    }

    /// Of a Prometheus 2.
    pub(crate) async fn of_prometheus2<S: Sampled>(series: &[Written<S>]) -> Option<Self> {
        Self::in_server(RealServer::prometheus2(NOTHING).await, series).await
    }

    /// Of a Prometheus 3 that scrapes, too: nothing that is written may be older than an hour.
    pub(crate) async fn beside<S: Sampled>(scraped: &str, series: &[Written<S>]) -> Option<Self> {
        Self::in_server(RealServer::prometheus(scraped).await, series).await
    }

    async fn in_server<S: Sampled>(
        server: Option<RealServer>,
        series: &[Written<S>],
    ) -> Option<Self> {
        let past = Self { server: server? };
        past.write(series).await;
        Some(past)
    }

    /// Writes more, which must not be much older than what was written before.
    pub(crate) async fn write<S: Sampled>(&self, series: &[Written<S>]) {
        let written = remote_write::write(&self.url(), series).await;
        written.unwrap_or_else(|error| panic!("{error}\n{}", self.server.log()));
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// What Sloburn reads it with.
    pub(crate) fn source(&self) -> PrometheusSource {
        self.source_with(|_| {})
    }

    /// The same with other settings.
    pub(crate) fn source_with(
        &self,
        change: impl FnOnce(&mut PrometheusSettings),
    ) -> PrometheusSource {
        let mut settings = PrometheusSettings::new(SourceName::new("default"), self.url());
        change(&mut settings);
        PrometheusSource::new(settings).expect("settings of a source that is there")
    }

    /// What `sloburn status` says of a second of it.
    pub(crate) fn status_at(&self, definitions: &str, second: i64) -> Evaluated {
        let at = Timestamp::from_millis(second * 1_000).to_string();
        status(&self.url(), definitions, &["--at", &at])
    }

    /// A daemon over it, not started yet. `source` and `settings` are more settings, as `offset: 1s` and `tick: 5s`.
    pub(crate) fn daemon(&self, definitions: &str, settings: &str, source: &[&str]) -> Daemon {
        let url = format!("url: '{}'", self.url());
        let source: Vec<&str> = [&*url].into_iter().chain(source.iter().copied()).collect();
        let source = source.join(", ");
        Daemon::prepare(&Files {
            config: &format!("{settings}\nsources: {{default: {{prometheus: {{{source}}}}}}}\n"),
            definitions,
            ..Files::default()
        })
    }
}

const NOTHING: &str = "global: {}\n";

/// What `sloburn status` said.
#[derive(Debug)]
pub(crate) struct Evaluated {
    /// All objectives, the worst first; none when it could not tell.
    pub(crate) slos: Vec<SloView>,
    /// What it wrote to standard error.
    pub(crate) told: String,
    pub(crate) code: Option<i32>,
}

impl Evaluated {
    /// The instance of this id.
    pub(crate) fn slo(&self, id: &str) -> &SloView {
        let found = self.slos.iter().find(|slo| slo.id == id);
        found.unwrap_or_else(|| panic!("no {id}: {:#?}\n{}", self.slos, self.told))
    }
}

/// Runs `sloburn status` over the Prometheus at `url`.
pub(crate) fn status(url: &str, definitions: &str, more: &[&str]) -> Evaluated {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("definitions.yaml");
    std::fs::write(&file, definitions).expect("a file can be written in a temporary folder");
    let ran = Command::new(env!("CARGO_BIN_EXE_sloburn"))
        .current_dir(folder.path())
        .args(["status", "--format", "json", "--prometheus", url])
        .args(["--definitions", "definitions.yaml"])
        .args(more)
        .output()
        .expect("the daemon's binary can be run");
    let told = String::from_utf8_lossy(&ran.stderr).into_owned();
    let list: Option<ListView<SloView>> = match &*ran.stdout {
        [] => None,
        json => {
            Some(serde_json::from_slice(json).unwrap_or_else(|error| panic!("{error}: {told}")))
        }
    };
    Evaluated {
        slos: list.map(|list| list.items).unwrap_or_default(),
        told,
        code: ran.status.code(),
    }
}

/// What scrapes at these seconds leave of a series: its values, and a marker where it is not there any more.
pub(crate) fn scraped(
    labels: &[(&str, &str)],
    seconds: impl IntoIterator<Item = i64>,
    value: impl Fn(i64) -> Option<f64>,
) -> Written {
    let mut samples = Vec::new();
    let mut was_there = false;
    for second in seconds {
        let value = value(second);
        match value {
            Some(value) => samples.push((second * 1_000, value)),
            None if was_there => samples.push((second * 1_000, STALE)),
            None => {}
        }
        was_there = value.is_some();
    }
    (labels.iter().copied().collect(), samples)
}

/// The samples of all series of one target up to the second `end`.
pub(crate) fn written(series: &[Made], end: i64) -> Vec<Written> {
    let series = series.iter().map(|(name, more, course)| {
        let own = [("__name__", *name), ("job", "api"), ("instance", "api-0")];
        let labels: Vec<(&str, &str)> = own.into_iter().chain(more.iter().copied()).collect();
        let value = |second| i32::try_from(course(end - second)?).ok().map(f64::from);
        let (labels, mut samples) = scraped(&labels, (end - LENGTH..=end).step_by(15), value);
        for (at, _) in &mut samples {
            *at += BEHIND;
        }
        (labels, samples)
    });
    series.collect()
}

/// A second on a grid of so many, as new as all is that a source tells of: samples may be on their way for 15 seconds.
pub(crate) fn recent(grid: i64) -> i64 {
    (Clock::System.now().as_second() - 20).div_euclid(grid) * grid
}
