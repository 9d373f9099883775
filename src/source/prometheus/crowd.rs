//! How many reads may be under way: fewer after a 429, one more after as many good answers as there are places.

/// The number of places as it is now. What it says to take away is taken when places are given back.
#[derive(Debug)]
pub(super) struct Crowd {
    most: usize,
    places: usize,
    /// Places that are to be taken away.
    owed: usize,
    /// Good answers since the last change.
    good: usize,
    /// Counts how often there became fewer.
    round: u64,
}

impl Crowd {
    pub(super) const fn new(most: usize) -> Self {
        Self {
            most,
            places: most,
            owed: 0,
            good: 0,
            round: 0,
        }
    }

    /// In which round a read begins.
    pub(super) const fn round(&self) -> u64 {
        self.round
    }

    /// Halves the places; once for all reads that were under way together.
    pub(super) fn too_many(&mut self, round: u64) {
        if round != self.round {
            return;
        }
        let left = (self.places / 2).max(1);
        self.owed += self.places - left;
        (self.places, self.good) = (left, 0);
        self.round += 1;
    }

    /// Notes a good answer. Whether a place is to be added.
    pub(super) const fn answered(&mut self) -> bool {
        self.good += 1;
        if self.good < self.places || self.places == self.most {
            return false;
        }
        self.good = 0;
        self.places += 1;
        if self.owed > 0 {
            self.owed -= 1;
            return false;
        }
        true
    }

    /// Whether a place that is given back is to be taken away.
    pub(super) const fn takes_back(&mut self) -> bool {
        if self.owed == 0 {
            return false;
        }
        self.owed -= 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_halve_once_for_each_crowd_and_come_back_one_by_one() {
        let mut crowd = Crowd::new(8);
        let round = crowd.round();
        for _ in 0..8 {
            crowd.too_many(round);
        }
        let taken = (0..8).filter(|_| crowd.takes_back()).count();
        assert_eq!((crowd.places, taken), (4, 4));
        for places in [2, 1, 1] {
            crowd.too_many(crowd.round());
            assert_eq!(crowd.places, places);
        }
        assert_eq!((0..8).filter(|_| crowd.takes_back()).count(), 3);
        let added = (0..100).filter(|_| crowd.answered()).count();
        assert_eq!((crowd.places, added), (8, 7));
    }

    #[test]
    fn a_place_that_was_not_taken_yet_stays() {
        let mut crowd = Crowd::new(2);
        crowd.too_many(0);
        assert!(!crowd.answered(), "it is still there");
        assert_eq!((crowd.places, crowd.owed), (2, 0));
    }
}
