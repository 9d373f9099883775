//! What the engine is told of the daemon's configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::slo::SourceName;
use crate::domain::time::{Span, Timestamp};
use crate::source::Source;
use crate::status::snapshot::Origin;

/// How far one read goes on from where counting stands, unless a single slice needs more: what is further behind is read
/// in several passes, or walked through.
const STRIDE: Span = Span::from_hours(2);

/// The longest block in which samples are settled, so that each pass of [`STRIDE`] settles one.
const LONGEST_BLOCK: Span = Span::from_hours(1);

/// How long what was counted is kept when nobody says: 13 months, and some days to look at them.
const HISTORY: Span = Span::from_days(400);

/// What the engine is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The distance of ticks.
    pub tick: Span,
    /// The width of slots; divides the tick.
    pub slot: Span,
    /// The sources, by name.
    pub sources: BTreeMap<SourceName, SourceSettings>,
    /// How much later than its samples allow each tick is run. Its own time, and all that is counted, are the same.
    pub phase: Span,
    /// How long what was counted is kept in the store, by the hour, beyond what windows need.
    pub history: Span,
    /// Where the daemon is reached from outside, without a slash at the end.
    pub external_url: Option<String>,
}

/// How one source is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSettings {
    /// What it is and where, for who looks at it.
    pub origin: Option<Origin>,
    /// How long after a tick's time its samples can be read.
    pub offset: Span,
    /// How long samples may be late.
    pub settle: Span,
    /// How often it scrapes, where that is not to be found out from its samples.
    pub scrape_interval: Option<Span>,
    /// How many series one query may bring; a family with more is asked for in several.
    pub series_per_query: usize,
    /// With more series than this a family is summed up by its source in place of being fetched.
    pub push_down_above: usize,
    /// Series that differ by nothing but these labels are of replicas of one Prometheus, and one.
    pub replica_labels: Vec<String>,
    /// The conditions that it adds to every selector, as PromQL; empty for none.
    pub narrowed_by: String,
    /// A page that shows a query: `{query}` is replaced by it.
    pub link_url: Option<String>,
    /// How much of the time the past may be read from it, in percent; 0 for never.
    pub backfill_percent: u32,
    /// What becomes of answers that come with warnings.
    pub partial: Partial,
}

/// What becomes of answers that come with warnings, so that a part of them may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Partial {
    /// Nothing of them is counted, and alerts stay as they are.
    #[default]
    Hold,
    /// They count as whole.
    Accept,
}

impl Default for SourceSettings {
    fn default() -> Self {
        Self {
            origin: None,
            offset: Span::from_secs(15),
            settle: Span::from_mins(5),
            scrape_interval: None,
            series_per_query: 20_000,
            push_down_above: 100_000,
            replica_labels: Vec::new(),
            narrowed_by: String::new(),
            link_url: None,
            backfill_percent: 50,
            partial: Partial::Hold,
        }
    }
}

/// Daemons that ask in the same second are kept this far apart, and alerts are not held up for longer.
const LONGEST_PHASE: Span = Span::from_secs(5);

/// The [phase](Settings::phase) of the daemon with this identity, below a sixth of its tick: ticks are aligned, so that
/// all daemons that read one source would ask at once. Identities that are drawn at random have phases that are spread
/// evenly.
pub fn phase(identity: u64, tick: Span) -> Span {
    let below = LONGEST_PHASE.as_millis().min(tick.as_millis() / 6);
    let phase = (i128::from(identity) * i128::from(below)) >> u64::BITS;
    Span::from_millis(i64::try_from(phase).unwrap_or_default())
}

impl Default for Settings {
    fn default() -> Self {
        let tick = Span::from_secs(30);
        Self {
            tick,
            slot: tick,
            sources: BTreeMap::new(),
            phase: Span::ZERO,
            history: HISTORY,
            external_url: None,
        }
    }
}

impl Settings {
    /// The same, by which the past of every source is read that tells of it, as fast as it comes: whoever looks once may,
    /// also where the daemon by itself does not.
    #[must_use]
    pub(super) fn with_past<S: Source>(mut self, sources: &BTreeMap<SourceName, Arc<S>>) -> Self {
        for (name, source) in &mut self.sources {
            if sources.get(name).is_some_and(|it| it.has_past()) {
                source.backfill_percent = 100;
            }
        }
        self
    }

    /// The labels by which replicas of `source` are told apart; none where there is only one.
    pub fn replica_labels(&self, source: &SourceName) -> &[String] {
        let source = self.sources.get(source);
        source.map_or(&[], |source| &source.replica_labels)
    }

    /// Whether families of `source` may be summed up by it. Which replica a sample is of, only samples tell.
    pub fn may_sum_up(&self, source: &SourceName) -> bool {
        let source = self.sources.get(source);
        source.is_some_and(|source| {
            source.push_down_above < usize::MAX && source.replica_labels.is_empty()
        })
    }

    /// Whether answers of `source` that come with warnings count as whole.
    pub fn accepts_partial(&self, source: &SourceName) -> bool {
        let partial = self.sources.get(source).map(|source| source.partial);
        partial == Some(Partial::Accept)
    }

    /// How long after a tick's time it is run: the longest offset of any source.
    pub fn offset(&self) -> Span {
        self.sources
            .values()
            .map(|source| source.offset)
            .max()
            .unwrap_or(Span::ZERO)
    }

    /// How long samples of `source` may be late.
    fn settle(&self, source: &SourceName) -> Span {
        let source = self.sources.get(source);
        source.map_or(Span::ZERO, |source| source.settle)
    }

    /// How much of what a read brings stays provisional, whatever time it is.
    fn unsettled(&self, source: &SourceName) -> Span {
        self.settle(source).min(LONGEST_BLOCK)
    }

    /// The grid on which samples of `source` are settled: its settle time up to an hour, in whole slots.
    pub fn settle_grid(&self, source: &SourceName) -> Span {
        let slot = self.slot.as_millis();
        let block = self.unsettled(source).max(self.tick);
        Span::from_millis((block.as_millis() + slot - 1) / slot * slot)
    }

    /// Up to where samples of `source` can be settled at the tick `at`, once all up to there are read.
    pub fn settle_boundary(&self, source: &SourceName, at: Timestamp) -> Timestamp {
        self.boundary_of_read(source, at, at)
    }

    /// Up to where samples of `source` can be settled at the tick `at` by a read that ends at `to`.
    pub fn boundary_of_read(&self, source: &SourceName, to: Timestamp, at: Timestamp) -> Timestamp {
        let boundary = (at - self.settle(source)).min(to - self.unsettled(source));
        boundary.floor_to(self.settle_grid(source))
    }

    /// How long the one with this number waits with what falls due every `round` for all of its kind: whole ticks, below
    /// a round. No tick does it for all of them.
    pub fn turn(&self, number: u64, round: Span) -> Span {
        let turns = (round.as_millis() / self.tick.as_millis()).max(1);
        let turn = i128::from(number) % i128::from(turns);
        Span::from_millis(i64::try_from(turn).unwrap_or_default() * self.tick.as_millis())
    }

    /// How far beyond where slices of `grain` stand a read goes, or counters with a grain of zero: far enough that
    /// [`boundary_of_read`](Self::boundary_of_read) moves on by a slice, or by a block.
    pub fn stride(&self, source: &SourceName, grain: Span) -> Span {
        let least = grain + self.unsettled(source) + self.settle_grid(source);
        STRIDE.max(least)
    }

    /// Whether what is settled up to `settled_to` is further behind at the tick `at` than slices of `grain` ever are (or
    /// counters, with a grain of zero) while ticks follow one another, and further than one read goes.
    pub fn is_behind(
        &self,
        (source, grain): (&SourceName, Span),
        settled_to: Timestamp,
        at: Timestamp,
    ) -> bool {
        let block = self.settle_grid(source);
        let usual = self.settle(source) + block + block + grain;
        at.since(settled_to) > STRIDE.max(usual)
    }
}
