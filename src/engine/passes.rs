//! How a tick catches up with samples that were missed: pass by pass, as long as each one brings more.

use std::collections::BTreeMap;

use crate::domain::time::Timestamp;
use crate::series::plan::FamilyIndex;

use super::intake::{Read, Reading};

/// The passes of one tick.
#[derive(Debug, Default)]
pub(super) struct Passes {
    /// Up to where families were read that are behind.
    reached: BTreeMap<FamilyIndex, Timestamp>,
}

impl Passes {
    /// Takes note of what a pass read at the tick `at`. Says whether there is to be another one: some family was read as a
    /// whole, not up to `at` yet, and further than by any pass before. So a tick ends, whatever is defined.
    pub(super) fn go_on(&mut self, reads: &[Read], at: Timestamp) -> bool {
        let mut families: BTreeMap<FamilyIndex, (Timestamp, bool)> = BTreeMap::new();
        for Read { wanted, reading } in reads {
            let (to, whole) = families
                .entry(wanted.family)
                .or_insert((wanted.range.to, true));
            *to = (*to).max(wanted.range.to);
            *whole &= matches!(reading, Reading::Complete(_));
        }
        families.retain(|_, (to, whole)| *to < at && *whole);
        let mut goes_on = false;
        for (family, (to, _)) in families {
            let before = self.reached.get(&family).copied();
            if before < Some(to) {
                self.reached.insert(family, to);
                goes_on = true;
            }
        }
        goes_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::TimeRange;
    use crate::engine::reads::{Query, Wanted};
    use crate::series::batch::Batch;

    #[test]
    fn a_tick_goes_on_while_a_family_moves() {
        let at = |second: i64| Timestamp::from_millis(second * 1_000);
        // Up to where each family is read, or not at all (`-`), in each pass of a tick at 100.
        for (passes, expected) in [
            (&["100"][..], "."),
            (&["60", "100"], "+."),
            (&["60", "80", "100"], "++."),
            // It moves no more, or moves back.
            (&["60", "60"], "+."),
            (&["60", "40", "60"], "+.."),
            // It is not answered.
            (&["-"], "."),
            (&["60", "-"], "+."),
            // One moves while others do not.
            (&["60 60", "60 100", "60 100"], "+.."),
            (&["60 60", "60 80", "60 100"], "++."),
            (&["- 60", "- 80", "- 100"], "++."),
        ] {
            let mut own = Passes::default();
            let mut told = String::new();
            for pass in passes {
                let read = |(family, to): (usize, &str)| {
                    let to = to.parse().ok();
                    let reading = match to {
                        Some(_) => Reading::Complete(Batch::default()),
                        None => Reading::Failed("nobody answers".to_owned()),
                    };
                    let range = TimeRange {
                        from: at(0),
                        to: at(to.unwrap_or(50)),
                    };
                    let wanted = Wanted {
                        family,
                        query: Query::Part(0),
                        range,
                    };
                    Read { wanted, reading }
                };
                let reads: Vec<Read> = pass.split(' ').enumerate().map(read).collect();
                told.push(if own.go_on(&reads, at(100)) { '+' } else { '.' });
            }
            assert_eq!(told, expected, "{passes:?}");
        }
    }
}
