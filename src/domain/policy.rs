//! Alert policies: tiers of windows and thresholds, and how long a severity is held.

use std::collections::BTreeMap;
use std::fmt;

use super::decimal::Fraction;
use super::indicator::Signal;
use super::objective::{BurnRate, Objective};
use super::slot::Counts;
use super::time::Span;

/// How loud an alert is. Ordered: a page is above a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Somebody looks at it during working hours.
    Ticket,
    /// Somebody is woken.
    Page,
}

impl Severity {
    /// The name used in policies, in the API and in labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Page => "page",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// When a tier fires: one pair of windows, a threshold and a severity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Its name within the policy.
    pub name: String,
    /// How loud it is.
    pub severity: Severity,
    /// The window that says that it matters.
    pub long: Span,
    /// The window that says that it goes on.
    pub short: Span,
    /// How fast is too fast.
    pub limit: TierLimit,
}

/// How fast is too fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TierLimit {
    /// A burn rate.
    Burn(Fraction),
    /// This share (0..1) of the objective window's budget spent within the long window.
    BudgetSpent(Fraction),
    /// So many bad events (or slices) within the long window, whatever share they are of all; at least 1.
    Bad(u64),
}

/// Why a tier starts no alarm although its windows are above. One that fires goes on firing all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBack {
    /// Without the events that were spread over gaps its short window is not above: that something burned is known,
    /// but not that it burns now.
    Spread,
    /// The past is still being read, and would the rest be well its windows were not above.
    Unread,
}

impl Tier {
    /// The burn rate above which the tier fires for an objective over `window`:
    /// share × window / long (SRE Workbook, chapter 5). `None` for a tier that counts.
    pub fn burn(&self, window: Span) -> Option<Fraction> {
        match self.limit {
            TierLimit::Burn(burn) => Some(burn),
            TierLimit::BudgetSpent(share) => Some(share.times(Fraction::new(
                window.as_millis().into(),
                self.long.as_millis().into(),
            ))),
            TierLimit::Bad(_) => None,
        }
    }

    /// The error ratio above which the tier fires: burn × (1 − objective). `None` for a tier that counts.
    pub fn error_limit(&self, objective: Objective, window: Span) -> Option<Fraction> {
        Some(self.burn(window)?.times(objective.allowance()))
    }

    /// How many bad events make the tier fire, where it counts them.
    pub const fn bad(&self) -> Option<u64> {
        match self.limit {
            TierLimit::Bad(bad) => Some(bad),
            TierLimit::Burn(_) | TierLimit::BudgetSpent(_) => None,
        }
    }

    /// Whether both windows say that the tier is to fire: both above its error ratio, or as many bad events
    /// as it counts to in the long one and still some in the short one.
    pub fn is_exceeded(
        &self,
        objective: Objective,
        window: Span,
        (long, short): (Counts, Counts),
    ) -> bool {
        match (self.limit, self.error_limit(objective, window)) {
            (TierLimit::Bad(bad), _) => long.bad >= as_count(bad) && short.bad > 0.0,
            (_, Some(limit)) => long.exceeds(limit) && short.exceeds(limit),
            (_, None) => false,
        }
    }

    /// Why the tier starts no alarm although its windows are above; `None` when it does. The windows are given as if what
    /// is not read of them yet were as busy and all of it good; `spread` of the short one's bad events were spread over gaps.
    pub fn held_back(
        &self,
        objective: Objective,
        window: Span,
        (long, short): (Counts, Counts),
        spread: f64,
    ) -> Option<HeldBack> {
        let starts = |short| self.is_exceeded(objective, window, (long, short));
        let measured = Counts {
            bad: (short.bad - spread).max(0.0),
            ..short
        };
        if !starts(short) {
            Some(HeldBack::Unread)
        } else if !starts(measured) {
            Some(HeldBack::Spread)
        } else {
            None
        }
    }

    /// The burn rate at which the tier fires, to be shown beside those of its windows: where it counts, the one
    /// that as many bad events make of what `long` holds, infinite while that is nothing.
    pub fn threshold(&self, objective: Objective, window: Span, long: Counts) -> f64 {
        let burn = |bad| {
            let counts = Counts {
                bad: as_count(bad),
                total: long.total,
            };
            BurnRate::of(counts, objective).map_or(f64::INFINITY, BurnRate::get)
        };
        match self.limit {
            TierLimit::Bad(bad) => burn(bad),
            TierLimit::Burn(_) | TierLimit::BudgetSpent(_) => {
                self.burn(window).map_or(f64::INFINITY, Fraction::to_f64)
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a few events")]
const fn as_count(number: u64) -> f64 {
    number as f64
}

/// How long a severity is held after its tiers have cleared: the longer of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// At least this long.
    pub min: Span,
    /// At least this share of the tier's short window.
    pub of_short: Fraction,
}

impl Hold {
    /// The hold of `tier`.
    pub fn of(&self, tier: &Tier) -> Span {
        self.min.max(tier.short.scaled(self.of_short))
    }
}

/// When and how somebody is told that objectives cannot be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unmeasured {
    /// How long nothing could be measured.
    pub after: Span,
    /// How loud that is.
    pub severity: Severity,
}

/// When somebody is told, and when they are told that it is over.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertPolicy {
    /// Its name.
    pub name: String,
    /// In the order of the file.
    pub tiers: Vec<Tier>,
    /// The loudest severity for objectives over a signal; causes do not page by default.
    pub signal_severity: BTreeMap<Signal, Severity>,
    /// The largest probability (1 − confidence) that a service exactly on budget shows this many
    /// failures by chance; `None` switches the low-traffic guard off.
    pub low_traffic: Option<f64>,
    /// How long a severity is held.
    pub hold: Hold,
    /// How long an open incident stays silent before it is told again, by severity.
    pub remind: BTreeMap<Severity, Span>,
    /// When being unable to measure is an alert of its own.
    pub unmeasured: Option<Unmeasured>,
}

impl AlertPolicy {
    /// The severity of `tier` for an objective over `signal`.
    pub fn severity_of(&self, tier: &Tier, signal: Signal) -> Severity {
        self.signal_severity
            .get(&signal)
            .map_or(tier.severity, |loudest| tier.severity.min(*loudest))
    }

    /// The shortest short window: without events in it there is no traffic to judge.
    pub fn shortest_window(&self) -> Option<Span> {
        self.tiers.iter().map(|tier| tier.short).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tier(long: Span, limit: TierLimit) -> Tier {
        Tier {
            name: "fast".into(),
            severity: Severity::Page,
            long,
            short: Span::from_mins(5),
            limit,
        }
    }

    #[test]
    fn thresholds_are_those_of_the_workbook() {
        let percent = |n| TierLimit::BudgetSpent(Fraction::new(n, 100));
        for (long, share, window, burn) in [
            (1, 2, 30, Fraction::new(144, 10)),
            (6, 5, 30, Fraction::new(6, 1)),
            (24, 10, 30, Fraction::new(3, 1)),
            (72, 10, 30, Fraction::new(1, 1)),
            (1, 2, 7, Fraction::new(336, 100)),
            (6, 5, 28, Fraction::new(56, 10)),
        ] {
            assert_eq!(
                tier(Span::from_hours(long), percent(share)).burn(Span::from_days(window)),
                Some(burn)
            );
        }
    }

    #[test]
    fn a_count_fires_at_its_number_while_it_goes_on() {
        let objective: Objective = "99.9%".parse().unwrap();
        let counted = tier(Span::from_hours(24), TierLimit::Bad(3));
        let month = Span::from_days(30);
        for (long, short, expected) in [
            ((3.0, 10.0), (1.0, 1.0), true),
            ((2.0, 2.0), (1.0, 1.0), false),
            ((3.0, 10.0), (0.0, 5.0), false),
            ((3.0, 1e9), (1.0, 1e7), true),
            ((0.0, 0.0), (0.0, 0.0), false),
        ] {
            let [long, short] = [long, short].map(|(bad, total)| Counts { bad, total });
            let exceeded = counted.is_exceeded(objective, month, (long, short));
            assert_eq!(exceeded, expected, "{long:?} {short:?}");
        }
        let shown = |total| counted.threshold(objective, month, Counts { bad: 0.0, total });
        assert!((shown(100.0) - 30.0).abs() < 1e-9);
        assert!(shown(0.0).is_infinite());
        assert_eq!((counted.burn(month), counted.bad()), (None, Some(3)));
    }

    #[test]
    fn the_hold_is_the_longer_of_both() {
        let hold = Hold {
            min: Span::from_mins(5),
            of_short: Fraction::new(1, 2),
        };
        let mut tier = tier(Span::from_hours(6), TierLimit::Burn(Fraction::ONE));
        assert_eq!(hold.of(&tier), Span::from_mins(5));
        tier.short = Span::from_mins(30);
        assert_eq!(hold.of(&tier), Span::from_mins(15));
    }
}
