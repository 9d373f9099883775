//! The closed sets of names that the status uses: in JSON, as filters and as labels of metrics.

use serde::{Deserialize, Serialize};

use crate::domain::indicator::Signal;
use crate::domain::measurement::Outcome;
use crate::domain::policy::Severity;
use crate::domain::slices::MissingData;
use crate::domain::slot::Counts;

use super::snapshot::SloStatus;

/// A closed set of names.
pub trait Named: Copy + PartialEq + 'static {
    /// All of them, the best first.
    const ALL: &'static [Self];

    /// The name, as in JSON.
    fn name(self) -> &'static str;

    /// What has this name.
    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }
}

/// Defines an enum whose variants are written as the given names everywhere.
macro_rules! named {
    ($(#[$doc:meta])* $enum:ident { $($(#[$variant_doc:meta])* $variant:ident => $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $enum {
            $($(#[$variant_doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Named for $enum {
            const ALL: &'static [Self] = &[$(Self::$variant),*];

            fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

named! {
    /// How loud the open incident is. The later, the worse.
    Alert {
        /// There is none.
        None => "none",
        /// Somebody looks at it during working hours.
        Ticket => "ticket",
        /// Somebody is woken.
        Page => "page",
    }
}

named! {
    /// What an alert is about that is not about a budget.
    EpisodeKind {
        /// Objectives that cannot be measured.
        Unmeasured => "unmeasured",
        /// Groups of an objective beyond as many as it may have.
        GroupsRefused => "groupsRefused",
        /// Ticks that the daemon passed over, more than may be.
        TicksPassedOver => "ticksPassedOver",
    }
}

named! {
    /// Whether the promise is kept over its window. The later, the worse.
    Compliance {
        /// Something is left of the budget, or exactly nothing.
        Met => "met",
        /// Nothing was counted in the window.
        Unknown => "unknown",
        /// More was bad than the promise allows.
        Breached => "breached",
    }
}

named! {
    /// How a measurement ended. The later, the worse.
    Measured {
        /// Events (or slices) were counted.
        Measured => "measured",
        /// The series are there and nothing happened.
        NoTraffic => "noTraffic",
        /// A part may be missing.
        Partial => "partial",
        /// No series, or none with a recent sample.
        NoData => "noData",
        /// The source could not be read.
        Failed => "failed",
    }
}

named! {
    /// The golden signals.
    SignalName {
        /// How long things take.
        Latency => "latency",
        /// How much is asked for.
        Traffic => "traffic",
        /// How much of it fails.
        Errors => "errors",
        /// How full things are.
        Saturation => "saturation",
    }
}

named! {
    /// What the series of a selector stand for.
    Role {
        /// All events.
        Total => "total",
        /// The same in an earlier period.
        Past => "past",
        /// Those that broke the promise.
        Bad => "bad",
        /// Those that kept it.
        Good => "good",
        /// All events by how long they took.
        Histogram => "histogram",
        /// Gauges that are 1 when something works and 0 when it does not.
        Probe => "probe",
        /// What is used.
        Used => "used",
        /// What there is.
        Limit => "limit",
        /// What is compared with a threshold.
        Gauge => "gauge",
        /// How long things take.
        Quantile => "quantile",
        /// When something was last done.
        Timestamp => "timestamp",
        /// A query's value.
        Value => "value",
        /// A query's error ratio.
        Ratio => "ratio",
    }
}

named! {
    /// What slices of time are judged by.
    JudgedBy {
        /// Events per second.
        Rate => "rate",
        /// The share that is left of the usual rate.
        Drop => "drop",
        /// The share of a slice's events that were bad.
        Events => "events",
        /// The same of the samples of probers, each of which is an event.
        Samples => "samples",
        /// Probers, which vote on each slot.
        Votes => "votes",
        /// What is used of a limit.
        Share => "share",
        /// A gauge.
        Level => "level",
        /// How long ago something was done, in seconds.
        Age => "age",
        /// A query's value.
        Value => "value",
        /// A query's error ratio.
        Ratio => "ratio",
    }
}

named! {
    /// What a slice counts as.
    Verdict {
        /// Good.
        Good => "good",
        /// Bad.
        Bad => "bad",
        /// Bad for a part.
        Partly => "partly",
        /// Nothing, since nothing happened that could be good or bad.
        NoEvents => "noEvents",
    }
}

named! {
    /// What a slice counts as of which the source holds nothing.
    Missing {
        /// Nothing.
        Hold => "hold",
        /// A good one.
        Good => "good",
        /// A bad one.
        Bad => "bad",
    }
}

named! {
    /// Which incidents.
    IncidentState {
        /// Those that go on.
        Open => "open",
        /// Those that are over.
        Closed => "closed",
        /// Both.
        All => "all",
    }
}

impl From<Option<Severity>> for Alert {
    fn from(severity: Option<Severity>) -> Self {
        severity.map_or(Self::None, Self::from)
    }
}

impl From<Severity> for Alert {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Ticket => Self::Ticket,
            Severity::Page => Self::Page,
        }
    }
}

impl From<Outcome> for Measured {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Measured => Self::Measured,
            Outcome::NoTraffic => Self::NoTraffic,
            Outcome::NoData => Self::NoData,
            Outcome::Partial => Self::Partial,
            Outcome::Failed => Self::Failed,
        }
    }
}

impl From<MissingData> for Missing {
    fn from(missing: MissingData) -> Self {
        match missing {
            MissingData::Hold => Self::Hold,
            MissingData::Good => Self::Good,
            MissingData::Bad => Self::Bad,
        }
    }
}

impl Verdict {
    /// What a slice is that adds this.
    pub fn of(counts: Counts) -> Self {
        if counts.total <= 0.0 {
            Self::NoEvents
        } else if counts.bad <= 0.0 {
            Self::Good
        } else if counts.bad < counts.total {
            Self::Partly
        } else {
            Self::Bad
        }
    }
}

impl From<Signal> for SignalName {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Latency => Self::Latency,
            Signal::Traffic => Self::Traffic,
            Signal::Errors => Self::Errors,
            Signal::Saturation => Self::Saturation,
        }
    }
}

impl Compliance {
    /// Whether `status` keeps its promise: spending all of the budget and not an event more is
    /// still kept.
    pub fn of(status: &SloStatus) -> Self {
        match status.budget {
            None => Self::Unknown,
            Some(budget) if budget.overspent => Self::Breached,
            Some(_) => Self::Met,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::budget::ErrorBudget;
    use crate::status::fixture;

    fn check<T: Named + Serialize + std::fmt::Debug>() {
        for one in T::ALL {
            assert_eq!(
                serde_json::to_string(one).unwrap(),
                format!("\"{}\"", one.name())
            );
            assert_eq!(T::from_name(one.name()), Some(*one));
        }
        assert_eq!(T::from_name("other"), None);
    }

    #[test]
    fn names_are_the_same_in_json_and_in_filters() {
        check::<Alert>();
        check::<Compliance>();
        check::<Measured>();
        check::<SignalName>();
        check::<Role>();
        check::<IncidentState>();
        check::<JudgedBy>();
        check::<Verdict>();
        check::<Missing>();
    }

    #[test]
    fn all_of_a_budget_is_kept_and_an_event_more_is_not() {
        let snapshot = fixture::snapshot();
        let mut status = (*snapshot.slos[0]).clone();
        for (total, all) in [(1_000.0, 1.0), (57_000.0, 57.0), (4_120_000.0, 4_120.0)] {
            for (bad, expected) in [(all, Compliance::Met), (all + 1.0, Compliance::Breached)] {
                status.window.counts = Counts { bad, total };
                status.budget = ErrorBudget::of(status.window.counts, status.slo.objective);
                assert_eq!(Compliance::of(&status), expected, "{bad} of {total}");
            }
        }
    }
}
