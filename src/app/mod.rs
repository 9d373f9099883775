//! Puts the parts together, runs them until somebody stops them, and stops them in order.

mod secrets;
mod settings;
mod supervise;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use prometheus_client::registry::Registry;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::alerting::delivery::{Delivery, DeliveryMetrics};
use crate::alerting::notifiers::Notifiers;
use crate::causes;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::diagnostic::Diagnostics;
use crate::domain::slo::{Catalog, SourceName};
use crate::domain::time::{Span, Timestamp};
use crate::engine::adopt::Revision;
use crate::engine::explain;
use crate::engine::explain::ask::Explainer;
use crate::engine::settings::Settings;
use crate::engine::shell::{Engine, Parts};
use crate::engine::survey;
use crate::http::{self, AppState, Past};
use crate::reload::{Files, HandOn, Reload};
use crate::source::AnySource;
use crate::status::board::{Board, DeliveryStatus, Reading, ReceiverStatus, StoreOpened};
use crate::status::explanation::{Asked, Explanation, Subject};
use crate::status::snapshot::Backfill;
use crate::status::survey::{Survey, Unread};
use crate::store::Store;
use crate::store::bridge::Bridge;
use crate::store::memory::MemoryStore;
use crate::store::sqlite::SqliteStore;
use crate::telemetry;

use self::settings::{Sources, keep_for_slices_of, phase, settings, sources};
pub use self::supervise::asked_to_end;
use self::supervise::{supervise, wait_for_signal};

/// How often readers learn what waits to be delivered.
const BACKLOG_EVERY: Duration = Duration::from_secs(2);

/// Logs as configured from here on.
///
/// # Errors
/// When logging was set up before.
pub fn log_as(config: &Config) -> anyhow::Result<()> {
    Ok(telemetry::init(&config.log)?)
}

/// Logs nothing but what goes wrong from here on: for commands that talk to a person.
///
/// # Errors
/// When logging was set up before.
pub fn log_warnings() -> anyhow::Result<()> {
    Ok(telemetry::init(&config::Log {
        level: config::Level::Warn,
        format: config::Format::Human,
        filter: None,
    })?)
}

fn say_what_runs(catalog: &Catalog, phase: Span) {
    tracing::info!(
        objectives = catalog.slos.len(),
        receivers = catalog.receivers.len(),
        %phase,
        "sloburn runs"
    );
    secrets::warn_of_missing(&Catalog::default(), catalog);
    if catalog.receivers.is_empty() {
        tracing::warn!(
            "no receiver is defined, so nobody will be told; define one as a document of kind Receiver"
        );
    }
}

/// Runs the daemon until it is told to stop, or until one of its loops ends by itself.
///
/// # Errors
/// When the port, the store or a source cannot be opened, and when a loop died.
pub async fn run(
    config: &Config,
    (catalog, files): (Catalog, Files),
    (revision, warnings): (String, Diagnostics),
) -> anyhow::Result<()> {
    let clock = Clock::System;
    let board = Arc::new(Board::new(clock.now().into()));
    let listener = http::bind(config.listen).await?;
    let store = Arc::new(open_store(&config.store, &clock, &board).await?);
    let bridge = Arc::new(Bridge::over(Arc::clone(&store)));
    let wake = Arc::new(Notify::new());
    let stop = CancellationToken::new();
    let catalog = Arc::new(catalog);
    let notifiers = Notifiers::from_catalog(&catalog, Span::from(config.tick))?;
    let sources = sources(config, &catalog)?;
    let (desk, definitions, receivers) = Desk::new(config, &catalog, &sources, &notifiers)?;
    let parts = Parts {
        sources: sources.clone(),
        store: Arc::clone(&bridge),
        clock: clock.clone(),
        board: Arc::clone(&board),
        wake: Arc::clone(&wake),
    };
    let settings = Settings {
        phase: phase(config, store.identity()),
        ..settings(config)
    };
    let phase = settings.phase;
    let engine = Engine::start(settings.clone(), Arc::clone(&catalog), parts).await?;
    let explainer = Explainer::over(
        settings,
        sources.clone(),
        clock.clone(),
        definitions.clone(),
    );
    let engine = engine.following(definitions);
    let mut counters = Registry::default();
    let delivery = Delivery {
        store: Arc::clone(&bridge),
        notifiers,
        wake,
        metrics: DeliveryMetrics::register(&mut counters),
        seed: clock.now().as_microsecond().unsigned_abs(),
        clock: clock.clone(),
    };
    say_what_runs(&catalog, phase);

    let mut loops: JoinSet<anyhow::Result<()>> = JoinSet::new();
    let child = || stop.child_token();
    let (engine_stop, delivery_stop, http_stop, backlog_stop) =
        (child(), child(), child(), child());
    loops.spawn(async move {
        engine.run(engine_stop).await;
        Ok(())
    });
    loops.spawn(async move {
        delivery
            .run_following(receivers, delivery_stop)
            .await
            .context("the delivery of notices ended")
    });
    let state = AppState {
        board: Arc::clone(&board),
        clock: clock.clone(),
        counters: Arc::new(counters),
        site: Arc::default(),
        explainer: Some(explainer),
        past: Past::of(&store),
    };
    loops.spawn(async move {
        http::serve(listener, state, http_stop)
            .await
            .context("serving HTTP ended")
    });
    let loaded = (Arc::clone(&catalog), revision, warnings);
    let hand_on = desk.hand_on();
    let reload = Reload::new(files, loaded, (Arc::clone(&board), clock.clone()), hand_on);
    let reload_stop = child();
    loops.spawn(async move {
        let followed = reload.run(reload_stop).await;
        followed.context("the definitions cannot be followed")
    });
    let backlog = post_backlog(bridge, board, backlog_stop);
    loops.spawn(async move {
        backlog.await;
        Ok(())
    });
    for source in sources.into_values() {
        if let AnySource::Scrape(_) = *source {
            loops.spawn(scrape_pages(source, clock.clone(), child()));
        }
    }
    loops.spawn(wait_for_signal(child()));

    supervise(loops, stop).await?;
    store
        .close()
        .await
        .context("cannot close the store; what was committed is safe")?;
    tracing::info!("sloburn stopped");
    Ok(())
}

/// Where changed definitions are handed to those who work by them.
struct Desk {
    tick: Span,
    slot: Span,
    catalog: Arc<Catalog>,
    sources: Sources,
    engine: watch::Sender<Revision>,
    receivers: watch::Sender<Notifiers>,
}

impl Desk {
    fn new(
        config: &Config,
        catalog: &Arc<Catalog>,
        sources: &Sources,
        notifiers: &Notifiers,
    ) -> anyhow::Result<(Self, watch::Receiver<Revision>, watch::Receiver<Notifiers>)> {
        let slot = Span::from(config.slot);
        let (engine, revisions) = watch::channel(Revision::of(Arc::clone(catalog), slot)?);
        let (receivers, newest) = watch::channel(notifiers.clone());
        let desk = Self {
            tick: config.tick.into(),
            slot,
            catalog: Arc::clone(catalog),
            sources: sources.clone(),
            engine,
            receivers,
        };
        Ok((desk, revisions, newest))
    }

    /// All of it or nothing: whatever can fail comes before anything is handed on. Receivers first,
    /// so that nobody is told of who is not there yet.
    fn hand_on(mut self) -> HandOn {
        Box::new(move |catalog| {
            let plan = Revision::of(Arc::clone(catalog), self.slot);
            let revision = plan.map_err(|error| causes::chain(&error))?;
            let known = self.receivers.borrow().clone();
            let notifiers = known.renewed(&self.catalog, catalog, self.tick);
            let notifiers = notifiers.map_err(|error| causes::chain(&error))?;
            secrets::warn_of_missing(&self.catalog, catalog);
            keep_for_slices_of(catalog, &self.sources);
            self.receivers.send_replace(notifiers);
            self.engine.send_replace(revision);
            self.catalog = Arc::clone(catalog);
            Ok(())
        })
    }
}

/// Evaluates everything once, as it stood at `at` or at the newest tick there is: the same engine
/// with a store in memory, and nobody is told. `progress` hears how far the past is read.
///
/// # Errors
/// When a source cannot be used, or does not tell of its past.
pub async fn oneshot(
    config: &Config,
    catalog: Catalog,
    at: Option<Timestamp>,
    progress: impl FnMut(&SourceName, Option<Backfill>),
) -> anyhow::Result<Reading> {
    let clock = Clock::System;
    let now = Timestamp::from(clock.now());
    let board = Arc::new(Board::new(now));
    let parts = Parts {
        sources: sources(config, &catalog)?,
        store: Arc::new(MemoryStore::default()),
        clock,
        board: Arc::clone(&board),
        wake: Arc::new(Notify::new()),
    };
    let settings = settings(config);
    let newest = now - settings.offset();
    let at = at.map_or(newest, |at| at.min(newest));
    let at = at.floor_to(settings.tick);
    let mut engine = Engine::for_once(at, settings, Arc::new(catalog), parts).await?;
    engine
        .evaluate(at, progress)
        .await
        .map_err(|sentence| anyhow::anyhow!(sentence))?;
    Ok(board.read())
}

/// Looks once at what the sources hold of what the objectives of `catalog` name: as a tick would read
/// it now, and what is scraped here is scraped once.
///
/// # Errors
/// When a source cannot be used, or a selector cannot be matched.
pub async fn survey(config: &Config, catalog: &Catalog) -> anyhow::Result<Survey> {
    let mut sources = sources(config, catalog)?;
    sources.retain(|name, _| catalog.slos.values().any(|slo| slo.source == *name));
    let settings = settings(config);
    let now = Timestamp::from(Clock::System.now());
    let at = (now - settings.offset()).floor_to(settings.tick);
    let mut unread = Vec::new();
    for (name, source) in &sources {
        if let AnySource::Scrape(source) = &**source {
            source.scrape(at).await;
            unread.extend(source.failures().await.into_iter().map(|reason| Unread {
                source: name.clone(),
                reason,
                expression: None,
            }));
        }
    }
    let mut survey = survey::survey(&settings, catalog, &sources, at).await?;
    for failed in unread {
        // What a page that cannot be scraped would hold is not known.
        for slo in catalog.slos.values() {
            if slo.source == failed.source {
                survey.blind.insert(slo.uid.clone());
                survey.findings.remove(&slo.counted_as);
            }
        }
        survey.unread.push(failed);
    }
    Ok(survey)
}

/// Explains a window of a promise of `catalog`, or of one of its groups, from what its source holds.
///
/// # Errors
/// When the source cannot be used, or more is asked for than can be explained.
pub async fn explain(
    config: &Config,
    (catalog, subject): (&Catalog, &Subject),
    asked: Asked,
    progress: impl FnMut(&SourceName, Option<Backfill>),
) -> anyhow::Result<Explanation> {
    let sources = sources(config, catalog)?;
    let now = Timestamp::from(Clock::System.now());
    let settings = settings(config);
    Ok(explain::explain(
        &settings,
        (catalog, subject),
        &sources,
        (now, asked),
        progress,
    )
    .await?)
}

async fn open_store(path: &Path, clock: &Clock, board: &Board) -> anyhow::Result<SqliteStore> {
    let opened = SqliteStore::open(path, Timestamp::from(clock.now())).await?;
    let notice = opened.quarantined.map(|set_aside| {
        format!(
            "the store was damaged and set aside as `{}`; budgets begin anew, and what was told before may be told again",
            set_aside.display()
        )
    });
    if let Some(notice) = &notice {
        tracing::error!("{notice}");
    }
    board.publish_store(StoreOpened { notice });
    Ok(opened.store)
}

/// Posts what waits to be delivered, so that no reader ever asks the store.
async fn post_backlog(store: Arc<impl Store>, board: Arc<Board>, stop: CancellationToken) {
    loop {
        let status = match store.backlog().await {
            Err(error) => DeliveryStatus {
                error: Some(error.to_string()),
                ..DeliveryStatus::default()
            },
            Ok(backlog) => DeliveryStatus {
                receivers: backlog.into_iter().map(receiver_status).collect(),
                error: None,
            },
        };
        board.publish_delivery(status);
        if stop
            .run_until_cancelled(tokio::time::sleep(BACKLOG_EVERY))
            .await
            .is_none()
        {
            return;
        }
    }
}

fn receiver_status(backlog: crate::store::Backlog) -> ReceiverStatus {
    let (error, permanent) = backlog.error.unzip();
    ReceiverStatus {
        receiver: backlog.receiver,
        waiting: backlog.waiting,
        oldest: backlog.oldest,
        error,
        permanent: permanent.unwrap_or_default(),
    }
}

async fn scrape_pages(
    source: Arc<AnySource>,
    clock: Clock,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    if let AnySource::Scrape(source) = &*source {
        source.run(&clock, &stop).await;
    }
    Ok(())
}
