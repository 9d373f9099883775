//! The course of a number as the path of a line that is interrupted where nothing is known.

use std::fmt::Write as _;

use super::{HEIGHT, WIDTH, at};

/// Points in their order: x from 0 to 1 and y from 0 (bottom) to 1; unknown ones interrupt the line.
pub(super) fn line(points: impl IntoIterator<Item = (f64, Option<f64>)>) -> String {
    let (mut path, mut pen) = (String::new(), 'M');
    for (x, y) in points {
        let Some(y) = y else {
            pen = 'M';
            continue;
        };
        let (x, y) = (at(x, WIDTH), at(1.0 - y, HEIGHT));
        // A string takes whatever is written.
        let written = write!(path, "{pen}{x} {y}");
        debug_assert!(written.is_ok(), "a string takes whatever is written");
        pen = 'L';
    }
    path
}

/// Shares of a budget that are left, as heights from 0 (bottom) to 1: between the whole budget and none of it, or
/// what is overspent. Without bound it is overspent where nothing may be bad: that is drawn as none left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    /// The lowest share; 0 unless it is overspent.
    pub(super) lowest: f64,
}

impl Scale {
    /// The scale on which all of `left` have room.
    pub(super) fn of(left: impl IntoIterator<Item = Option<f64>>) -> Self {
        let known = left.into_iter().flatten().filter(|left| left.is_finite());
        Self {
            lowest: known.fold(0.0, f64::min),
        }
    }

    /// How high `left` is drawn.
    pub(super) fn height(self, left: f64) -> f64 {
        (left.max(self.lowest) - self.lowest) / (1.0 - self.lowest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_interrupted_where_nothing_is_known() {
        let points = [
            (0.0, Some(1.0)),
            (0.25, None),
            (0.5, Some(0.5)),
            (1.0, Some(0.0)),
        ];
        assert_eq!(line(points), "M0.0 0.0M500.0 50.0L1000.0 100.0");
        assert_eq!(line([(0.5, None)]), "");
    }
}
