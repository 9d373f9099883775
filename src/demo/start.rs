//! Puts the demo together: services on loopback, the daemon's own parts over them, and who moves the clock.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::alerting::delivery::{Delivery, DeliveryMetrics};
use crate::alerting::notifier::Notifier;
use crate::clock::Clock;
use crate::domain::slo::SourceName;
use crate::domain::time::{Span, Timestamp};
use crate::engine::adopt::Revision;
use crate::engine::explain::ask::Explainer;
use crate::engine::settings::{Settings, SourceSettings};
use crate::engine::shell::{Engine, EngineError, Parts};
use crate::http::{self, AppState, BindError, Past};
use crate::series::plan::PlanError;
use crate::source::error::SourceError;
use crate::source::scrape::{ScrapeSettings, ScrapeSource, Target};
use crate::status::board::{Board, DeliveryStatus, StoreOpened};
use crate::status::snapshot::Origin;
use crate::store::memory::MemoryStore;

use super::api::Shared;
use super::catalog::{INBOX, SCRAPE, SOURCE, TICK, catalog};
use super::drive::Driver;
use super::gameday::GameDay;
use super::inbox::Inbox;
use super::pace::Pace;
use super::pages;
use super::predict::Seer;
use super::samples::Samples;
use super::world::fault::Service;
use super::world::{self, World};

/// How late samples may be; none is.
const SETTLE: Span = Span::from_mins(5);

/// What the demo is asked for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where its pages are served; another port is taken when this one is in use.
    pub listen: SocketAddr,
    /// What its services draw their numbers from.
    pub seed: u64,
    /// How fast its clock runs.
    pub pace: Pace,
    /// How much history there is; for whole windows, as long as they are.
    pub history: Span,
    /// What time it is when the live part begins.
    pub now: Timestamp,
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The embedded definitions are faulty.
    #[error("the definitions within this program are faulty, which is a bug: {0}")]
    Definitions(String),
    /// A port cannot be had.
    #[error("the demo cannot be served")]
    Listen(#[from] BindError),
    /// A simulated service cannot be served.
    #[error("a simulated service cannot listen on loopback")]
    Loopback(#[source] io::Error),
    /// A selector cannot be matched.
    #[error("the definitions cannot be planned")]
    Plan(#[from] PlanError),
    /// The engine cannot start.
    #[error("the engine cannot start")]
    Engine(#[from] EngineError),
    /// The pages cannot be scraped.
    #[error("the simulated services cannot be scraped")]
    Source(#[from] SourceError),
}

/// A demo that is ready to run.
#[derive(Debug)]
pub struct Demo {
    /// Where it is served.
    pub address: SocketAddr,
    /// Where the services' pages are.
    pub services: Vec<(Service, String)>,
    /// Objectives that only a Prometheus could evaluate.
    pub left_out: Vec<String>,
    /// How many objectives are evaluated.
    pub objectives: usize,
    /// Who moves the clock.
    pub driver: Driver,
    /// What its addresses are answered from.
    pub shared: Shared,
    listener: TcpListener,
    state: AppState,
    loops: JoinSet<Result<(), String>>,
    stop: CancellationToken,
}

impl Demo {
    /// Starts the services and the deliveries; the clock stands still until [`Driver`] moves it.
    ///
    /// # Errors
    /// When a port cannot be had, or the embedded definitions are faulty.
    pub async fn start(options: &Options) -> Result<Self, DemoError> {
        let (catalog, left_out) = catalog().map_err(DemoError::Definitions)?;
        let catalog = Arc::new(catalog);
        let live = options.now.floor_to(TICK);
        // An hour more is for the far edge of windows, which lies within an hour of its place.
        let hour = Span::from_hours(1);
        let from = (live - options.history - hour).floor_to(hour);
        let world = Arc::new(World::new(options.seed, from, live, SCRAPE));
        let (hand, clock) = Clock::driven(from.to_jiff());
        let listener = listen(options.listen).await?;
        let address = listener.local_addr().map_err(DemoError::Loopback)?;
        let (stop, mut loops) = (CancellationToken::new(), JoinSet::new());
        let services = serve_world(&world, &clock, &stop, &mut loops).await?;
        let pages = ScrapeSource::new(scrape(&services))?;
        pages.keep_for_slices(Span::from_mins(5));
        let samples = Arc::new(Samples::new(Arc::clone(&world), pages, live));
        let board = Arc::new(Board::new(live));
        board.publish_store(StoreOpened::default());
        board.publish_delivery(DeliveryStatus::default());
        let (store, wake) = (Arc::new(MemoryStore::default()), Arc::new(Notify::new()));
        let parts = Parts {
            sources: BTreeMap::from([(SourceName::new(SOURCE), Arc::clone(&samples))]),
            store: Arc::clone(&store),
            clock: clock.clone(),
            board: Arc::clone(&board),
            wake: Arc::clone(&wake),
        };
        let sources = parts.sources.clone();
        let engine =
            Engine::start(settings(address, &services), Arc::clone(&catalog), parts).await?;
        let revision = Revision::of(Arc::clone(&catalog), TICK)?;
        let (_, revisions) = watch::channel(revision);
        let explainer = Explainer::over(
            settings(address, &services),
            sources,
            clock.clone(),
            revisions,
        );
        let inbox = Arc::new(Inbox::new(live));
        let notifier: Arc<dyn Notifier> = Arc::clone(&inbox) as Arc<dyn Notifier>;
        let mut counters = Registry::default();
        let delivery = Delivery {
            store: Arc::clone(&store),
            notifiers: [(INBOX.to_owned(), notifier)].into_iter().collect(),
            clock: clock.clone(),
            wake: Arc::clone(&wake),
            metrics: DeliveryMetrics::register(&mut counters),
            seed: options.seed,
        };
        let delivering = delivery.run(stop.child_token());
        loops.spawn(async move { delivering.await.map_err(|error| error.to_string()) });
        let seer = Seer::new(Arc::clone(&catalog), Arc::clone(&world), first_sample(from))?;
        let gameday = Arc::new(GameDay::new(Arc::clone(&world), seer, options.pace));
        let shared = Shared {
            gameday: Arc::clone(&gameday),
            inbox,
            world,
            board: Arc::clone(&board),
            clock: clock.clone(),
        };
        let state = AppState {
            board: Arc::clone(&board),
            clock,
            counters: Arc::new(counters),
            site: Arc::new(pages::site(&shared, live)),
            explainer: Some(explainer),
            past: Past::of(&store),
        };
        let driver = Driver {
            hand,
            engine,
            samples,
            store,
            board,
            wake,
            gameday,
            from,
        };
        Ok(Self {
            address,
            services,
            left_out,
            objectives: catalog.slos.len(),
            driver,
            shared,
            listener,
            state,
            loops,
            stop,
        })
    }

    /// Serves pages and API from now on, and drives the clock until `until` on it, or until `stop`.
    ///
    /// # Errors
    /// When one of its loops ends by itself.
    pub async fn run(
        mut self,
        until: Option<Timestamp>,
        stop: &CancellationToken,
    ) -> Result<Shared, String> {
        let (listener, state, serving) = (self.listener, self.state, self.stop.child_token());
        self.loops.spawn(async move {
            http::serve(listener, state, serving)
                .await
                .map_err(|error| error.to_string())
        });
        let ended = tokio::select! {
            _ = self.driver.live(until, stop) => None,
            Some(ended) = self.loops.join_next() => Some(ended),
        };
        self.stop.cancel();
        while self.loops.join_next().await.is_some() {}
        match ended {
            None => Ok(self.shared),
            Some(Ok(Ok(()))) => Err("a part of the demo ended by itself".to_owned()),
            Some(Ok(Err(why))) => Err(why),
            Some(Err(panic)) => Err(panic.to_string()),
        }
    }
}

/// The first sample that the engine reads when its first tick is `from`: it starts two settled blocks back.
fn first_sample(from: Timestamp) -> Timestamp {
    (from - SETTLE).floor_to(SETTLE) - SETTLE + SCRAPE
}

/// Listens where it is asked to, or on any free port when that one is in use.
async fn listen(address: SocketAddr) -> Result<TcpListener, BindError> {
    match http::bind(address).await {
        Err(error) if error.source.kind() == io::ErrorKind::AddrInUse => {
            http::bind(SocketAddr::new(address.ip(), 0)).await
        }
        bound => bound,
    }
}

/// Each service on a free port of loopback.
async fn serve_world(
    world: &Arc<World>,
    clock: &Clock,
    stop: &CancellationToken,
    loops: &mut JoinSet<Result<(), String>>,
) -> Result<Vec<(Service, String)>, DemoError> {
    let mut services = Vec::new();
    for service in Service::ALL {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(DemoError::Loopback)?;
        let address = listener.local_addr().map_err(DemoError::Loopback)?;
        services.push((service, format!("http://{address}/metrics")));
        let serving = world::serve(
            listener,
            Arc::clone(world),
            service,
            clock.clone(),
            stop.child_token(),
        );
        loops.spawn(async move { serving.await.map_err(|error| error.to_string()) });
    }
    Ok(services)
}

fn scrape(services: &[(Service, String)]) -> ScrapeSettings {
    let target = |(service, url): &(Service, String)| Target {
        url: url.clone(),
        labels: World::target_labels(*service),
    };
    ScrapeSettings {
        name: SourceName::new(SOURCE),
        interval: SCRAPE,
        timeout: Duration::from_secs(10),
        max_body_bytes: 1 << 20,
        settle: SETTLE,
        tick: TICK,
        targets: services.iter().map(target).collect(),
    }
}

fn settings(address: SocketAddr, services: &[(Service, String)]) -> Settings {
    let pages = services.iter().map(|(_, url)| url.clone());
    let source = SourceSettings {
        origin: Some(Origin::Pages(pages.collect())),
        offset: Span::ZERO,
        settle: SETTLE,
        scrape_interval: Some(SCRAPE),
        // The whole past is played before anything is live.
        backfill_percent: 0,
        ..SourceSettings::default()
    };
    Settings {
        tick: TICK,
        slot: TICK,
        sources: BTreeMap::from([(SourceName::new(SOURCE), source)]),
        external_url: Some(format!("http://{address}")),
        ..Settings::default()
    }
}
