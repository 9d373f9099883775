//! Groups of an objective beyond as many as it may have: from when on somebody is told, and until
//! when.

use super::time::{Span, Timestamp};

/// What a tick shows of such groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// There are some.
    Refused,
    /// There are none.
    Clear,
    /// Not known: the state stays as it is.
    Unknown,
}

/// How long there have been such groups. Where there are none there is no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Too short a time to be told.
    Waiting {
        /// The tick that saw the first.
        since: Timestamp,
    },
    /// Somebody was told.
    Told {
        /// The tick that saw the first.
        since: Timestamp,
    },
    /// There are none any more, but not for long enough.
    Holding {
        /// The tick that saw the first.
        since: Timestamp,
        /// The tick that saw none.
        clear: Timestamp,
    },
}

/// What is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// There have been such groups for long enough, since this tick.
    Begins(Timestamp),
    /// There have been none for long enough.
    Ends,
}

impl Refusal {
    /// The state after a tick, and what is to be told. Both the beginning and the end take so much
    /// `patience`, so that what comes and goes is told of once or not at all.
    pub fn after(
        before: Option<Self>,
        sighting: Sighting,
        now: Timestamp,
        patience: Span,
    ) -> (Option<Self>, Option<Turn>) {
        use Refusal::{Holding, Told, Waiting};
        match (before, sighting) {
            (None, Sighting::Refused) => (Some(Waiting { since: now }), None),
            (Some(Waiting { since }), Sighting::Refused) if now.since(since) >= patience => {
                (Some(Told { since }), Some(Turn::Begins(since)))
            }
            (Some(Waiting { .. }), Sighting::Clear) => (None, None),
            (Some(Told { since }), Sighting::Clear) => (Some(Holding { since, clear: now }), None),
            (Some(Holding { since, .. }), Sighting::Refused) => (Some(Told { since }), None),
            (Some(Holding { clear, .. }), Sighting::Clear) if now.since(clear) >= patience => {
                (None, Some(Turn::Ends))
            }
            (unchanged, _) => (unchanged, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays one letter a minute (`#` refused, `.` clear, `?` unknown) with a patience of two minutes,
    /// and writes when the beginning (`!`) and the end (`~`) are told.
    fn trace(letters: &str) -> String {
        let (mut state, mut told) = (None, String::new());
        for (minute, letter) in (0..).zip(letters.chars()) {
            let sighting = match letter {
                '#' => Sighting::Refused,
                '.' => Sighting::Clear,
                _ => Sighting::Unknown,
            };
            let now = Timestamp::from_millis(minute * 60_000);
            let turn;
            (state, turn) = Refusal::after(state, sighting, now, Span::from_mins(2));
            told.push(match turn {
                Some(Turn::Begins(since)) if since < now => '!',
                Some(Turn::Ends) => '~',
                _ => '-',
            });
        }
        told
    }

    #[test]
    fn what_lasts_is_told_once_and_its_end_only_when_it_is_known() {
        for (letters, told) in [
            (".###....", "---!--~-"),
            (".#..##..", "--------"),
            (".#?#....", "---!--~-"),
            (".##??...", "--------"),
            (".###????", "---!----"),
            (".###????...", "---!------~"),
            (".###.?.", "---!--~"),
            (".###..##..#...", "---!---------~"),
            (".###.#.#.#...", "---!--------~"),
            (".###...###...", "---!--~--!--~"),
            ("????", "----"),
        ] {
            assert_eq!(trace(letters), told, "{letters}");
        }
    }
}
