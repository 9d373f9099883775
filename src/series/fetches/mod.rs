//! What is asked for a family: one query, or several where one would bring too much.
//!
//! Pure: what was measured of the answers goes in, what to ask at the next tick comes out.

mod cut;

use std::collections::BTreeMap;

use crate::domain::labels::Labels;
use crate::domain::selector::{MatchOp, Matcher, Selector};
use crate::promql::CompiledMatchers;

use super::batch::Fetch;
use super::union::union;

pub use cut::division;
use cut::{halves, widest};

/// A union that brings more than this many times what is wanted is divided.
const MOST_FETCHED: usize = 2;

/// Below this many series, what is not wanted is cheaper than one more query.
const CHEAP: usize = 200;

/// For how many measurements in a row a union must have brought too much.
const PATIENCE: u32 = 2;

/// A family is asked for in at most this many queries because its unions bring too much.
const MOST_UNIONS: usize = 8;

/// A family is asked for in at most this many queries at all: a source that brings everything
/// whatever it is asked for would be asked ever more.
const MOST_QUERIES: usize = 64;

/// The queries of a family, each with its part of the selectors: together they bring all that the
/// family needs. Parts may bring the same series; who puts them together keeps it once.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetches(Node);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Query(Query),
    Fork { cause: Cause, sides: Box<[Node; 2]> },
}

/// Why something is asked in two queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// One brought far more than was wanted.
    Width,
    /// One brought too many series.
    Size,
    /// One was refused as too much: so many series, where that was counted.
    Refused(usize),
}

#[derive(Clone, Debug, PartialEq)]
struct Query {
    fetch: Fetch,
    /// What it is the union of; empty for an expression.
    selectors: Vec<Selector>,
    /// Of native histograms, the thresholds; empty for all else.
    thresholds: Vec<String>,
    /// Which side of divisions by a label it is.
    side: Vec<Matcher>,
    /// How often in a row it brought far more than was wanted.
    wide: u32,
}

/// What was measured of the answer to one query.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// How many series came.
    pub fetched: usize,
    /// How many of them are wanted by any selector; `None` where it was not looked at.
    pub wanted: Option<usize>,
    /// What would divide them in two, where there are too many.
    pub division: Option<Matcher>,
}

/// How many series each target has, by the values of [`CENSUS_LABEL`].
pub type Census = Vec<(String, usize)>;

/// The label by which series are counted that cannot be read at once: targets are told apart by it.
pub const CENSUS_LABEL: &str = "instance";

/// How many divisions are left.
struct Room {
    width: usize,
    size: usize,
}

impl Fetches {
    /// One query for an expression.
    pub const fn expression(fetch: Fetch) -> Self {
        Self(Node::Query(Query {
            fetch,
            selectors: Vec::new(),
            thresholds: Vec::new(),
            side: Vec::new(),
            wide: 0,
        }))
    }

    /// One query for all selectors of a metric.
    pub fn union(metric: &str, selectors: &[Selector]) -> Self {
        Self::histograms(metric, selectors, Vec::new())
    }

    /// One query for all selectors of native histograms, which have no condition on `le`.
    pub fn histograms(metric: &str, selectors: &[Selector], thresholds: Vec<String>) -> Self {
        Self(Node::Query(Query::new(
            metric,
            widest(selectors),
            thresholds,
            Vec::new(),
        )))
    }

    /// The queries, in an order that stays.
    pub fn queries(&self) -> Vec<&Fetch> {
        self.0
            .leaves()
            .into_iter()
            .map(|query| &query.fetch)
            .collect()
    }

    /// One of the queries, by its position.
    pub fn query(&self, position: usize) -> Option<&Fetch> {
        self.queries().get(position).copied()
    }

    /// Whether one of the queries can be divided without counting its series first.
    pub fn may_be_halved(&self, position: usize) -> bool {
        let query = self.0.leaves().into_iter().nth(position);
        query.is_some_and(|query| halves(&query.selectors).is_some())
    }

    /// What to ask from now on, when these of the queries were refused as too much: each in parts of at
    /// most `most` series, and in two at least. By its selectors where it has several, else by the targets
    /// that were counted for it. `None` when none of them can be divided.
    #[must_use]
    pub fn divided(&self, refused: &BTreeMap<usize, Census>, most: usize) -> Option<Self> {
        let mut room = MOST_QUERIES.saturating_sub(self.0.leaves().len());
        let node = self.0.divided(&mut 0, refused, most, &mut room);
        (node != self.0).then_some(Self(node))
    }

    /// What to ask from now on, when `measured` came of the queries (in their order) and one query
    /// may bring `most` series; `None` when there is nothing to remember and nothing to change.
    #[must_use]
    pub fn revised(&self, measured: &[Measured], most: usize) -> Option<Self> {
        let queries = self.0.leaves().len();
        let mut room = Room {
            width: MOST_UNIONS.saturating_sub(queries),
            size: MOST_QUERIES.saturating_sub(queries),
        };
        let mut measured = measured.iter();
        let (node, _) = self.0.revised(&mut measured, most, &mut room);
        (node != self.0).then_some(Self(node))
    }
}

impl Node {
    fn leaves(&self) -> Vec<&Query> {
        match self {
            Self::Query(query) => vec![query],
            Self::Fork { sides, .. } => sides.iter().flat_map(Self::leaves).collect(),
        }
    }

    fn divided(
        &self,
        position: &mut usize,
        refused: &BTreeMap<usize, Census>,
        most: usize,
        room: &mut usize,
    ) -> Self {
        match self {
            Self::Query(query) => {
                let census = refused.get(position);
                *position += 1;
                let divided = census.and_then(|census| query.divided(census, most, room));
                divided.unwrap_or_else(|| self.clone())
            }
            Self::Fork { cause, sides } => {
                let [one, other] = &**sides;
                let one = one.divided(position, refused, most, room);
                let other = other.divided(position, refused, most, room);
                fork(*cause, one, other)
            }
        }
    }

    /// The node as it is to be, and how many series it brought.
    fn revised<'m>(
        &self,
        measured: &mut impl Iterator<Item = &'m Measured>,
        most: usize,
        room: &mut Room,
    ) -> (Self, usize) {
        match self {
            Self::Query(query) => match measured.next() {
                Some(measured) => (query.revised(measured, most, room), measured.fetched),
                None => (self.clone(), 0),
            },
            Self::Fork { cause, sides } => {
                let [one, other] = &**sides;
                let (one, first) = one.revised(measured, most, room);
                let (other, second) = other.revised(measured, most, room);
                let fetched = first + second;
                // Half of what divides is what joins again, or a family at the limit would change with every pod.
                let joins_at = match cause {
                    Cause::Size => Some(most / 2),
                    Cause::Refused(series) => (*series > 0).then_some(series / 2),
                    Cause::Width => None,
                };
                if let (Self::Query(one), Self::Query(other)) = (&one, &other)
                    && joins_at.is_some_and(|joins_at| fetched <= joins_at)
                {
                    return (Self::Query(one.joined(other)), fetched);
                }
                let (cause, sides) = (*cause, Box::new([one, other]));
                (Self::Fork { cause, sides }, fetched)
            }
        }
    }
}

impl Query {
    fn new(
        metric: &str,
        selectors: Vec<Selector>,
        thresholds: Vec<String>,
        side: Vec<Matcher>,
    ) -> Self {
        let selector = union(metric, &selectors).refined(side.iter().cloned());
        Self {
            fetch: fetched(selector, &thresholds),
            selectors,
            thresholds,
            side,
            wide: 0,
        }
    }

    fn revised(&self, measured: &Measured, most: usize, room: &mut Room) -> Node {
        let Some(metric) = self.metric() else {
            return Node::Query(self.clone());
        };
        let part = |selectors: Vec<Selector>| {
            let (thresholds, side) = (self.thresholds.clone(), self.side.clone());
            Node::Query(Self::new(metric, selectors, thresholds, side))
        };
        if measured.fetched > most && room.size > 0 {
            room.size -= 1;
            if let Some((one, other)) = halves(&self.selectors) {
                return fork(Cause::Size, part(one), part(other));
            }
            let Some(division) = &measured.division else {
                return Node::Query(self.clone());
            };
            let side = |matcher: Matcher| {
                let side = self.side.iter().cloned().chain([matcher]).collect();
                let (selectors, thresholds) = (self.selectors.clone(), self.thresholds.clone());
                Node::Query(Self::new(metric, selectors, thresholds, side))
            };
            let rest = Matcher {
                op: MatchOp::NotMatches,
                ..division.clone()
            };
            return fork(Cause::Size, side(division.clone()), side(rest));
        }
        let mut kept = self.clone();
        if let Some(wanted) = measured.wanted {
            let is_wide = measured.fetched > (MOST_FETCHED * wanted).max(wanted + CHEAP);
            kept.wide = if is_wide { self.wide + 1 } else { 0 };
        }
        if kept.wide >= PATIENCE
            && room.width > 0
            && let Some((one, other)) = halves(&self.selectors)
        {
            room.width -= 1;
            return fork(Cause::Width, part(one), part(other));
        }
        Node::Query(kept)
    }

    fn divided(&self, census: &Census, most: usize, room: &mut usize) -> Option<Node> {
        let metric = self.metric()?;
        let left = room.checked_sub(1)?;
        let query = |selectors, side| Self::new(metric, selectors, self.thresholds.clone(), side);
        let part = |selectors: Vec<Selector>| Node::Query(query(selectors, self.side.clone()));
        if let Some((one, other)) = halves(&self.selectors) {
            *room = left;
            return Some(fork(Cause::Refused(0), part(one), part(other)));
        }
        let counted: usize = census.iter().map(|(_, series)| series).sum();
        let values = census
            .iter()
            .map(|(value, series)| (CENSUS_LABEL, value.as_str(), *series));
        let matcher = cut::middle(values)?;
        let tells = CompiledMatchers::new(std::slice::from_ref(&matcher)).ok()?;
        let is_first = |(value, _): &&(String, usize)| {
            let labels: Labels = [(CENSUS_LABEL, value.as_str())].into_iter().collect();
            tells.matches(&labels)
        };
        let (one, other): (Vec<_>, Vec<_>) = census.iter().partition(is_first);
        *room = left;
        let mut side = |matcher: Matcher, census: Vec<&(String, usize)>| {
            let side = self.side.iter().cloned().chain([matcher]).collect();
            let query = query(self.selectors.clone(), side);
            let census: Census = census.into_iter().cloned().collect();
            let series: usize = census.iter().map(|(_, series)| series).sum();
            let divided = (series > most).then(|| query.divided(&census, most, room));
            divided.flatten().unwrap_or(Node::Query(query))
        };
        let rest = Matcher {
            op: MatchOp::NotMatches,
            ..matcher.clone()
        };
        let (one, other) = (side(matcher, one), side(rest, other));
        Some(fork(Cause::Refused(counted), one, other))
    }

    /// The query that brings what both bring, which were one before.
    fn joined(&self, other: &Self) -> Self {
        let metric = self.metric().unwrap_or_default();
        let shared = self
            .side
            .iter()
            .filter(|matcher| other.side.contains(matcher));
        let selectors: Vec<Selector> = self
            .selectors
            .iter()
            .chain(&other.selectors)
            .cloned()
            .collect();
        Self::new(
            metric,
            widest(&selectors),
            self.thresholds.clone(),
            shared.cloned().collect(),
        )
    }

    /// Whose series it brings; `None` of an expression.
    const fn metric(&self) -> Option<&str> {
        match &self.fetch {
            Fetch::Samples(selector) | Fetch::Histograms { selector, .. } => {
                Some(selector.metric.as_str())
            }
            Fetch::Expression { .. } | Fetch::Sums(_) => None,
        }
    }
}

/// What brings the series of a selector: plain samples, or native histograms where there are thresholds.
pub(super) fn fetched(selector: Selector, thresholds: &[String]) -> Fetch {
    if thresholds.is_empty() {
        return Fetch::Samples(selector);
    }
    Fetch::Histograms {
        selector,
        thresholds: thresholds.to_vec(),
    }
}

fn fork(cause: Cause, one: Node, other: Node) -> Node {
    let sides = Box::new([one, other]);
    Node::Fork { cause, sides }
}

#[cfg(test)]
mod tests;
