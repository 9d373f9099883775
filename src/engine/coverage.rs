//! Which time was measured: the union of what the series of a lane cover, credited to slots once.

use crate::domain::time::{Span, TimeRange, Timestamp};

/// Up to where a lane's covered time was credited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Coverage {
    reached: Option<Timestamp>,
}

impl Coverage {
    /// Coverage that was credited up to `reached` before.
    pub(super) const fn from(reached: Option<Timestamp>) -> Self {
        Self { reached }
    }

    /// Up to where time was credited; `None` before anything was.
    pub(super) const fn reached(self) -> Option<Timestamp> {
        self.reached
    }

    /// Credits the union of `ranges` beyond what was credited before, slot by slot: the slots' ends
    /// with the time that each gains.
    pub(super) fn credit(
        &mut self,
        mut ranges: Vec<TimeRange>,
        slot: Span,
        mut gain: impl FnMut(Timestamp, Span),
    ) {
        ranges.sort_unstable_by_key(|range| range.from);
        for range in ranges {
            let mut from = self
                .reached
                .map_or(range.from, |reached| reached.max(range.from));
            while from < range.to {
                let end = (from + Span::from_millis(1)).ceil_to(slot);
                let to = end.min(range.to);
                gain(end, to.since(from));
                from = to;
            }
            self.reached = self.reached.max(Some(range.to));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_scrapes_cover_time_once() {
        let at = |second: i64| Timestamp::from_millis(second * 1_000);
        let mut coverage = Coverage::default();
        let mut credit = |ranges: &[(i64, i64)]| {
            let ranges = ranges
                .iter()
                .map(|(from, to)| TimeRange {
                    from: at(*from),
                    to: at(*to),
                })
                .collect();
            let mut told = Vec::new();
            coverage.credit(ranges, Span::from_secs(30), |end, gained| {
                told.push(format!("{}:{gained}", end.as_millis() / 1_000));
            });
            told.join(" ")
        };
        assert_eq!(credit(&[(5, 20), (0, 15)]), "30:15s 30:5s");
        assert_eq!(credit(&[(15, 35), (20, 40)]), "30:10s 60:5s 60:5s");
        assert_eq!(credit(&[(10, 40)]), "");
        assert_eq!(credit(&[(95, 100)]), "120:5s");
    }
}
