//! Buckets that a server joined: what a native histogram showed up to a threshold before, as it would read now.

/// A count of a histogram at an older and at a newer sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pair {
    /// At the older one.
    pub(super) older: f64,
    /// At the newer one.
    pub(super) newer: f64,
}

impl Pair {
    /// The older value of this count up to a threshold, beside that of `all` events, when the two samples could not be
    /// read together.
    ///
    /// When fewer events came than none, or more than came at all, it was interpolated within other buckets: then it is
    /// taken to have had the share of all events that it has now. What starts anew as a whole is a reset, and stays one.
    pub(super) fn older_alike(self, all: Self) -> f64 {
        let (came, came_at_all) = (self.newer - self.older, all.newer - all.older);
        let fits = (0.0..=came_at_all).contains(&came);
        if fits || came_at_all < 0.0 || all.newer <= 0.0 {
            return self.older;
        }
        self.newer / all.newer * all.older
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_read_by_the_share_of_today() {
        let pair = |(older, newer): (f64, f64)| Pair { older, newer };
        for (up_to, all, expected) in [
            // As it is.
            ((90.0, 100.0), (100.0, 120.0), 90.0),
            ((90.0, 90.0), (100.0, 100.0), 90.0),
            // Fewer than before, more than came.
            ((90.0, 60.0), (100.0, 120.0), 50.0),
            ((90.0, 114.0), (100.0, 120.0), 95.0),
            // All of it is new.
            ((90.0, 6.0), (100.0, 12.0), 90.0),
            ((0.0, 0.0), (0.0, 0.0), 0.0),
        ] {
            assert_eq!(
                pair(up_to).older_alike(pair(all)).to_bits(),
                f64::to_bits(expected),
                "{up_to:?} {all:?}"
            );
        }
    }
}
