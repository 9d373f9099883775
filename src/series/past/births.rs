//! Births and returns in the past: judged by the same rules as live ones, in the same blocks of time.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::domain::evidence::Evidence;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::{self, Sample};
use crate::series::births::{Surroundings, Target, Verdict};
use crate::series::cursor::{Cursor, IgnoredBirth, Increase, is_gap, validity};
use crate::series::starts::Starts;

use super::{Chunk, Walked};

/// What the first value of a series is worth, should no older sample of it be found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Worth {
    /// Nothing: it was there before anything was known.
    WasThere,
    /// These events.
    Counted(Increase),
    /// Nothing, because nothing shows when its events happened.
    Ignored(IgnoredBirth),
}

/// What a first sample is worth, found beside it before anything older was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// When there is no older sample.
    pub born: Worth,
    /// From where it counts when an older sample was higher; from that one if not said.
    pub fallen: Option<Cursor>,
    /// From where it counts when an older sample was not.
    pub returned: Option<Cursor>,
}

/// A sample of which more than the one before it has to be known: the position of its series, and its own.
pub(super) type Event = (usize, usize);

/// Says what the samples need that are judged by their surroundings: verdicts for those that go on
/// from an older sample in sight, judgements for those that do not.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) going_on: HashMap<Event, Verdict>,
    pub(super) first: HashMap<usize, Judgement>,
}

/// Judges `events` block by block.
pub(super) fn judge(
    interval: Span,
    chunk: &Chunk,
    series: &[Walked],
    events: &[Event],
    starts: Option<&Starts>,
) -> Judged {
    let mut blocks: BTreeMap<Timestamp, Vec<Event>> = BTreeMap::new();
    for (index, sample) in events {
        let at = series[*index].samples[*sample].at;
        let block = (at - Span::from_millis(1)).floor_to(chunk.grid);
        blocks.entry(block).or_default().push((*index, *sample));
    }
    let nothing_fell = HashMap::new();
    let mut judged = Judged::default();
    for (start, events) in blocks {
        let seen = TimeRange {
            // Only as far back as every chunk sees, or the way to cut would make a difference.
            from: start - chunk.margin,
            to: start + chunk.grid,
        };
        let mut around = Surroundings::new(&nothing_fell, starts);
        let is_known = look_around(interval, (seen, start), series, &events, &mut around);
        for (index, position) in events {
            let Walked {
                labels, samples, ..
            } = &series[index];
            let now = samples[position];
            if let Some(older) = position.checked_sub(1) {
                let own = at(samples[older], interval);
                let verdict = around.judge(labels, Some(&own), now);
                judged.going_on.insert((index, position), verdict);
                continue;
            }
            let next = samples.get(1).copied();
            let own = |value: f64| Cursor {
                at: seen.from,
                value,
                interval,
                birth: None,
            };
            let base = |verdict| match verdict {
                Verdict::From(base, _) => Some(base),
                _ => None,
            };
            let judgement = Judgement {
                born: if is_known {
                    worth(around.judge(labels, None, now), now, next, interval)
                } else {
                    Worth::WasThere
                },
                fallen: base(around.judge(labels, Some(&own(f64::INFINITY)), now)),
                returned: base(around.judge(labels, Some(&own(0.0)), now)),
            };
            judged.first.insert(index, judgement);
        }
    }
    judged
}

/// A cursor at a sample, for a series with this usual interval.
pub(super) fn at(sample: Sample, interval: Span) -> Cursor {
    Cursor {
        interval,
        ..Cursor::at_first(sample)
    }
}

/// Takes note of what was known before a block and of it, as far as it is `seen`; says whether
/// anything was known before.
fn look_around(
    interval: Span,
    (seen, start): (TimeRange, Timestamp),
    series: &[Walked],
    events: &[Event],
    around: &mut Surroundings<'_>,
) -> bool {
    let targets: HashSet<&Target> = events
        .iter()
        .filter_map(|(index, _)| series[*index].target.as_ref())
        .collect();
    let mut scrapes = Vec::new();
    let mut is_known = false;
    for walked in series {
        let samples = batch::within(&walked.samples, seen);
        let Some((before, within)) = samples.split_first() else {
            continue;
        };
        is_known |= before.at <= start;
        scrapes.extend(samples.iter().map(|sample| sample.at));
        if walked
            .target
            .as_ref()
            .is_some_and(|it| targets.contains(it))
        {
            if before.at <= start {
                around.note(&walked.labels, Some(at(*before, interval)), within);
            } else {
                around.note(&walked.labels, None, samples);
            }
        }
    }
    around.note_scrapes(scrapes, interval);
    is_known
}

/// What a first value is worth by a verdict on it, and by the value after it.
fn worth(verdict: Verdict, now: Sample, next: Option<Sample>, interval: Span) -> Worth {
    match verdict {
        Verdict::From(base, evidence) => {
            let mut increase = Cursor::after(base, Some(evidence), now).1;
            increase.gap = is_gap(increase.to.since(increase.from), interval);
            Worth::Counted(increase)
        }
        Verdict::Lifetime => Worth::Ignored(IgnoredBirth {
            at: now.at,
            value: now.value,
            evidence: Evidence::OlderProcess,
        }),
        Verdict::Given | Verdict::Continues => Worth::WasThere,
        Verdict::Unclear => {
            let soon = next.filter(|next| next.at.since(now.at) <= validity(interval));
            let growth = soon.map_or(0.0, |next| {
                if next.value >= now.value {
                    next.value - now.value
                } else {
                    next.value
                }
            });
            let mut events = Vec::new();
            match Cursor::at_birth(now).conclude(growth, &mut events) {
                Some(birth) => Worth::Ignored(birth),
                None => events.pop().map_or(Worth::WasThere, Worth::Counted),
            }
        }
    }
}
