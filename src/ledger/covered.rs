//! How long all lanes of a ledger were measured together.

use crate::domain::time::{Span, TimeRange};

use super::Ledger;

/// The pieces of a time that are looked at by themselves where more is to be known than the sums tell.
const PIECES: [Span; 2] = [Span::from_days(1), Span::from_hours(1)];

impl Ledger {
    /// The time in `range` that all lanes together were measured. Most often the sums of the lanes tell,
    /// since none of them lacks anything, or one alone does; else days, hours and slots are looked at.
    pub(super) fn covered_in(&self, range: TimeRange) -> Span {
        let lanes = self.lanes.iter().map(|lane| lane.sum(range).covered());
        let alike = self.covered(lanes);
        if self.is_told_by_sums(range) {
            return alike;
        }
        let slots = || self.slots(range).map(|(_, slot)| slot.covered);
        let Some(length) = PIECES.into_iter().find(|length| range.length() > *length) else {
            return slots().fold(Span::ZERO, |sum, covered| sum + covered);
        };
        let (mut covered, mut from) = (Span::ZERO, range.from);
        while from < range.to {
            let next = from.floor_to(length) + length;
            let to = next.min(range.to);
            covered = covered + self.covered_in(TimeRange { from, to });
            from = to;
        }
        covered
    }

    /// Whether it does not matter where in `range` lanes lack something, to a slot: no two of those that are all
    /// needed do, and of those of which any is enough one lacks nothing, or has all that there is.
    fn is_told_by_sums(&self, range: TimeRange) -> bool {
        let length = range.length();
        let (mut lacking, mut any) = (0, None::<(Span, Span)>);
        for (number, lane) in (0..).zip(&self.lanes) {
            let covered = lane.sum(range).covered().min(length);
            if self.any_of.contains(&number) {
                let (most, all) = any.unwrap_or_default();
                any = Some((most.max(covered), all + covered));
            } else if covered + self.slot < length {
                lacking += 1;
            }
        }
        if let Some((most, all)) = any {
            if most + self.slot < all.min(length) {
                return false;
            }
            lacking += i32::from(most + self.slot < length);
        }
        lacking <= 1
    }
}
