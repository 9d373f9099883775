//! The series of one family: who is counted where, and how far.

mod again;
mod buckets;
mod count;
mod sums;

use crate::domain::contributors::Variety;
use crate::domain::labels::{Labels, LabelsRef};
use crate::domain::time::{Span, TimeRange, Timestamp};
use std::collections::{BTreeMap, HashMap};

use super::batch::{Batch, Sample, Series, SeriesId, within};
use super::births::Target;
use super::buckets::histogram_of;
use super::cursor::{Cursor, IgnoredBirth, Increase, is_gap};
use super::plan::MeterIndex;
pub use super::roll::Edge;
use super::roll::{Roll, doubled};
use super::seen::Seen;
use super::selection::{Before, Selection};
use super::starts::Starts;
pub use buckets::Lacking;

/// So many series that are fetched and that nobody counts are remembered as such; with more, all
/// are looked at anew now and then, or those of pods that are long gone would be kept for ever.
const MOST_UNCOUNTED: usize = 10_000;

/// Which of the two cursors is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Behind by the settle time; what it counted is final.
    Settled,
    /// At the newest sample; what it counted is provisional.
    Head,
}

/// The series of one family, in columns. A series that is known is found by its hash, compared, and
/// counted without an allocation; its labels are looked into when it is seen for the first time only.
#[derive(Debug, Default)]
pub struct SeriesTable {
    seen: Seen<Edge>,
    settled: Vec<Option<Cursor>>,
    head: Vec<Option<Cursor>>,
    targets: HashMap<Target, Vec<usize>>,
    /// How many values the labels have among the series of each meter.
    varieties: HashMap<MeterIndex, Variety>,
    /// A series that counts twice towards each meter of which there is any.
    doubled: BTreeMap<MeterIndex, usize>,
    /// Which series' labels tell where the events of each come from: of buckets, the first.
    origins: Vec<usize>,
    /// The next bucket of the same histogram, from the first on.
    next: Vec<Option<usize>>,
    histograms: HashMap<SeriesId, usize>,
    settled_falls: Falls,
    head_falls: Falls,
    /// Those of the settled ones that nobody took note of yet.
    new_falls: Falls,
    scratch: Scratch,
}

/// How new a series is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// It was never seen.
    New,
    /// It is counted, and nothing of that is settled.
    Provisional,
    /// It was counted for good, or nobody counts it.
    Known,
}

/// When a counter of a target last fell, which counters do when their process begins anew.
type Falls = HashMap<Target, Timestamp>;

/// What is known of the time before a batch.
#[derive(Clone, Copy, Debug)]
pub enum Past<'a> {
    /// Nothing: what is seen first may have been there for long.
    Unread,
    /// What is selected was read.
    Read {
        /// Which of it, where that is not all.
        of: Option<Before<'a>>,
        /// When processes began, where that is known.
        starts: Option<&'a Starts>,
    },
}

impl<'a> Past<'a> {
    /// All that is selected was read.
    pub const fn read(starts: Option<&'a Starts>) -> Self {
        Self::Read { of: None, starts }
    }
}

/// Buffers that outlive a batch, so that none is made for each.
#[derive(Debug, Default)]
struct Scratch {
    /// The row of each series of the batch.
    rows: Vec<usize>,
    /// What the samples of one series add.
    increases: Vec<Increase>,
    /// When each series was there, by its row.
    there: Vec<Option<TimeRange>>,
}

/// What a series counted towards a lane.
#[derive(Clone, Copy, Debug)]
pub struct Gain {
    /// The series, as long as none is forgotten.
    pub row: usize,
    /// Its part in the lane.
    pub edge: Edge,
    /// The events.
    pub increase: Increase,
}

/// What counting a batch brought to light.
#[derive(Debug, Default)]
pub struct Counted {
    /// What series counted towards the lanes that they belong to.
    pub gains: Vec<Gain>,
    /// First values that were not counted.
    pub ignored: Vec<(Labels, IgnoredBirth)>,
    /// Of each series with values that no counter has, by its row, the newest of these.
    pub odd: Vec<(usize, Sample)>,
    /// The series whose cursor moved.
    pub moved: Vec<usize>,
}

impl SeriesTable {
    /// Takes over a cursor from the store.
    pub fn restore(&mut self, roll: Roll, labels: &Labels, cursor: Cursor) {
        let row = self.row(roll, SeriesId::of(labels), labels.into());
        self.settled[row] = Some(cursor);
        self.head[row] = Some(cursor);
    }

    /// Takes over when a counter of a target last fell, from the store.
    pub fn restore_fall(&mut self, target: Target, at: Timestamp) {
        self.settled_falls.insert(target.clone(), at);
        self.head_falls.insert(target, at);
    }

    /// When counters of targets last fell, of those that fell since this was asked.
    pub fn take_new_falls(&mut self) -> BTreeMap<Target, Timestamp> {
        std::mem::take(&mut self.new_falls).into_iter().collect()
    }

    /// When counters of all targets last fell.
    pub fn falls_of_all(&self) -> BTreeMap<Target, Timestamp> {
        let falls = self.settled_falls.iter();
        falls.map(|(target, at)| (target.clone(), *at)).collect()
    }

    /// Matches all series anew: others are wanted of them now.
    pub fn assign(&mut self, roll: Roll) {
        self.seen
            .reassign(|labels, all| all.extend(roll.edges_of(labels)));
        self.varieties.clear();
        self.doubled.clear();
        for row in 0..self.len() {
            self.note_edges(row);
        }
    }

    /// Whether a series is new, or so new that it was not counted for good.
    pub fn novelty(&self, id: SeriesId, labels: LabelsRef) -> Novelty {
        match self.seen.find(id, labels) {
            None => Novelty::New,
            Some(row) if self.settled[row].is_some() || self.seen.edges_of(row).is_empty() => {
                Novelty::Known
            }
            Some(_) => Novelty::Provisional,
        }
    }

    /// The labels of all series that were counted for good.
    pub fn settled_labels(&self) -> impl Iterator<Item = &Labels> {
        let labels = self.seen.series().map(|(_, labels)| labels);
        let known = labels.zip(&self.settled);
        known.filter_map(|(labels, settled)| settled.is_some().then_some(labels))
    }

    /// Whether what a series has at its `first` sample is given, or was when it was counted before:
    /// nobody had looked at the series until then.
    pub fn is_given(&self, series: &Series, first: Timestamp, before: Option<Before>) -> bool {
        let row = self.seen.find(series.id, series.labels);
        match row.and_then(|row| self.settled[row]) {
            Some(settled) => settled.at >= first,
            None => before.is_some_and(|before| before.gives(series.labels, first)),
        }
    }

    /// Forgets where those series stood that were not selected when the others were counted on, and
    /// says which.
    pub fn forget_unselected(&mut self, selected: &Selection) -> Vec<Labels> {
        let mut forgotten = Vec::new();
        for row in 0..self.len() {
            let is_counted = self.settled[row].is_some() && !self.seen.edges_of(row).is_empty();
            let labels = self.seen.labels(row).filter(|_| is_counted);
            if let Some(labels) = labels.filter(|it| !selected.covers((*it).into())) {
                forgotten.push(labels.clone());
                (self.settled[row], self.head[row]) = (None, None);
            }
        }
        forgotten
    }

    /// Takes over where a series stood long ago, unless it is known; says its row if it was not.
    pub fn learn(&mut self, roll: Roll, labels: &Labels, cursor: Cursor) -> Option<usize> {
        let row = self.row(roll, SeriesId::of(labels), labels.into());
        if self.settled[row].is_some() || self.seen.edges_of(row).is_empty() {
            return None;
        }
        self.settled[row] = Some(cursor);
        self.head[row] = self.head[row].or(Some(cursor));
        Some(row)
    }

    /// Forgets all series, and says where they stood.
    pub fn take_settled(&mut self) -> BTreeMap<Labels, Cursor> {
        let old = std::mem::take(self);
        let series = old.seen.series().map(|(_, labels)| labels.clone());
        series
            .zip(old.settled)
            .filter_map(|(labels, settled)| Some((labels, settled?)))
            .collect()
    }

    /// How many series are known.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Whether anything of a series is counted; not of one that was never seen.
    pub fn wants(&self, series: &Series) -> bool {
        let row = self.seen.find(series.id, series.labels);
        row.is_some_and(|row| !self.seen.edges_of(row).is_empty())
    }

    /// The labels and the settled cursor of a series that moved.
    pub fn settled(&self, row: usize) -> Option<(&Labels, Cursor)> {
        let cursor = self.settled.get(row).copied().flatten()?;
        Some((self.seen.labels(row)?, cursor))
    }

    /// Forgets the series that have had no sample since `before`, by the settled cursors, and says
    /// which: a series that returns after that is a birth. Series that nobody counts go too.
    pub fn forget(&mut self, before: Timestamp) -> Vec<Labels> {
        let is_old = |settled: &Option<Cursor>| settled.is_some_and(|settled| settled.at < before);
        if !self.settled.iter().any(is_old) && self.uncounted() <= MOST_UNCOUNTED {
            return Vec::new();
        }
        let mut old = std::mem::take(self);
        for layer in [Layer::Settled, Layer::Head] {
            *self.falls(layer) = std::mem::take(old.falls(layer));
            self.falls(layer).retain(|_, fell| *fell >= before);
        }
        self.new_falls = old.new_falls;
        let mut forgotten = Vec::new();
        for (row, (id, labels)) in old.seen.series().enumerate() {
            if is_old(&old.settled[row]) {
                forgotten.push(labels.clone());
                continue;
            }
            let (settled, head) = (old.settled[row], old.head[row]);
            if settled.or(head).is_some() {
                let edges = old.seen.edges_of(row).iter().copied();
                let kept = self.insert(id, labels.clone(), edges);
                (self.settled[kept], self.head[kept]) = (settled, head);
            }
        }
        forgotten
    }

    /// How many series are known that nobody counts.
    fn uncounted(&self) -> usize {
        let nobody = |row: &usize| self.seen.edges_of(*row).is_empty();
        (0..self.len()).filter(nobody).count()
    }

    /// How many values the labels have among the series that count for a meter.
    pub fn variety(&self, meter: usize) -> Option<&Variety> {
        self.varieties.get(&meter)
    }

    /// A series that counts twice towards each meter of which there is any, by its row.
    pub fn doubled(&self) -> impl Iterator<Item = (MeterIndex, usize)> {
        self.doubled.iter().map(|(meter, row)| (*meter, *row))
    }

    /// The series whose labels tell where the events of a series come from, the same for all buckets of a histogram.
    pub fn origin(&self, row: usize) -> usize {
        self.origins.get(row).copied().unwrap_or(row)
    }

    /// The labels of all series.
    pub fn all_labels(&self) -> impl Iterator<Item = &Labels> {
        self.seen.series().map(|(_, labels)| labels)
    }

    /// The labels of a series.
    pub fn labels(&self, row: usize) -> Option<&Labels> {
        self.seen.labels(row)
    }

    /// Starts the heads anew from the settled cursors.
    pub fn rewind_heads(&mut self) {
        self.head.clone_from(&self.settled);
        self.head_falls.clone_from(&self.settled_falls);
    }

    /// Whether no sample was ever counted.
    pub fn is_untouched(&self) -> bool {
        let cursors = self.settled.iter().chain(&self.head);
        cursors.flatten().next().is_none()
    }

    /// The edges of all series with a sample at or after `since`, by the head cursors.
    pub fn alive(&self, since: Timestamp) -> impl Iterator<Item = &Edge> {
        let is_alive = move |row: &usize| self.head[*row].is_some_and(|head| head.at >= since);
        (0..self.len())
            .filter(is_alive)
            .flat_map(|row| self.seen.edges_of(row))
    }

    /// The labels of all series with a sample at or after `since`, by the head cursors, with when
    /// that is and their edges.
    pub fn living(&self, since: Timestamp) -> impl Iterator<Item = (&Labels, Timestamp, &[Edge])> {
        let series = self.seen.series().zip(&self.head).enumerate();
        series.filter_map(move |(row, ((_, labels), head))| {
            let newest = head.map(|head| head.at).filter(|at| *at >= since)?;
            Some((labels, newest, self.seen.edges_of(row)))
        })
    }

    /// What a series counts towards.
    pub fn edges_of(&self, row: usize) -> &[Edge] {
        self.seen.edges_of(row)
    }

    /// Where the cursor stands that is the furthest behind, of those at or after `since`.
    pub fn oldest(&self, layer: Layer, since: Timestamp) -> Option<Timestamp> {
        let cursors = match layer {
            Layer::Settled => &self.settled,
            Layer::Head => &self.head,
        };
        let stands = cursors.iter().flatten().map(|cursor| cursor.at);
        stands.filter(|at| *at >= since).min()
    }

    /// The edges of all series that were ever seen.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.seen.edges().iter()
    }

    /// The newest sample of the series that count towards the total of each meter, with the usual
    /// interval of its series, by the head cursors.
    pub fn newest_totals(&self) -> BTreeMap<usize, (Timestamp, Span)> {
        let mut newest = BTreeMap::new();
        for (row, head) in self.head.iter().enumerate() {
            let Some(head) = head else { continue };
            for edge in self.seen.edges_of(row) {
                if edge.weight.total > 0.0 {
                    let entry = newest.entry(edge.meter).or_insert((head.at, head.interval));
                    *entry = (*entry).max((head.at, head.interval));
                }
            }
        }
        newest
    }

    const fn cursors(&mut self, layer: Layer) -> &mut Vec<Option<Cursor>> {
        match layer {
            Layer::Settled => &mut self.settled,
            Layer::Head => &mut self.head,
        }
    }

    const fn falls(&mut self, layer: Layer) -> &mut Falls {
        match layer {
            Layer::Settled => &mut self.settled_falls,
            Layer::Head => &mut self.head_falls,
        }
    }

    /// The row of a series; matched against the roles when it is seen for the first time.
    fn row(&mut self, roll: Roll, id: SeriesId, labels: LabelsRef) -> usize {
        if let Some(row) = self.seen.find(id, labels) {
            return row;
        }
        self.insert(id, labels.to_labels(), roll.edges_of(labels))
    }

    fn insert(
        &mut self,
        id: SeriesId,
        labels: Labels,
        edges: impl IntoIterator<Item = Edge>,
    ) -> usize {
        if let Some(target) = Target::of(&labels) {
            let row = self.len();
            self.targets.entry(target).or_default().push(row);
        }
        let origin = self.origin_of(&labels);
        self.origins.push(origin);
        // The newest bucket is the next of the first.
        let row = self.next.len();
        self.next.push(self.next.get(origin).copied().flatten());
        if origin < row {
            self.next[origin] = Some(row);
        }
        self.settled.push(None);
        self.head.push(None);
        let row = self.seen.insert(id, labels, edges);
        self.note_edges(row);
        row
    }

    /// Takes note of what a series shows of the meters that count it.
    fn note_edges(&mut self, row: usize) {
        let Some(labels) = self.seen.labels(row) else {
            return;
        };
        let edges = self.seen.edges_of(row);
        for edge in edges {
            self.varieties.entry(edge.meter).or_default().add(labels);
        }
        for meter in doubled(edges) {
            self.doubled.entry(meter).or_insert(row);
        }
    }

    /// The row of the first series that differs from this new one by nothing but the bucket.
    fn origin_of(&mut self, labels: &Labels) -> usize {
        let row = self.len();
        match histogram_of(labels.into()) {
            Some(histogram) => *self.histograms.entry(histogram).or_insert(row),
            None => row,
        }
    }
}

/// The usual distance of samples in a batch: the median over its series of the last distance;
/// `None` when no series has two samples close enough.
pub fn usual_interval(batch: &Batch) -> Option<Span> {
    let last = |series: Series| match series.samples {
        [.., older, newer] => Some(newer.at.since(older.at)),
        _ => None,
    };
    let distances = batch.series().filter_map(last);
    median(distances.filter(|distance| !is_gap(*distance, Span::ZERO)))
}

/// How many distances at an end of a range say what is usual there.
const AT_AN_END: usize = 5;

/// The usual distance of samples in a range of a batch, at that of its two ends where it is longer: the median over the
/// series of that of the outermost distances, so that a single outage says nothing.
pub fn usual_within(batch: &Batch, range: TimeRange) -> Option<Span> {
    let of_series = |series: Series| {
        let samples = within(series.samples, range);
        let of = |part: Option<&[Sample]>| {
            let pairs = part.unwrap_or(samples).windows(2);
            median(pairs.filter_map(|pair| Some(pair.last()?.at.since(pair.first()?.at))))
        };
        let outermost = AT_AN_END + 1;
        let first = of(samples.get(..outermost));
        let last = of(samples
            .len()
            .checked_sub(outermost)
            .and_then(|from| samples.get(from..)));
        first.max(last)
    };
    let distances = batch.series().filter_map(of_series);
    median(distances.filter(|distance| !is_gap(*distance, Span::ZERO)))
}

fn median(distances: impl Iterator<Item = Span>) -> Option<Span> {
    let mut distances: Vec<Span> = distances.collect();
    distances.sort_unstable();
    distances.get(distances.len() / 2).copied()
}
