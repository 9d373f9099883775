//! The state of everything in one view: objectives, sources, deliveries, store and engine.

use serde::{Deserialize, Serialize};

use super::super::board::{DefinitionsStatus, DeliveryStatus, Reading, ReceiverStatus};
use super::super::freshness::Freshness;
use super::super::snapshot::{
    Backfill, ClockSkew, Doubled, EngineStatus, IgnoredBirth, Origin, SourceStatus, SummedFamily,
};
use super::episode::EpisodeView;
use super::scalar::{Count, Length, Time};
use super::tally::TallyView;

/// The state of everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusView {
    /// The tick that is shown; `null` before the first one.
    pub at: Option<Time>,
    /// How long ago that was.
    pub tick_age_seconds: Option<Count>,
    /// Whether more than three ticks are missing, or there was none yet.
    pub stale: bool,
    /// The distance of ticks.
    pub tick: Length,
    /// How long after its time a tick is run.
    pub offset: Length,
    /// The version of this program.
    pub version: String,
    /// How many objectives are in which state.
    pub slos: TallyView,
    /// How many incidents are open.
    pub open_incidents: u64,
    /// Open alerts that are not about a budget, the newest first; older daemons do not say.
    #[serde(default)]
    pub other_alerts: Vec<EpisodeView>,
    /// All sources.
    pub sources: Vec<SourceView>,
    /// Objectives that count events twice, because two of their selectors match the same series; older daemons do not
    /// say.
    #[serde(default)]
    pub counted_twice: Vec<DoubledView>,
    /// Which definitions are in force; `null` before they are known.
    pub definitions: Option<DefinitionsView>,
    /// How deliveries fare; `null` before the first look.
    pub delivery: Option<DeliveryView>,
    /// How the store fares.
    pub store: StoreView,
    /// How the engine fares.
    pub engine: EngineView,
}

/// An objective that counts events twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DoubledView {
    /// What is counted: `service/name`, also where that has targets.
    pub slo: String,
    /// The two selectors.
    pub selectors: [String; 2],
    /// One of the series that both select.
    pub series: String,
}

/// How one source fares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceView {
    /// Its name.
    pub name: String,
    /// What it is; older daemons do not say.
    #[serde(default)]
    pub kind: Option<SourceKind>,
    /// Where it is asked: the Prometheus, or each page that is scraped.
    #[serde(default)]
    pub addresses: Vec<String>,
    /// Whether the last tick read all of it.
    pub healthy: bool,
    /// The newest tick that did.
    pub last_good_at: Option<Time>,
    /// Why the last tick did not.
    pub error: Option<String>,
    /// Queries sent since the start.
    pub queries: u64,
    /// Queries that failed since the start.
    pub failures: u64,
    /// Samples received since the start.
    pub samples: u64,
    /// Series known.
    pub series: u64,
    /// Which metrics it sums up itself, because they are too large to be fetched; older daemons do not say.
    #[serde(default)]
    pub summed: Vec<SummedView>,
    /// A label by which alone some of its series differ: if they are of replicas, everything is counted twice
    /// until `replicaLabels` says so; `null` where there is none.
    #[serde(default)]
    pub suspected_replica_label: Option<String>,
    /// How our clock differs from its own; `null` where that is not known.
    #[serde(default)]
    pub clock_skew: Option<SkewView>,
    /// How many seconds longer than its `offset` ticks wait for it, since its samples come later than that.
    #[serde(default)]
    pub lag_seconds: Count,
    /// How far its past is counted; `null` when all of it is.
    pub backfill: Option<BackfillView>,
    /// First values of new series that were not counted; older daemons do not list them.
    #[serde(default)]
    pub births_ignored: BirthsView,
}

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SourceKind {
    /// A Prometheus, or what answers as one.
    Prometheus,
    /// Pages of metrics that are scraped here.
    Scrape,
}

/// How our clock differs from that of a source.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SkewView {
    /// How far ours is ahead at the least; negative where it is behind.
    pub seconds: Count,
    /// Whether that is more than half a tick.
    pub matters: bool,
}

/// A metric that its source sums up, because it is too large to be fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SummedView {
    /// Its name.
    pub metric: String,
    /// How many series it has.
    pub series: u64,
    /// With more than this it is not fetched: `pushDownAbove` of the source.
    pub push_down_above: u64,
}

/// How far the past of a source is counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackfillView {
    /// The share (0..1) that is done.
    pub share: Count,
    /// Everything newer is counted.
    pub reached: Time,
    /// Where it will end.
    pub goal: Time,
}

/// First values of new series that were not counted, because nothing shows when their events happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BirthsView {
    /// How many since the start.
    pub count: u64,
    /// The newest of them, the newest first.
    pub newest: Vec<BirthView>,
}

/// A first value that was not counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BirthView {
    /// The series, as a selector.
    pub series: String,
    /// What is missing for it.
    pub value: Count,
    /// When it was first seen.
    pub at: Time,
}

/// Which definitions are in force. `/api/v1/configuration` says more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DefinitionsView {
    /// Tells this set of files from any other.
    pub revision: String,
    /// Since when it is in force.
    pub since: Time,
    /// Why what was found last is not; `null` while it is.
    pub error: Option<String>,
}

/// How deliveries fare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryView {
    /// What waits, by receiver.
    pub receivers: Vec<ReceiverView>,
    /// Why the outbox could not be read.
    pub error: Option<String>,
}

/// What waits for one receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiverView {
    /// The receiver's name.
    pub receiver: String,
    /// Notices not yet delivered.
    pub waiting: u64,
    /// The tick of the oldest of them.
    pub oldest: Time,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// Whether it will fail again unless somebody changes something.
    pub permanent: bool,
}

/// How the store fares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoreView {
    /// Whether it is open.
    pub open: bool,
    /// What happened to the old store when it had to be set aside.
    pub notice: Option<String>,
    /// Why the last commit failed; what it held is kept for the next.
    pub error: Option<String>,
}

/// How the engine fares.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EngineView {
    /// Ticks run since the start.
    pub ticks: u64,
    /// Ticks left out because newer ones could be read already.
    pub skipped: u64,
    /// How much later than its samples allow each tick is run, so that not all daemons ask at once; older ones do not say.
    #[serde(default)]
    pub phase_seconds: Count,
    /// How long the last tick took.
    pub last_tick_seconds: Count,
    /// First values of new series that were not counted, because nothing shows when they were.
    pub births_ignored: u64,
    /// How often the wall clock was seen to be set since the start; older daemons do not say.
    #[serde(default)]
    pub clock_steps: u64,
}

impl StatusView {
    /// The state of everything that was `read`, as it looks at the moment of `freshness`.
    pub fn of(read: &Reading, freshness: Freshness) -> Self {
        let snapshot = &read.snapshot;
        let open = snapshot.incidents.iter().filter(|it| it.closed.is_none());
        Self {
            at: freshness.at.map(Time),
            tick_age_seconds: freshness.age.map(|age| Count(age.as_secs_f64())),
            stale: freshness.stale,
            tick: Length(snapshot.tick),
            offset: Length(snapshot.offset),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            slos: TallyView::of(snapshot.slos.iter().map(AsRef::as_ref)),
            open_incidents: u64::try_from(open.count()).unwrap_or(u64::MAX),
            other_alerts: snapshot
                .episodes
                .iter()
                .filter_map(EpisodeView::of)
                .collect(),
            sources: snapshot.sources.iter().map(SourceView::of).collect(),
            counted_twice: snapshot.doubled.iter().map(DoubledView::of).collect(),
            definitions: read.definitions.as_deref().map(DefinitionsView::of),
            delivery: read.delivery.as_deref().map(DeliveryView::of),
            store: StoreView {
                open: read.store.is_some(),
                notice: read.store.as_ref().and_then(|store| store.notice.clone()),
                error: snapshot.engine.store_error.clone(),
            },
            engine: EngineView::of(&snapshot.engine),
        }
    }
}

impl SourceView {
    fn of(source: &SourceStatus) -> Self {
        let (kind, addresses) = match &source.origin {
            None => (None, Vec::new()),
            Some(Origin::Prometheus(url)) => (Some(SourceKind::Prometheus), vec![url.clone()]),
            Some(Origin::Pages(urls)) => (Some(SourceKind::Scrape), urls.clone()),
        };
        Self {
            name: source.name.to_string(),
            kind,
            addresses,
            healthy: source.error.is_none(),
            last_good_at: source.last_good.map(Time),
            error: source.error.clone(),
            queries: source.queries,
            failures: source.failures,
            samples: source.samples,
            series: source.series,
            summed: source.summed.iter().map(SummedView::of).collect(),
            suspected_replica_label: source.twins.map(str::to_owned),
            clock_skew: source.skew.map(SkewView::of),
            lag_seconds: Count(source.lag.as_secs_f64()),
            backfill: source.backfill.as_ref().map(BackfillView::of),
            births_ignored: BirthsView {
                count: source.births_ignored,
                newest: source.births.iter().rev().map(BirthView::of).collect(),
            },
        }
    }
}

impl DoubledView {
    fn of(doubled: &Doubled) -> Self {
        Self {
            slo: doubled.slo.to_string(),
            selectors: doubled.selectors.clone(),
            series: doubled.series.clone(),
        }
    }
}

impl SkewView {
    fn of(skew: ClockSkew) -> Self {
        Self {
            seconds: Count(skew.ahead.as_secs_f64()),
            matters: skew.matters,
        }
    }
}

impl SummedView {
    fn of(family: &SummedFamily) -> Self {
        Self {
            metric: family.metric.clone(),
            series: family.series,
            push_down_above: family.above,
        }
    }
}

impl BackfillView {
    fn of(backfill: &Backfill) -> Self {
        Self {
            share: Count(backfill.share),
            reached: Time(backfill.reached),
            goal: Time(backfill.goal),
        }
    }
}

impl BirthView {
    fn of(birth: &IgnoredBirth) -> Self {
        Self {
            series: format!("{{{}}}", birth.series),
            value: Count(birth.value),
            at: Time(birth.at),
        }
    }
}

impl DefinitionsView {
    fn of(status: &DefinitionsStatus) -> Self {
        let refused = status.refused.as_ref();
        Self {
            revision: status.revision.clone(),
            since: Time(status.since),
            error: refused.map(|refusal| refusal.reason.clone()),
        }
    }
}

impl DeliveryView {
    fn of(delivery: &DeliveryStatus) -> Self {
        Self {
            receivers: delivery.receivers.iter().map(ReceiverView::of).collect(),
            error: delivery.error.clone(),
        }
    }
}

impl ReceiverView {
    fn of(status: &ReceiverStatus) -> Self {
        Self {
            receiver: status.receiver.clone(),
            waiting: status.waiting,
            oldest: Time(status.oldest),
            error: status.error.clone(),
            permanent: status.permanent,
        }
    }
}

impl EngineView {
    fn of(engine: &EngineStatus) -> Self {
        Self {
            ticks: engine.ticks,
            skipped: engine.skipped,
            phase_seconds: Count(engine.phase.as_secs_f64()),
            last_tick_seconds: Count(engine.last_tick.as_secs_f64()),
            births_ignored: engine.births_ignored,
            clock_steps: engine.clock_steps,
        }
    }
}
