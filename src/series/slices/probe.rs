//! Probes: gauges that are 1 when something works and 0 when it does not. Each sample is an event; with
//! a quorum each slot is one, on which the probers vote.

use crate::domain::decimal::Fraction;
use crate::domain::labels::Labels;
use crate::domain::slices::BadWhen;
use crate::domain::slot::Counts;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::series::batch::{Sample, Series};
use crate::series::cursor::validity;

use super::events::judged;
use super::noted::Noted;
use super::{NOTHING, Slices, ends};

/// What the probers say of each slot of the width `slot`.
///
/// Without a quorum the samples in a slot are its events, by their own times. A slot without one is
/// known to hold none when a sample lies behind it and one before it is still valid. With a quorum a
/// slot is one event: each prober votes by its last value, as long as that is valid (2.5 usual
/// intervals); one without a valid value does not vote.
pub fn counts(
    probers: &[Series],
    quorum: Option<BadWhen>,
    slot: Span,
    range: TimeRange,
    usual: Span,
    noted: &mut Noted,
) -> Slices<Counts> {
    let mut judge = |end: Timestamp| match quorum {
        None => events(probers, end, slot, validity(usual), noted),
        Some(quorum) => vote(probers, quorum, end, validity(usual), noted),
    };
    ends(range, slot).map(|end| (end, judge(end))).collect()
}

/// Whether more than `allowance` of the events of each slice were bad.
pub fn over_allowance(
    probers: &[Series],
    quorum: Option<BadWhen>,
    (slot, slice): (Span, Span),
    allowance: Fraction,
    range: TimeRange,
    usual: Span,
    noted: &mut Noted,
) -> Slices<Counts> {
    let mut slice_of = |end: Timestamp| {
        let within = TimeRange {
            from: end - slice,
            to: end,
        };
        let own = &mut Noted::default();
        let slots = counts(probers, quorum, slot, within, usual, own);
        let known = slots.into_iter().filter_map(|(_, counts)| counts);
        let events = known.reduce(Counts::plus)?;
        let counts = judged(events, allowance);
        noted.events(end, Labels::default, events, counts.bad > 0.0);
        Some(counts)
    };
    ends(range, slice).map(|end| (end, slice_of(end))).collect()
}

fn events(
    probers: &[Series],
    end: Timestamp,
    slot: Span,
    valid: Span,
    noted: &mut Noted,
) -> Option<Counts> {
    let (mut sum, mut is_between) = (Counts::default(), (false, false));
    for prober in probers {
        let first = prober.samples.partition_point(|it| it.at <= end - slot);
        let behind = prober.samples.partition_point(|it| it.at <= end);
        let own = prober.samples.get(first..behind).unwrap_or_default();
        let mut events = Counts::default();
        for sample in own.iter().filter(|it| it.value.is_finite()) {
            events = events.plus(Counts {
                bad: f64::from(u8::from(is_bad(sample))),
                total: 1.0,
            });
        }
        // Most of them are well, scrape after scrape: there is nothing to tell of that.
        if events.bad > 0.0 {
            noted.events(end, || prober.labels.to_labels(), events, true);
        }
        sum = sum.plus(events);
        let before = first.checked_sub(1).and_then(|it| prober.samples.get(it));
        is_between.0 |= before.is_some_and(|it| end.since(it.at) <= valid);
        is_between.1 |= prober.samples.get(behind).is_some();
    }
    match (sum.total > 0.0, is_between) {
        (true, _) => Some(sum),
        (false, (true, true)) => Some(NOTHING),
        (false, _) => None,
    }
}

fn vote(
    probers: &[Series],
    quorum: BadWhen,
    end: Timestamp,
    valid: Span,
    noted: &mut Noted,
) -> Option<Counts> {
    let (mut bad, mut known) = (0, 0);
    for prober in probers {
        let behind = prober.samples.partition_point(|it| it.at <= end);
        let last = behind.checked_sub(1).and_then(|it| prober.samples.get(it));
        let last = last.filter(|it| it.value.is_finite() && end.since(it.at) <= valid);
        let Some(last) = last else { continue };
        let is_bad = noted.of(end, || prober.labels.to_labels(), last.value, is_bad(last));
        known += 1;
        bad += u32::from(is_bad);
    }
    let is_bad = quorum.judges(bad, known)?;
    Some(Counts {
        bad: f64::from(u8::from(is_bad)),
        total: 1.0,
    })
}

fn is_bad(sample: &Sample) -> bool {
    sample.value < 1.0
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{at, batch};
    use super::*;

    #[test]
    fn samples_are_events_or_votes() {
        let minutely = "5:1 65:1 125:0 185:1";
        let quick = "0:1 10:0 20:1 30:0 40:1 100:1";
        let dead = "0:0 10:0";
        for (name, probers, quorum, usual, expected) in [
            ("each sample counts", vec![quick], None, 10, "2/3 0/1 ?"),
            (
                "in their slots",
                vec![minutely],
                None,
                60,
                "0/1 0/0 0/1 0/0 1/1 0/0",
            ),
            (
                "of all probers",
                vec![minutely, quick],
                None,
                60,
                "2/4 0/1 0/1",
            ),
            (
                "any",
                vec![minutely, quick, dead],
                Some(BadWhen::ANY),
                60,
                "1/1 1/1 1/1",
            ),
            (
                "two",
                vec![minutely, quick, dead],
                Some(BadWhen::Count(2)),
                60,
                "1/1 0/1 0/1",
            ),
            (
                "who is gone does not vote",
                vec![minutely, dead],
                Some(BadWhen::ANY),
                10,
                "1/1 ? 0/1",
            ),
        ] {
            let labels = ["p=a", "p=b", "p=c"];
            let rows: Vec<(&str, &str)> = labels.into_iter().zip(probers).collect();
            let batch = batch(&rows);
            let probers: Vec<Series> = batch.series().collect();
            let range = TimeRange {
                from: at(0),
                to: at(180),
            };
            let (slot, usual) = (Span::from_secs(30), Span::from_secs(usual));
            let noted = &mut Noted::default();
            let slots = counts(&probers, quorum, slot, range, usual, noted);
            let shown = slots.iter().map(|(_, counts)| match counts {
                None => "?".to_owned(),
                Some(counts) => format!("{}/{}", counts.bad, counts.total),
            });
            let shown = shown.collect::<Vec<_>>().join(" ");
            assert!(shown.starts_with(expected), "{name}: {shown}");
        }
    }

    #[test]
    fn slices_of_probes_are_judged_by_their_samples() {
        let batch = batch(&[("p=a", "5:1 20:0 35:1 50:1 65:0 80:0 95:1 110:1")]);
        let probers: Vec<Series> = batch.series().collect();
        let range = TimeRange {
            from: at(0),
            to: at(180),
        };
        let widths = (Span::from_secs(30), Span::from_mins(1));
        let usual = Span::from_secs(15);
        let allowance = Fraction::new(1, 4);
        let noted = &mut Noted::default();
        let slices = over_allowance(&probers, None, widths, allowance, range, usual, noted);
        let bad: Vec<Option<f64>> = slices.iter().map(|(_, it)| it.map(|it| it.bad)).collect();
        assert_eq!(bad, [Some(0.0), Some(1.0), None]);
    }
}
