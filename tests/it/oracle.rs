//! What should happen, worked out slowly and apart from the code that is tested: whole seconds, whole numbers, and
//! every tick by itself.

use std::collections::BTreeSet;

/// A tier; times in seconds.
struct Tier {
    name: &'static str,
    severity: &'static str,
    long: i64,
    short: i64,
    /// It fires when more than so many percent of the budget are spent within the long window.
    spent: i64,
    hold: i64,
}

/// The shipped policy, the loudest first.
#[rustfmt::skip]
const TIERS: [Tier; 4] = [
    Tier { name: "fast",    severity: "page",   long: 3_600,   short: 300,    spent: 2,  hold: 300 },
    Tier { name: "slow",    severity: "page",   long: 21_600,  short: 1_800,  spent: 5,  hold: 900 },
    Tier { name: "day",     severity: "ticket", long: 86_400,  short: 7_200,  spent: 10, hold: 3_600 },
    Tier { name: "chronic", severity: "ticket", long: 259_200, short: 21_600, spent: 10, hold: 10_800 },
];

/// Of steady traffic, `failing` in 10,000 fail in the seconds `[0, length)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Outage {
    pub(crate) failing: i64,
    pub(crate) length: i64,
}

impl Outage {
    /// Whether over the last `window` seconds more failed than a tier allows, whose promise of 99.9 % holds over
    /// `period` seconds: it allows 10 in 10,000, and so many percent of the period's in the long window.
    fn is_above(self, tier: &Tier, window: i64, period: i64, at: i64) -> bool {
        let begin = begin(at - window, at);
        let overlap = self.length.min(at) - begin.max(0);
        100 * self.failing * overlap * tier.long > 10 * tier.spent * period * (at - begin)
    }
}

/// Where a window really begins whose length is counted back to `from`: what is older than six hours, in whole hours,
/// is kept in steps of five minutes, and the step that `from` lies in counts.
fn begin(from: i64, at: i64) -> i64 {
    let fine_from = (at - 21_600).div_euclid(3_600) * 3_600;
    if from < fine_from {
        from.div_euclid(300) * 300
    } else {
        from
    }
}

/// How a tier stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stand {
    Quiet,
    Fires,
    /// Still counts, and has been clear since.
    Holds(i64),
}

/// What happens at the ticks of one outage.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Course {
    /// Second, tier, and what it does.
    pub(crate) tiers: BTreeSet<(i64, String)>,
    /// Second, number within the incident, change and severity.
    pub(crate) messages: Vec<(i64, String)>,
}

/// Follows an outage in the middle of endless health, tick by tick until `end`, without reminders.
pub(crate) fn follow(outage: Outage, period: i64, tick: i64, end: i64) -> Course {
    let (mut course, mut stands) = (Course::default(), [Stand::Quiet; 4]);
    let (mut severity, mut number) = (None, 0);
    for at in (0..=end).step_by(usize::try_from(tick).unwrap()) {
        for (tier, stand) in TIERS.iter().zip(&mut stands) {
            let burns = [tier.long, tier.short]
                .into_iter()
                .all(|window| outage.is_above(tier, window, period, at));
            let (now, does) = match *stand {
                Stand::Quiet | Stand::Holds(_) if burns => (Stand::Fires, "fires"),
                Stand::Fires if !burns => (Stand::Holds(at), "clears"),
                Stand::Holds(since) if at >= since + tier.hold => (Stand::Quiet, "is left"),
                _ => continue,
            };
            *stand = now;
            course.tiers.insert((at, format!("{} {does}", tier.name)));
        }
        let mut open = TIERS.iter().zip(stands);
        let loudest = open.find(|(_, stand)| *stand != Stand::Quiet);
        let loudest = loudest.map(|(tier, _)| tier.severity);
        if loudest == severity {
            continue;
        }
        let change = match (severity, loudest) {
            (None, _) => "opened",
            (_, None) => "recovered",
            (_, Some("page")) => "rose",
            _ => "fell",
        };
        number += 1;
        let told = loudest.or(severity).unwrap();
        course
            .messages
            .push((at, format!("{number} {change} {told}")));
        severity = loudest;
    }
    course
}
