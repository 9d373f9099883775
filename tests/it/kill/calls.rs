//! Calls to Slack, by what they tell: which were taken and how often, and which the incidents' histories ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sloburn::domain::incident::{Change, Incident};
use sloburn::store::OutboxRow;

use crate::support::fake_slack::Told;

/// One call of one notice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    pub(super) incident: String,
    /// The transition, from 1.
    pub(super) sequence: u64,
    /// Which of the notice's calls, from 0.
    pub(super) step: u64,
}

impl Call {
    pub(super) fn of(told: &Told) -> Self {
        let payload = &told.metadata["event_payload"];
        let number = |name: &str| payload[name].as_u64().expect("calls say what they tell");
        Self {
            incident: payload["incident"]
                .as_str()
                .expect("calls name their incident")
                .to_owned(),
            sequence: number("sequence"),
            step: number("step"),
        }
    }

    /// Whether `row`, which still waits, does not know that the call was taken.
    pub(super) fn is_unknown_to(&self, row: &OutboxRow) -> bool {
        self.incident == row.key.incident.as_str()
            && self.sequence == u64::from(row.key.sequence)
            && self.step >= u64::from(row.step)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            incident,
            sequence,
            step,
        } = self;
        write!(f, "call {step} of notice {sequence} of incident {incident}")
    }
}

/// How often each call was taken.
pub(super) fn copies(told: Vec<Call>) -> BTreeMap<Call, u32> {
    let mut copies = BTreeMap::new();
    for call in told {
        *copies.entry(call).or_default() += 1;
    }
    copies
}

/// Whether no incident's calls went back: never a resolve before its firing, nor a firing after its resolve.
pub(super) fn in_order(told: &[Call]) -> Result<(), String> {
    let mut newest: BTreeMap<&str, &Call> = BTreeMap::new();
    for call in told {
        match newest.insert(&call.incident, call) {
            Some(before) if call < before => return Err(format!("{call} came after {before}")),
            _ => {}
        }
    }
    Ok(())
}

/// What was told otherwise than the histories of all incidents say, which are whole: numbered from 1 without a gap,
/// from one opening to one close.
pub(super) fn unlike(told: &[Call], closed: &[Incident]) -> Vec<String> {
    let mut wanted = BTreeSet::new();
    let mut faults = Vec::new();
    for incident in closed {
        let changes: Vec<Change> = incident.history.iter().map(|it| it.change).collect();
        let ends = |change: &Change| matches!(change, Change::Opened | Change::Closed(_));
        let whole = match changes.as_slice() {
            [Change::Opened, between @ .., Change::Closed(_)] => !between.iter().any(ends),
            _ => false,
        };
        let numbered = (1..).zip(&incident.history).all(|(n, it)| n == it.sequence);
        if !whole || !numbered {
            faults.push(format!("not a whole story: {:?}", incident.history));
        }
        for transition in &incident.history {
            let calls = match transition.change {
                Change::Opened => 1,
                Change::Rose { .. } | Change::Reminded => 3,
                Change::Fell { .. } | Change::Closed(_) => 2,
            };
            wanted.extend((0..calls).map(|step| Call {
                incident: incident.id.as_str().to_owned(),
                sequence: transition.sequence.into(),
                step,
            }));
        }
    }
    let told: BTreeSet<Call> = told.iter().cloned().collect();
    let missing = wanted.difference(&told).map(|it| format!("not told: {it}"));
    let invented = told
        .difference(&wanted)
        .map(|it| format!("nobody decided: {it}"));
    faults.extend(missing.chain(invented));
    faults
}

#[cfg(test)]
mod tests {
    use sloburn::domain::incident::{AlertState, TierReading, Verdict};
    use sloburn::domain::policy::Severity;
    use sloburn::domain::slo::SloId;
    use sloburn::domain::time::{Span, Timestamp};

    use super::*;

    /// `notice.step` of one incident.
    fn calls(incident: &Incident, text: &str) -> Vec<Call> {
        let call = |text: &str| {
            let (sequence, step) = text.split_once('.').unwrap();
            Call {
                incident: incident.id.as_str().to_owned(),
                sequence: sequence.parse().unwrap(),
                step: step.parse().unwrap(),
            }
        };
        text.split(' ').map(call).collect()
    }

    /// Opened and closed.
    fn incident() -> Incident {
        let (slo, mut state) = (SloId::new("shop/pay"), AlertState::default());
        let mut step = |verdict| {
            let reading = TierReading {
                name: "page",
                severity: Severity::Page,
                hold: Span::ZERO,
                verdict,
            };
            let now = Timestamp::default();
            state.step(&slo, &[reading], now, || now, &BTreeMap::new())
        };
        step(Verdict::Burning);
        let (incident, _) = step(Verdict::Idle).unwrap();
        incident
    }

    #[test]
    fn what_is_lost_invented_or_out_of_order_is_found() {
        let whole = incident();
        for (told, faults, order) in [
            ("1.0 2.0 2.1", 0, true),
            ("1.0 1.0 2.0 2.0 2.1", 0, true),
            ("1.0 2.0", 1, true),
            ("2.0 2.1", 1, true),
            ("1.0 2.0 2.1 3.0", 1, true),
            ("2.0 1.0 2.1", 0, false),
            ("1.0 2.1 2.0", 0, false),
        ] {
            let calls = calls(&whole, told);
            let found = unlike(&calls, std::slice::from_ref(&whole));
            assert_eq!(
                (found.len(), in_order(&calls).is_ok()),
                (faults, order),
                "{told}"
            );
        }
        let told = calls(&whole, "1.0 2.0 2.1");
        let mut open = whole.clone();
        open.history.pop();
        let mut numbered = whole.clone();
        numbered.history[1].sequence = 3;
        for (broken, faults) in [(open, 3), (numbered, 5)] {
            let found = unlike(&told, &[broken]);
            assert_eq!(found.len(), faults, "{found:?}");
        }
        assert_eq!(
            copies(calls(&whole, "1.0 1.0 2.0")).values().sum::<u32>(),
            3
        );
    }
}
