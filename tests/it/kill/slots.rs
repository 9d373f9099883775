//! Compares what two stores have settled, slot by slot.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use sloburn::domain::slot::Slot;
use sloburn::domain::time::Timestamp;
use sloburn::store::commit::{LaneKey, Recovered};

/// How many differences are written down.
const SHOWN: usize = 20;

/// What comparing brought to light.
#[derive(Debug)]
pub(super) struct Comparison {
    /// Up to where both are settled.
    pub(super) to: Timestamp,
    pub(super) lanes: usize,
    /// How many slots of all lanes lie in the compared time, in either store.
    pub(super) slots: usize,
    /// What was bad in them.
    pub(super) bad: f64,
    pub(super) total: f64,
    /// How many of them were spread over a gap.
    pub(super) reconstructed: usize,
    pub(super) differences: Vec<String>,
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} settled slots of {} lanes compared, {} bad of {}, {} spread over gaps; {} differ",
            self.slots,
            self.lanes,
            self.bad,
            self.total,
            self.reconstructed,
            self.differences.len()
        )
    }
}

/// Compares all slots of all lanes from where both began up to where both are settled.
pub(super) fn compare(one: &Recovered, other: &Recovered) -> Comparison {
    let to = settled_to(one).min(settled_to(other));
    let (one, other) = (lanes(one), lanes(other));
    let keys: BTreeSet<&LaneKey> = one.keys().chain(other.keys()).collect();
    let mut comparison = Comparison {
        to,
        lanes: keys.len(),
        slots: 0,
        bad: 0.0,
        total: 0.0,
        reconstructed: 0,
        differences: Vec::new(),
    };
    for key in keys {
        match (one.get(key), other.get(key)) {
            (Some(one), Some(other)) => comparison.lane(key, one, other),
            _ => comparison.differ(format!("{key:?}: only one has this lane")),
        }
    }
    comparison
}

/// The slots of one lane by their ends.
type Slots = BTreeMap<Timestamp, Slot>;

impl Comparison {
    fn lane(&mut self, key: &LaneKey, one: &Slots, other: &Slots) {
        let first = |slots: &Slots| slots.first_key_value().map(|(end, _)| *end);
        // The first slot of who began later may hold a part only.
        let Some(from) = first(one).max(first(other)) else {
            return;
        };
        let ends: BTreeSet<Timestamp> = one.keys().chain(other.keys()).copied().collect();
        let to = self.to;
        for end in ends.into_iter().filter(|end| *end > from && *end <= to) {
            let (one, other) = (one.get(&end), other.get(&end));
            self.slots += 1;
            let slot = other.copied().unwrap_or_default();
            self.bad += slot.counts.bad;
            self.total += slot.counts.total;
            self.reconstructed += usize::from(slot.reconstructed);
            if one != other {
                self.differ(format!("{key:?} at {end}: {one:?} and {other:?}"));
            }
        }
    }

    fn differ(&mut self, difference: String) {
        if self.differences.len() < SHOWN {
            self.differences.push(difference);
        }
    }
}

/// Up to where everything is settled. Of lanes of counters the store knows the last sample, which is earlier.
fn settled_to(recovered: &Recovered) -> Timestamp {
    let families = recovered.families.values().map(|family| family.settled_to);
    let lanes = recovered.lanes.values();
    let lanes = lanes.filter_map(|record| record.covered_to.or(Some(record.settled_to)));
    families.chain(lanes).min().expect("something is settled")
}

fn lanes(recovered: &Recovered) -> BTreeMap<LaneKey, Slots> {
    let mut lanes: BTreeMap<LaneKey, Slots> = BTreeMap::new();
    for ((key, _), chunk) in &recovered.chunks {
        lanes.entry(key.clone()).or_default().extend(chunk.slots());
    }
    lanes
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sloburn::domain::fingerprint::Fingerprint;
    use sloburn::domain::slo::SloId;
    use sloburn::domain::slot::Counts;
    use sloburn::domain::time::Span;
    use sloburn::ledger::chunk::{Age, Chunk, ChunkKey};
    use sloburn::store::commit::{LaneRecord, MeterKey};

    use super::*;

    /// A slot a second with these bad events, from second 1 on, settled up to a second.
    fn store(bad: &str, settled_to: i64) -> Recovered {
        let first = Timestamp::from_millis(1);
        let mut chunk = Chunk::new(ChunkKey::containing(Age::Recent, first));
        for (second, bad) in (1..).zip(bad.bytes()).filter(|(_, bad)| *bad != b' ') {
            let counts = Counts {
                bad: f64::from(bad - b'0'),
                total: 10.0,
            };
            let slot = Slot {
                counts,
                covered: Span::from_secs(1),
                reconstructed: false,
            };
            chunk.add(Timestamp::from_millis(second * 1_000), &slot);
        }
        let slo = SloId::new("shop/pay");
        let indicator = Fingerprint::default();
        let meter = MeterKey { slo, indicator };
        let key = LaneKey { meter, lane: 0 };
        let record = LaneRecord {
            settled_to: Timestamp::from_millis(settled_to * 1_000),
            covered_to: None,
            reach: None,
        };
        Recovered {
            lanes: [(key.clone(), record)].into(),
            chunks: [((key, chunk.key()), Arc::new(chunk))].into(),
            ..Recovered::default()
        }
    }

    #[test]
    fn every_difference_between_the_beginning_and_the_settled_end_is_found() {
        for (one, other, slots, differences) in [
            ("1234", "1234", 3, 0),
            ("1234", "1244", 3, 1),
            ("12 4", "1234", 3, 1),
            ("1234", " 934", 2, 0),
            ("1234", "123", 3, 1),
            ("123456789", "12345679", 6, 0),
        ] {
            let compared = compare(&store(one, 7), &store(other, 9));
            let found = (compared.slots, compared.differences.len());
            assert_eq!(found, (slots, differences), "{one} {other}: {compared}");
        }
    }
}
