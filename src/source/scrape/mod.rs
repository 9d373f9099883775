//! Pages of metrics, scraped by ourselves: no Prometheus needed. From here on the samples take the same path.

mod memory;
mod name;
mod page;
mod target;

#[cfg(test)]
mod tests;

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Client, Url};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::causes;
use crate::client;
use crate::clock::Clock;
use crate::domain::slo::SourceName;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::{Batch, Fetch};
use crate::series::cursor::validity;
use crate::source::Source;
use crate::source::error::{Failure, SourceError};

use self::memory::Memory;
use self::target::Scraped;
pub use self::target::Target;

/// What to scrape and how.
#[derive(Clone, Debug)]
pub struct ScrapeSettings {
    /// The source's name.
    pub name: SourceName,
    /// How often each target is scraped, at multiples of this; longer than zero.
    pub interval: Span,
    /// How long one scrape may take.
    pub timeout: Duration,
    /// How large a page may be, in bytes after decompression.
    pub max_body_bytes: u64,
    /// After this time samples no longer change.
    pub settle: Span,
    /// The grid on which they are read.
    pub tick: Span,
    /// The pages.
    pub targets: Vec<Target>,
}

/// For how long samples must be kept so that no read of the engine comes too late, with slices of `longest_slice`.
///
/// A read reaches back to the settled block before the last (twice the settle time at most, in whole slots, behind the settle
/// time itself), from there to the start of a slice, and from there as far as a gauge's value holds. Four ticks more
/// are for ticks that were held up.
fn kept(settings: &ScrapeSettings, longest_slice: Span) -> Span {
    let ScrapeSettings { settle, tick, .. } = *settings;
    let block = settle.max(tick) + tick;
    let held_up = Span::from_millis(4 * tick.as_millis());
    settle + block + block + longest_slice + validity(settings.interval) + held_up
}

/// A source of samples that scrapes pages.
#[derive(Debug)]
pub struct ScrapeSource {
    settings: ScrapeSettings,
    client: Client,
    targets: Vec<Mutex<Scraped>>,
    memory: Memory,
}

impl ScrapeSource {
    /// Connects to nothing yet.
    pub fn new(settings: ScrapeSettings) -> Result<Self, SourceError> {
        let unusable = |key, reason: String| SourceError {
            name: settings.name.clone(),
            url: "".into(),
            failure: Failure::Scrape { key, reason },
        };
        let (mut urls, mut targets) = (Vec::new(), Vec::new());
        for target in &settings.targets {
            let (url, labelled) = labelled(target, &settings.name)
                .ok_or_else(|| unusable("targets", format!("`{}` is not a URL", target.url)))?;
            urls.push(url);
            targets.push(Mutex::new(Scraped::new(labelled)));
        }
        let client = client::builder_for(&urls)
            .timeout(settings.timeout)
            // Only what is configured is asked; a proxy of the environment is meant for the way out.
            .no_proxy()
            .build()
            .map_err(|error| {
                let cause = causes::innermost(&error);
                unusable("targets", format!("no HTTP client can be made ({cause})"))
            })?;
        let memory = Memory::new(kept(&settings, Span::ZERO));
        Ok(Self {
            settings,
            client,
            targets,
            memory,
        })
    }

    /// Keeps samples for at least as long as slices of `longest` need them. What was forgotten before does not come back.
    pub fn keep_for_slices(&self, longest: Span) {
        self.memory.keep_for(kept(&self.settings, longest));
    }

    /// Scrapes every target at each multiple of the interval until `stop`; a slow one delays no other.
    pub async fn run(&self, clock: &Clock, stop: &CancellationToken) {
        let interval = self.settings.interval;
        let follow = |target| async move {
            loop {
                let now = Timestamp::from(clock.now());
                let at = (now + Span::from_millis(1)).ceil_to(interval);
                clock.sleep_until(at.to_jiff()).await;
                self.scrape_one(target, at).await;
            }
        };
        let all = join_all(self.targets.iter().map(follow));
        // None of the loops ends by itself.
        drop(stop.run_until_cancelled(all).await);
    }

    /// Scrapes every target once, for samples of the time `at`, and returns when each has answered or failed.
    pub async fn scrape(&self, at: Timestamp) {
        join_all(
            self.targets
                .iter()
                .map(|target| self.scrape_one(target, at)),
        )
        .await;
    }

    /// Why targets could not be scraped the last time, a sentence each.
    pub async fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        for target in &self.targets {
            let target = target.lock().await;
            if let Some(why) = &target.failure {
                failures.push(format!("cannot scrape {}: {why}", target.target.url));
            }
        }
        failures
    }

    async fn scrape_one(&self, target: &Mutex<Scraped>, at: Timestamp) {
        let mut target = target.lock().await;
        let most = self.settings.max_body_bytes;
        let (samples, ended) = target.scrape(&self.client, most, at).await;
        self.memory.keep(samples);
        self.memory.forget(at);
        let (name, url) = (&self.settings.name, target.target.url.clone());
        match ended {
            Ok(()) => {
                if target.failure.take().is_some() {
                    tracing::info!(source = %name, url, "{url} can be scraped again");
                }
            }
            Err(error) => {
                let why = error.to_string();
                if target.failure.as_ref() != Some(&why) {
                    tracing::warn!(source = %name, url, "cannot scrape {url}: {why}; its `up` is 0");
                }
                target.failure = Some(why);
            }
        }
    }

    fn fault(&self, failure: Failure) -> SourceError {
        SourceError {
            name: self.settings.name.clone(),
            url: "".into(),
            failure,
        }
    }
}

impl Source for ScrapeSource {
    /// A page tells of the present only.
    fn has_past(&self) -> bool {
        false
    }

    async fn read(&self, fetch: &Fetch, range: TimeRange) -> Result<Batch, SourceError> {
        match fetch {
            Fetch::Histograms { .. } | Fetch::Expression { .. } | Fetch::Sums(_) => {
                Err(self.fault(Failure::NeedsPrometheus))
            }
            Fetch::Samples(selector) => self.memory.read(selector, range).map_err(|error| {
                self.fault(Failure::Refused {
                    error_type: "bad_data".to_owned(),
                    message: error.to_string(),
                })
            }),
        }
    }

    async fn names(&self, within: TimeRange) -> Result<Vec<String>, SourceError> {
        Ok(self.memory.names(within))
    }
}

/// Where a target is, and the target with the labels that it has when nobody gives it others.
fn labelled(target: &Target, source: &SourceName) -> Option<(Url, Target)> {
    let url = Url::parse(&target.url).ok()?;
    let instance = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
    let mut labels = target.labels.clone();
    labels
        .entry("job".to_owned())
        .or_insert_with(|| source.to_string());
    labels.entry("instance".to_owned()).or_insert(instance);
    let labelled = Target {
        url: target.url.clone(),
        labels,
    };
    Some((url, labelled))
}
