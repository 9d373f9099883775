//! Groups that are refused, since their objective has as many as it may have: which there were, and
//! which of them are there now.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::labels::Labels;
use crate::domain::time::Timestamp;
use crate::engine::state::State;
use crate::series::cursor::validity;
use crate::series::plan::{Lane, MeterIndex, SloIndex};

use super::split::{Parts, newest};

/// So many refused groups of one objective are told apart; of more it is known that there are more.
const TOLD_APART: usize = 1_000;

/// The groups of one objective that have no meter.
#[derive(Debug, Default)]
pub(in crate::engine) struct Refused {
    /// When the newest sample of each is, as far as it was looked for: not of those of the past.
    groups: BTreeMap<Labels, Option<Timestamp>>,
    /// Whether there are or were more.
    more: bool,
    /// Those with a sample at or after this time were there when it was read last.
    since: Timestamp,
    /// How many these are.
    present: usize,
}

impl Refused {
    pub(super) fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Takes note of a group.
    pub(super) fn note(&mut self, group: Labels, newest: Option<Timestamp>) {
        if let Some(known) = self.groups.get_mut(&group) {
            *known = newest.max(*known);
        } else if self.groups.len() < TOLD_APART {
            self.groups.insert(group, newest);
        } else {
            self.more = true;
        }
    }

    pub(super) fn remove(&mut self, group: &Labels) {
        self.groups.remove(group);
    }

    /// Whether a group is or was among them; nobody knows of those that were not told apart.
    pub(super) fn may_hold(&self, group: &Labels) -> bool {
        self.more || self.groups.contains_key(group)
    }

    /// How many are there now.
    pub(super) const fn present(&self) -> usize {
        self.present
    }

    /// Whether there are more now than are told apart.
    pub(super) const fn are_more(&self) -> bool {
        self.more && self.present >= TOLD_APART
    }

    /// Those that are there now, in order.
    pub(super) fn all_present(&self) -> impl Iterator<Item = &Labels> {
        let groups = self.groups.iter();
        let is_there = |(_, newest): &(&Labels, &Option<Timestamp>)| **newest >= Some(self.since);
        groups.filter(is_there).map(|(group, _)| group)
    }

    /// Finds out which are there now: those with a sample at or after `since`. Where all places are
    /// taken, the others make room.
    fn look(&mut self, since: Timestamp) {
        self.since = since;
        self.present = self.all_present().count();
        if self.groups.len() >= TOLD_APART && self.present < TOLD_APART {
            self.groups.retain(|_, newest| *newest >= Some(since));
            self.more = true;
        }
    }
}

impl State {
    /// Takes note of the groups among `parts` that were refused.
    pub(in crate::engine) fn note_refused(&mut self, of: SloIndex, parts: &Parts<'_>) {
        let slo = &self.plan.slos[of].slo.counted_as;
        let Some(refused) = self.groups.refused.get_mut(slo) else {
            return;
        };
        let known = &self.plan.members(of).groups;
        for (labels, parts) in parts {
            if !known.contains_key(labels) {
                refused.note(labels.clone(), newest(parts));
            }
        }
    }

    /// Finds out which of the groups that were refused are there now, as far as could be read. Of
    /// counters they are found by series that count for all events of their objective and for no
    /// group of it.
    pub(in crate::engine) fn look_for_refused(&mut self) {
        let plan = Arc::clone(&self.plan);
        let slos = plan.slos.iter().enumerate();
        let looked: BTreeMap<MeterIndex, (SloIndex, Timestamp)> = slos
            .filter(|(_, planned)| self.groups.refused.contains_key(&planned.slo.counted_as))
            .filter_map(|(of, _)| Some((plan.members(of).whole, (of, self.present_since(of)?))))
            .collect();
        let Some(earliest) = looked.values().map(|(_, since)| *since).min() else {
            return;
        };
        for (family, state) in self.families.iter().enumerate() {
            if !plan.roll(family).is_grouped() {
                continue;
            }
            for (labels, newest, edges) in state.table.living(earliest) {
                for edge in edges {
                    let Some((of, since)) = looked.get(&edge.meter) else {
                        continue;
                    };
                    let is_of_group =
                        |other: MeterIndex| other != edge.meter && plan.meters[other].of == *of;
                    if newest < *since || edges.iter().any(|edge| is_of_group(edge.meter)) {
                        continue;
                    }
                    let slo = &plan.slos[*of].slo.counted_as;
                    if let Some(refused) = self.groups.refused.get_mut(slo) {
                        let group = plan.members(*of).group_of(labels.into());
                        refused.note(group, Some(newest));
                    }
                }
            }
        }
        for (of, since) in looked.into_values() {
            if let Some(refused) = self.groups.refused.get_mut(&plan.slos[of].slo.counted_as) {
                refused.look(since);
            }
        }
    }

    /// What has a sample at or after this time was there when an objective was read last.
    fn present_since(&self, of: SloIndex) -> Option<Timestamp> {
        let families = self.plan.slos[of].lanes.iter().flat_map(Lane::families);
        let interval = families.map(|family| self.families[family].interval).max();
        let interval = interval.unwrap_or_default().max(self.settings.tick);
        Some(self.read_to(of)? - validity(interval))
    }

    /// Up to where all that an objective needs was read.
    pub(super) fn read_to(&self, of: SloIndex) -> Option<Timestamp> {
        let families = self.plan.slos[of].lanes.iter().flat_map(Lane::families);
        let read = families.map(|family| self.families[family].head_to);
        read.min().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1_000)
    }

    fn group(number: usize) -> Labels {
        [("route", format!("/{number:05}"))].into_iter().collect()
    }

    #[test]
    fn those_are_there_that_have_a_sample_of_late() {
        let mut refused = Refused::default();
        for (number, newest) in [
            (1, Some(10)),
            (2, Some(20)),
            (3, None),
            (1, None),
            (4, Some(30)),
        ] {
            refused.note(group(number), newest.map(at));
        }
        for (since, present) in [(0, 3), (10, 3), (11, 2), (30, 1), (31, 0)] {
            refused.look(at(since));
            assert_eq!(refused.present(), present, "{since}");
            assert_eq!(refused.all_present().count(), present, "{since}");
        }
        assert!(refused.may_hold(&group(3)) && !refused.may_hold(&group(5)));
        refused.remove(&group(3));
        assert!(!refused.may_hold(&group(3)));
    }

    #[test]
    fn of_too_many_those_that_are_gone_make_room_and_none_is_taken_for_new() {
        let mut refused = Refused::default();
        for number in 0..=TOLD_APART {
            refused.note(group(number), Some(at(10)));
        }
        refused.look(at(10));
        assert!(refused.are_more());
        assert_eq!(refused.present(), TOLD_APART);
        // Names that change all the time.
        for number in TOLD_APART..TOLD_APART + 3 {
            refused.look(at(20));
            refused.note(group(number), Some(at(20)));
        }
        refused.look(at(20));
        assert_eq!(refused.present(), 3);
        assert!(!refused.are_more() && refused.may_hold(&group(0)));
    }
}
