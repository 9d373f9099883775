//! What the configuration says, as the parts take it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use secrecy::ExposeSecret as _;

use crate::config::{self, Config, Prometheus};
use crate::domain::indicator::Budgeting;
use crate::domain::slo::{Catalog, SourceName};
use crate::domain::time::Span;
use crate::engine::settings::{self, Partial, Settings, SourceSettings};
use crate::promql::conditions_text;
use crate::source::AnySource;
use crate::source::prometheus::{PrometheusSettings, PrometheusSource, TlsFiles};
use crate::source::scrape::{ScrapeSettings, ScrapeSource, Target};
use crate::status::snapshot::Origin;

/// What the engine goes by.
pub(super) fn settings(config: &Config) -> Settings {
    let source = |(name, source): (&String, &config::Source)| {
        let settings = match source {
            config::Source::Prometheus(prometheus) => SourceSettings {
                origin: Some(Origin::Prometheus(address(prometheus.url.as_str()))),
                offset: prometheus.offset.into(),
                settle: prometheus.settle.into(),
                scrape_interval: prometheus.scrape_interval.map(Span::from),
                series_per_query: prometheus.series_per_query,
                push_down_above: prometheus.push_down_above,
                replica_labels: prometheus.replica_labels.clone(),
                narrowed_by: conditions_text(&prometheus.matchers),
                link_url: prometheus.link_url.clone(),
                backfill_percent: prometheus.backfill_percent,
                partial: match prometheus.partial {
                    config::Partial::Hold => Partial::Hold,
                    config::Partial::Accept => Partial::Accept,
                },
            },
            config::Source::Scrape(scrape) => SourceSettings {
                origin: Some(Origin::Pages(
                    scrape
                        .targets
                        .iter()
                        .map(|it| address(it.url.as_str()))
                        .collect(),
                )),
                offset: scrape.offset.into(),
                settle: scrape.settle.into(),
                scrape_interval: Some(scrape.interval.into()),
                series_per_query: usize::MAX,
                push_down_above: usize::MAX,
                replica_labels: Vec::new(),
                narrowed_by: String::new(),
                link_url: None,
                // A page tells of the present only.
                backfill_percent: 0,
                partial: Partial::Hold,
            },
        };
        (SourceName::new(name.as_str()), settings)
    };
    Settings {
        tick: config.tick.into(),
        slot: config.slot.into(),
        sources: config.sources.iter().map(source).collect(),
        history: config.history.into(),
        external_url: config
            .external_url
            .as_ref()
            .map(|url| url.as_str().trim_end_matches('/').to_owned()),
        ..Settings::default()
    }
}

/// How much later than they could the ticks of the daemon with this identity are run, for the sake of a Prometheus that
/// others ask too. Pages are scraped here.
pub(super) fn phase(config: &Config, identity: u64) -> Span {
    let mut sources = config.sources.values();
    if sources.any(|source| matches!(source, config::Source::Prometheus(_))) {
        settings::phase(identity, config.tick.into())
    } else {
        Span::ZERO
    }
}

/// An address as people write it. The configuration refuses those that hold a user or a password.
fn address(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

/// What there is to read from.
pub(super) type Sources = BTreeMap<SourceName, Arc<AnySource>>;

/// The configured sources, ready for the slices of `catalog`.
pub(super) fn sources(config: &Config, catalog: &Catalog) -> anyhow::Result<Sources> {
    let open = |(name, settings): (&String, &config::Source)| {
        let name = SourceName::new(name.as_str());
        let source = match settings {
            config::Source::Prometheus(settings) => {
                let settings = prometheus(name.clone(), settings);
                AnySource::Prometheus(Box::new(PrometheusSource::new(settings)?))
            }
            config::Source::Scrape(settings) => {
                let settings = scrape(name.clone(), settings, config.tick.into());
                AnySource::Scrape(Box::new(ScrapeSource::new(settings)?))
            }
        };
        Ok((name, Arc::new(source)))
    };
    let sources: anyhow::Result<Sources> = config.sources.iter().map(open).collect();
    let sources = sources?;
    keep_for_slices_of(catalog, &sources);
    Ok(sources)
}

/// Has scraped sources keep their samples for as long as the slices of `catalog` need them.
pub(super) fn keep_for_slices_of(catalog: &Catalog, sources: &Sources) {
    let slices = catalog
        .slos
        .values()
        .filter_map(|slo| match slo.budgeting() {
            Budgeting::Timeslices(slice) => Some(slice),
            Budgeting::Occurrences => None,
        });
    let longest = slices.max().unwrap_or_default();
    for source in sources.values() {
        if let AnySource::Scrape(source) = &**source {
            source.keep_for_slices(longest);
        }
    }
}

fn scrape(name: SourceName, settings: &config::Scrape, tick: Span) -> ScrapeSettings {
    let target = |target: &config::Target| Target {
        url: target.url.as_str().to_owned(),
        labels: target.labels.clone(),
    };
    ScrapeSettings {
        name,
        interval: settings.interval.into(),
        timeout: settings.timeout,
        max_body_bytes: settings.max_body_bytes,
        settle: settings.settle.into(),
        tick,
        targets: settings.targets.iter().map(target).collect(),
    }
}

fn prometheus(name: SourceName, config: &Prometheus) -> PrometheusSettings {
    let header = |(name, value): (&String, &secrecy::SecretString)| {
        (name.clone(), value.expose_secret().to_owned())
    };
    let parameter = |(name, value): (&String, &String)| (name.clone(), value.clone());
    let defaults = PrometheusSettings::new(name, config.url.as_str());
    PrometheusSettings {
        timeout: config.timeout,
        bearer_token_file: config.bearer_token_file.clone(),
        basic_auth_file: config.basic_auth_file.clone(),
        tls: TlsFiles {
            authorities: config.tls.ca_file.clone(),
            certificate: config.tls.cert_file.clone(),
            key: config.tls.key_file.clone(),
        },
        headers: config.headers.iter().map(header).collect(),
        matchers: config.matchers.clone(),
        params: config.params.iter().map(parameter).collect(),
        max_in_flight: NonZeroUsize::new(config.max_in_flight).unwrap_or(defaults.max_in_flight),
        max_body_bytes: usize::try_from(config.max_body_bytes).unwrap_or(usize::MAX),
        ..defaults
    }
}
