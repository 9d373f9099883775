//! Since when anything is known of a lane without cursors: what is empty before that was never missing.

use crate::domain::slot::Counts;
use crate::domain::time::{TimeRange, Timestamp};
use crate::engine::state::State;
use crate::series::past::{Gained, LaneIndex, Sums, WantedLane};
use crate::series::slices::missing::empty;

/// Since when something is known of a lane, so that what is empty of it is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) enum Seen {
    /// Nothing was ever seen of it.
    #[default]
    Never,
    /// The first slice that was seen ends then. Those before it were empty when they were counted live, and
    /// are missing if the past shows an older one.
    From(Timestamp),
    /// Since before it was counted live.
    Before,
}

impl Seen {
    /// What is empty is missing in slices that end behind this.
    pub(super) const fn missing_after(self) -> Timestamp {
        match self {
            Self::Never => Timestamp::from_millis(i64::MAX),
            Self::From(first) => first,
            Self::Before => Timestamp::from_millis(i64::MIN),
        }
    }

    /// The same when a read shows slices, the `first` of which ends then.
    pub(super) fn or_from(self, first: Option<Timestamp>) -> Self {
        match self {
            Self::Never => first.map_or(Self::Never, Self::From),
            Self::From(_) | Self::Before => self,
        }
    }

    /// The same for who begins to count anew.
    pub(in crate::engine) const fn before(self) -> Self {
        match self {
            Self::Never => Self::Never,
            Self::From(_) | Self::Before => Self::Before,
        }
    }
}

impl State {
    /// What lanes gain besides, of which a chunk of the past is the first to show something: the slices
    /// behind the `seam` that live counting found empty, and settled, are missing after all. Those that are
    /// not settled it judges anew.
    pub(in crate::engine) fn missed_since(
        &mut self,
        seam: Timestamp,
        shown: impl Iterator<Item = LaneIndex>,
    ) -> Vec<Gained> {
        let mut missed = Vec::new();
        for (meter, lane) in shown {
            let Some(empty) = empty(self.plan.meters[meter].missing(lane)) else {
                continue;
            };
            let grain = self.grain((meter, lane));
            let state = &mut self.meters[meter].lanes[lane];
            let (Some(settled_to), before) = (state.settled_to, state.seen) else {
                continue;
            };
            let to = match before {
                Seen::Before => continue,
                Seen::From(first) => settled_to.min(first - grain),
                Seen::Never => settled_to,
            };
            state.seen = Seen::Before;
            if to == settled_to {
                state.head_to = None;
                for family in self.plan.lane((meter, lane)).families() {
                    self.families[family].head_to = None;
                }
            }
            let mut slices: Vec<(Timestamp, Counts)> = Vec::new();
            let mut end = seam.floor_to(grain) + grain;
            while end <= to {
                slices.push((end, empty));
                end = end + grain;
            }
            let own = WantedLane {
                lane: (meter, lane),
                part_of: None,
                follows: false,
            };
            let mut sums = Sums::new(&[own], TimeRange { from: seam, to }, self.settings.slot);
            sums.add_slices((meter, lane), grain, &slices);
            missed.extend(sums.into_gained());
        }
        missed
    }
}
