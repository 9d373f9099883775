//! What a form of indicator means, in words that the oracle understands.

/// Series of a metric with certain labels, as in `http_requests_total code=500 route!=/pay`, each weighing as much as
/// is said.
pub(super) type Pick = (&'static str, f64);

/// All that is picked.
pub(super) type Picks = Vec<Pick>;

/// Which events are told of beside all of them.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Bad(Picks),
    Good(Picks),
}

/// What an indicator means.
#[derive(Clone, Debug)]
pub(super) enum Truth {
    /// Events that counters tell of.
    Events { total: Picks, part: Part },
    /// Samples of probes; `None` without a quorum, else each slot is an event.
    Probes {
        probers: Picks,
        quorum: Option<When>,
    },
    /// What counters grew by over so long, asked of the server at the end of each slot.
    Queried {
        total: Picks,
        part: Part,
        window: i64,
    },
    /// Slices of time.
    Slices {
        judge: Judge,
        slice: i64,
        missing: Missing,
    },
}

/// What a slice is judged by.
#[derive(Clone, Debug)]
pub(super) enum Judge {
    /// More than `allowed` of 1000 of its own events are bad.
    Share { of: Box<Truth>, allowed: f64 },
    /// Events per second.
    Rate { total: Picks, bound: Bound },
    /// A rate below so much of 1000 of the median of those of so long ago.
    Drop {
        total: Picks,
        left: f64,
        ago: Vec<i64>,
    },
    /// Groups by labels that use more than `allowed` of 1000 of their limit.
    Used {
        used: (Picks, Fold),
        limit: (Picks, Fold),
        by: Vec<&'static str>,
        allowed: f64,
        when: When,
    },
    /// Groups (or series) of gauges beyond a bound.
    Level {
        gauge: Picks,
        by: Option<(Vec<&'static str>, Fold)>,
        within: Within,
        bound: Bound,
        when: When,
    },
    /// Seconds since the newest of a group (or series) of timestamps.
    Age {
        gauge: Picks,
        by: Option<Vec<&'static str>>,
        most: i64,
    },
    /// What an expression gives, series by series, divided by so much, is a share that is bad.
    Ratio { values: Picks, divided_by: f64 },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    Any,
    Count(usize),
    /// Of 100.
    Share(usize),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Fold {
    Sum,
    Max,
    Min,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Within {
    Last,
    Max,
    Min,
    Avg,
    /// The last, as an instant selector of PromQL sees it.
    Instant,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Missing {
    Hold,
    Good,
    Bad,
}

impl Missing {
    pub(super) const ALL: [Self; 3] = [Self::Hold, Self::Good, Self::Bad];
}

impl Truth {
    /// Whether it counts fractions of events.
    pub(super) fn is_approximate(&self) -> bool {
        match self {
            Self::Events {
                part: Part::Good(picks),
                ..
            } => picks.iter().any(|(_, weight)| weight.fract() != 0.0),
            Self::Queried { .. } => true,
            Self::Slices { judge, .. } => matches!(judge, Judge::Ratio { .. }),
            Self::Events { .. } | Self::Probes { .. } => false,
        }
    }
}
