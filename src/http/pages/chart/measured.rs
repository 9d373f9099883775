//! The part of a window that is drawn: from the first measured time on, since a window that was hardly begun
//! would else be an empty chart with a strip at its end.

use crate::domain::time::TimeRange;
use crate::status::history::{Step, history, step_of};
use crate::status::snapshot::SloStatus;

/// How often what is drawn is narrowed to what is covered; each time to a step, at most.
const NARROWED: usize = 3;

/// The window of `status` from its first measured time on, in `most` steps; all of it where nothing was measured.
pub(super) fn measured(status: &SloStatus, most: i64) -> (TimeRange, Vec<Step>) {
    let mut range = status.window.range;
    let mut steps = in_steps(status, range, most);
    for _ in 0..NARROWED {
        let first = steps.iter().find(|step| step.coverage > 0.0);
        let Some(first) = first.filter(|first| first.range.from > range.from) else {
            break;
        };
        range.from = first.range.from;
        steps = in_steps(status, range, most);
    }
    (range, steps)
}

/// What `range` of `status` holds, in `most` steps.
pub(super) fn in_steps(status: &SloStatus, range: TimeRange, most: i64) -> Vec<Step> {
    // Where slots have grown coarse a shorter step would hold none of them, and look as if nothing was measured.
    let slot = status.ledger.width(range.from);
    let step = step_of(range.length(), most, slot);
    history(status, range, step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Span;
    use crate::status::fixture;

    #[test]
    fn what_was_measured_long_ago_is_drawn_as_measured() {
        let snapshot = fixture::snapshot();
        let status = snapshot.slos.iter().find(|it| it.window.coverage > 0.99);
        let mut status = SloStatus::clone(status.unwrap());
        status.ledger.grow_old(fixture::AT);
        let mut widths = Vec::new();
        for hours in [1, 300] {
            let to = (fixture::AT - Span::from_hours(hours)).floor_to(Span::from_hours(1));
            let from = to - Span::from_hours(4);
            let steps = in_steps(&status, TimeRange { from, to }, 120);
            assert!(
                steps.iter().all(|step| step.coverage > 0.0),
                "{hours} hours ago"
            );
            widths.push(steps[0].range.length().as_millis() / 60_000);
        }
        assert_eq!(widths, [5, 60]);
    }
}
