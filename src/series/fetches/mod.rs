//! What is asked for a family: one query, or several where one would bring too much.
//!
//! Pure: what was measured of the answers goes in, what to ask at the next tick comes out.

mod cut;

use crate::domain::selector::{MatchOp, Matcher, Selector};

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
                if let (Cause::Size, Self::Query(one), Self::Query(other)) = (cause, &one, &other)
                    && fetched <= most / 2
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
            Fetch::Expression { .. } => None,
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
