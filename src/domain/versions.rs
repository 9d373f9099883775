//! What was promised when: a change of an objective does not rewrite the past.

use super::objective::Objective;
use super::time::{Span, TimeRange, Timestamp};

/// Versions begin where an hour does: however old slots grow, none is wider, so that what was counted
/// under one version can always be told from what was counted under another.
const GRAIN: Span = Span::from_hours(1);

/// An objective, and from when on it was in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// What ends after this time counts by it; the start of an hour.
    pub from: Timestamp,
    /// What was promised.
    pub objective: Objective,
}

/// All that was promised of one objective, oldest first. The first version holds for everything
/// before it too: what was counted of the time before an objective was defined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions(Vec<Version>);

impl Versions {
    /// Versions from a list in any order.
    pub fn new(mut list: Vec<Version>) -> Self {
        list.sort_by_key(|version| version.from);
        Self(list)
    }

    /// All of them, oldest first.
    pub fn all(&self) -> &[Version] {
        &self.0
    }

    /// Takes note that `objective` is in force at `at`: from the start of that hour on, in place of
    /// what else began in it. Says whether that is news.
    pub fn note(&mut self, objective: Objective, at: Timestamp) -> bool {
        let Some(last) = self.0.last().copied() else {
            let from = at.floor_to(GRAIN);
            self.0.push(Version { from, objective });
            return true;
        };
        if last.objective == objective {
            return false;
        }
        // Never before the last one, however the clock was set.
        let from = at.floor_to(GRAIN).max(last.from);
        if from == last.from {
            self.0.pop();
        }
        // Who takes a change back within the hour has changed nothing.
        if self.0.last().map(|before| before.objective) != Some(objective) {
            self.0.push(Version { from, objective });
        }
        true
    }

    /// What was in force for what ended at `at`; `None` when nothing is known.
    pub fn at(&self, at: Timestamp) -> Option<Objective> {
        let after = self.0.partition_point(|version| version.from < at);
        let version = self.0.get(after.saturating_sub(1))?;
        Some(version.objective)
    }

    /// Cuts a range at the beginnings of versions: each part with what was in force, oldest first.
    pub fn parts(&self, range: TimeRange) -> Vec<(TimeRange, Objective)> {
        let ends = self.0.iter().skip(1).map(|next| next.from);
        let ends = ends.chain(std::iter::once(range.to));
        let mut from = range.from;
        let mut parts = Vec::new();
        for (version, end) in self.0.iter().zip(ends) {
            let to = end.min(range.to);
            if to > from {
                parts.push((TimeRange { from, to }, version.objective));
                from = to;
            }
        }
        parts
    }

    /// Drops versions of which nothing after `time` is left.
    pub fn forget_before(&mut self, time: Timestamp) {
        let past = self.0.partition_point(|version| version.from <= time);
        self.0.drain(..past.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_millis(minutes * 60_000)
    }

    /// Versions from `minute objective` pairs, as ticks note them.
    fn noted(changes: &[(i64, &str)]) -> Versions {
        let mut versions = Versions::default();
        for (minute, objective) in changes {
            versions.note(objective.parse().unwrap(), at(*minute));
        }
        versions
    }

    fn shown(versions: &Versions) -> String {
        let one = |version: &Version| {
            let minutes = version.from.as_millis() / 60_000;
            format!("{minutes} {}", version.objective)
        };
        versions
            .all()
            .iter()
            .map(one)
            .collect::<Vec<_>>()
            .join(", ")
    }

    #[test]
    fn a_version_begins_with_the_hour_and_leaves_what_was_before() {
        for (changes, expected) in [
            (&[][..], ""),
            (&[(130, "99.9%")], "120 99.9%"),
            (&[(130, "99.9%"), (500, "99.9%")], "120 99.9%"),
            (&[(130, "99.9%"), (250, "99%")], "120 99.9%, 240 99%"),
            (
                &[(130, "99.9%"), (250, "99%"), (260, "95%")],
                "120 99.9%, 240 95%",
            ),
            // A mistake that is taken back within the hour leaves no trace.
            (
                &[(130, "99.9%"), (250, "9.9%"), (290, "99.9%")],
                "120 99.9%",
            ),
            (&[(130, "99.9%"), (140, "99%")], "120 99%"),
            // Written otherwise, promised the same.
            (&[(130, "99.9%"), (250, "99.90")], "120 99.9%"),
            // A clock that is set back.
            (
                &[(130, "99.9%"), (250, "99%"), (70, "95%")],
                "120 99.9%, 240 95%",
            ),
        ] {
            assert_eq!(shown(&noted(changes)), expected, "{changes:?}");
        }
    }

    #[test]
    fn a_range_is_cut_where_versions_begin_and_the_first_reaches_back() {
        let versions = noted(&[(120, "99.9%"), (240, "99%"), (360, "95%")]);
        let parts = |from, to| {
            let range = TimeRange {
                from: at(from),
                to: at(to),
            };
            let parts = versions.parts(range).into_iter().map(|(part, objective)| {
                let [from, to] = [part.from, part.to].map(|it| it.as_millis() / 60_000);
                format!("{from}-{to} {objective}")
            });
            parts.collect::<Vec<_>>().join(", ")
        };
        for (from, to, expected) in [
            (0, 500, "0-240 99.9%, 240-360 99%, 360-500 95%"),
            (0, 100, "0-100 99.9%"),
            (240, 360, "240-360 99%"),
            (241, 361, "241-360 99%, 360-361 95%"),
            (400, 500, "400-500 95%"),
            (100, 100, ""),
        ] {
            assert_eq!(parts(from, to), expected, "({from}, {to}]");
        }
        let at_minute = |minute| versions.at(at(minute)).map(|it| it.to_string());
        let found = [0, 240, 241, 360, 999].map(at_minute);
        let expected = ["99.9%", "99.9%", "99%", "99%", "95%"].map(|it| Some(it.to_owned()));
        assert_eq!(found, expected);
        assert_eq!(Versions::default().at(at(1)), None);
        let mut later = versions.clone();
        later.forget_before(at(239));
        assert_eq!(later, versions);
        later.forget_before(at(300));
        assert_eq!(shown(&later), "240 99%, 360 95%");
        later.forget_before(at(9_000));
        assert_eq!(shown(&later), "360 95%");
    }
}
