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
    let step = step_of(range.length(), most, status.ledger.slot());
    history(status, range, step).collect()
}
