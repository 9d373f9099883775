//! What becomes of slices of which the source holds nothing.

use std::collections::BTreeMap;

use crate::domain::slices::MissingData;
use crate::domain::slot::Counts;
use crate::domain::time::{Span, Timestamp};

use super::{Impossible, Judged, Slices};

/// What is decided of slices that were judged.
#[derive(Debug, PartialEq)]
pub struct Decided {
    /// Those of which something is known, oldest first: what each counts as.
    pub slices: Vec<(Timestamp, Counts)>,
    /// All slices up to here are decided, the unknown ones too. What is newer may still come.
    pub to: Timestamp,
    /// Those that were to be judged by what cannot be true.
    pub impossible: BTreeMap<Timestamp, Impossible>,
}

/// What an empty slice counts as; `None` where it stays unknown.
pub const fn empty(missing: MissingData) -> Option<Counts> {
    let bad = match missing {
        MissingData::Hold => return None,
        MissingData::Good => 0.0,
        MissingData::Bad => 1.0,
    };
    Some(Counts { bad, total: 1.0 })
}

/// Decides slices that were read just now: what is known, what is older than that, and what ended
/// at or before `sure_to`, behind which samples may still be on their way. What is empty is missing
/// only in slices that end behind `watched_from`: before, nobody looked, or there was nothing to be seen.
pub fn decided(
    judged: &Slices<Judged>,
    missing: MissingData,
    watched_from: Timestamp,
    sure_to: Timestamp,
) -> Decided {
    let known = judged.iter().rfind(|(_, judged)| judged.is_some());
    let to = known.map_or(sure_to, |(end, _)| sure_to.max(*end));
    let slices = judged.iter().filter(|(end, _)| *end <= to);
    let counted = |(end, judged): &(Timestamp, Option<Judged>)| {
        let empty = empty(missing).filter(|_| *end > watched_from);
        Some((*end, judged.map_or(empty, Judged::counts)?))
    };
    let impossible = judged.iter().filter_map(|(end, judged)| match judged {
        Some(Judged::Impossible(what)) => Some((*end, *what)),
        Some(Judged::As(_) | Judged::Incomparable) | None => None,
    });
    Decided {
        slices: slices.filter_map(counted).collect(),
        to,
        impossible: impossible.collect(),
    }
}

/// What is known of the slices behind a stretch of the past.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// There were samples before, so that what is empty is missing.
    Seen,
    /// Whether there ever were is not known yet. Slices that end up to here, if there are any, were
    /// empty and wait for it.
    Unseen(Option<Timestamp>),
}

/// Decides slices of the past, which is read from the newest to the oldest: an empty slice is missing
/// when an older one is known, else there was nothing that could be missing. Says what is known now
/// of the slices before.
pub fn decided_past(
    judged: &Slices<Judged>,
    missing: MissingData,
    behind: Behind,
    slice: Span,
) -> (Vec<(Timestamp, Counts)>, Behind) {
    let filled = |empty: Option<Counts>| {
        move |(end, judged): &(Timestamp, Option<Judged>)| {
            Some((*end, judged.map_or(empty, Judged::counts)?))
        }
    };
    let Some(empty) = empty(missing) else {
        return (judged.iter().filter_map(filled(None)).collect(), behind);
    };
    let fill = filled(Some(empty));
    let waiting = match behind {
        Behind::Seen => return (judged.iter().filter_map(fill).collect(), behind),
        Behind::Unseen(waiting) => waiting,
    };
    let newest = judged.last().map(|(end, _)| *end);
    let Some(first) = judged.iter().position(|(_, judged)| judged.is_some()) else {
        return (Vec::new(), Behind::Unseen(waiting.or(newest)));
    };
    let (older, own) = judged.split_at(first);
    let mut slices: Vec<(Timestamp, Counts)> = own.iter().filter_map(fill).collect();
    let mut end = newest.map(|newest| newest + slice);
    while let Some(at) = end.filter(|end| Some(*end) <= waiting) {
        slices.push((at, empty));
        end = Some(at + slice);
    }
    let before = older.last().map(|(end, _)| *end);
    (slices, Behind::Unseen(before))
}

#[cfg(test)]
mod tests {
    use super::super::NOTHING;
    use super::super::fixture::at;
    use super::*;

    const MINUTE: Span = Span::from_mins(1);

    /// Slices of a minute in letters: `.` good, `#` bad, `0` without events, `-` without anything to
    /// compare with, `!` impossible, `?` empty.
    fn judged(letters: &str) -> Slices<Judged> {
        let judged = |letter| match letter {
            '.' => Some(Judged::bad(0.0)),
            '#' => Some(Judged::bad(1.0)),
            '0' => Some(Judged::As(NOTHING)),
            '-' => Some(Judged::Incomparable),
            '!' => Some(Judged::Impossible(Impossible::Ratio(2.0))),
            _ => None,
        };
        let minutes = (1..).map(|minute| at(60 * minute));
        minutes.zip(letters.chars().map(judged)).collect()
    }

    fn letters(slices: &[(Timestamp, Counts)], count: usize) -> String {
        let letter = |end: Timestamp| {
            let mut own = slices.iter().filter(|(at, _)| *at == end);
            match (own.next(), own.next()) {
                (Some((_, counts)), None) if *counts == NOTHING => '0',
                (Some((_, counts)), None) if counts.bad > 0.0 => '#',
                (Some(_), None) => '.',
                (None, _) => '?',
                (Some(_), Some(_)) => '2',
            }
        };
        let minutes = (1..).map(|minute| at(60 * minute));
        minutes.take(count).map(letter).collect()
    }

    #[test]
    fn an_empty_slice_is_decided_once_nothing_can_come_any_more() {
        for (slices, sure, missing, expected, to) in [
            ("..#.", 0, MissingData::Hold, "..#.", 4),
            ("..??", 0, MissingData::Bad, "..??", 2),
            ("..??", 3, MissingData::Bad, "..#?", 3),
            ("..??", 3, MissingData::Good, "...?", 3),
            ("..??", 3, MissingData::Hold, "..??", 3),
            ("?.?.", 0, MissingData::Bad, "#.#.", 4),
            ("??", 0, MissingData::Bad, "??", 0),
            ("??", 2, MissingData::Bad, "##", 2),
            ("?-?", 0, MissingData::Bad, "#??", 2),
            ("-?.", 0, MissingData::Bad, "?#.", 3),
            ("0??", 0, MissingData::Hold, "0??", 1),
            ("?0?", 0, MissingData::Bad, "#0?", 2),
            ("0-.", 0, MissingData::Good, "0?.", 3),
            (".!?", 0, MissingData::Good, ".??", 2),
        ] {
            let decided = decided(&judged(slices), missing, at(0), at(60 * sure));
            let shown = letters(&decided.slices, slices.len());
            let reached = decided.to.as_millis() / 60_000;
            let wrong = slices.rfind('!');
            let told = decided
                .impossible
                .keys()
                .map(|end| end.as_millis() / 60_000 - 1);
            assert!(told.eq(wrong.and_then(|it| i64::try_from(it).ok())));
            assert_eq!(
                (shown.as_str(), reached),
                (expected, to),
                "{slices} {missing:?}"
            );
        }
    }

    #[test]
    fn nothing_is_missing_before_anybody_looked() {
        let decided = decided(&judged("??.??"), MissingData::Bad, at(60), at(300));
        assert_eq!(letters(&decided.slices, 5), "?#.##");
    }

    /// Decides the past in pieces of this many slices, as a walk does.
    fn walked(slices: &str, piece: usize, behind: Behind) -> String {
        let all = judged(slices);
        let (mut behind, mut gained) = (behind, Vec::new());
        let mut to = all.len();
        while to > 0 {
            let from = to.saturating_sub(piece);
            let part = all[from..to].to_vec();
            let (more, now) = decided_past(&part, MissingData::Bad, behind, MINUTE);
            gained.extend(more);
            (behind, to) = (now, from);
        }
        letters(&gained, all.len())
    }

    #[test]
    fn the_past_is_the_same_however_it_is_cut() {
        for (slices, unseen, seen) in [
            ("????..#.", "????..#.", "####..#."),
            ("..??.???", "..##.###", "..##.###"),
            ("?.??????#", "?.#######", "#.#######"),
            ("????????", "????????", "########"),
            ("?-??.?--", "??##.#??", "#?##.#??"),
            ("?0??.?0-", "?0##.#0?", "#0##.#0?"),
            ("?!??.?!-", "??##.#??", "#?##.#??"),
        ] {
            for piece in 1..=slices.len() {
                assert_eq!(
                    walked(slices, piece, Behind::Unseen(None)),
                    unseen,
                    "by {piece}"
                );
                assert_eq!(walked(slices, piece, Behind::Seen), seen, "by {piece}");
            }
        }
    }

    #[test]
    fn without_a_rule_the_past_stays_unknown() {
        let all = judged("?..?#0-?");
        let (slices, _) = decided_past(&all, MissingData::Hold, Behind::Seen, MINUTE);
        assert_eq!(letters(&slices, 8), "?..?#0??");
    }
}
