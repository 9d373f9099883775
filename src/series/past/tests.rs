//! However the past is cut, the same slots come of it, and they are what a slow oracle adds up.
#![expect(clippy::float_cmp, reason = "small whole numbers are exact")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::domain::selector::{MatchOp, Matcher, Selector};
use crate::domain::slo::SourceName;
use crate::domain::slot::{Counts, Slot};
use crate::promql::CompiledMatchers;
use crate::series::batch::Fetch;
use crate::series::fetches::Fetches;
use crate::series::index::SelectorIndex;
use crate::series::plan::{self, Role, Towards};
use crate::series::roll::Members;

const SLOT: Span = Span::from_secs(30);
const GRID: Span = Span::from_mins(5);
const SCRAPE: i64 = 15;
/// The world is this many blocks long, and so many of them are live.
const BLOCKS: i64 = 72;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

fn sample(second: i64, value: f64) -> Sample {
    Sample {
        at: at(second),
        value,
    }
}

/// A series of the world.
#[derive(Clone, Debug)]
struct Written {
    labels: Labels,
    samples: Vec<Sample>,
}

/// All requests, and those of them that failed.
fn planned() -> plan::Family {
    let failed = Matcher {
        label: "code".into(),
        op: MatchOp::Matches,
        value: "5..".into(),
    };
    let selectors = [Vec::new(), vec![failed]].map(|matchers| {
        let compiled = CompiledMatchers::new(&matchers).unwrap();
        (Selector::new("requests_total", matchers), compiled)
    });
    let role = |selector, bad, total, towards| Role {
        selector,
        slo: 0,
        lane: 0,
        weight: Counts { bad, total },
        towards,
        threshold: None,
    };
    plan::Family {
        source: SourceName::new("default"),
        name: "requests_total".to_owned(),
        ago: Span::ZERO,
        fetch: Fetch::Samples(Selector::new("requests_total", Vec::new())),
        fetches: Fetches::union("requests_total", &[]),
        selectors: SelectorIndex::new(selectors.into()),
        is_read: false,
        told_by: vec!["code".into()],
        roles: vec![
            role(0, 0.0, 1.0, Towards::Total),
            role(1, 1.0, 0.0, Towards::Part),
        ],
    }
}

/// Counts the blocks `0..end` of a world in chunks that end at these blocks, newest first.
/// What lies behind was counted live, and `loose` are its first samples.
fn count(
    world: &[Written],
    cuts: &[i64],
    mut loose: LooseEnds,
) -> (BTreeMap<Timestamp, Slot>, usize) {
    let planned = planned();
    let members = [Arc::new(Members::one(0))];
    let interval = Span::from_secs(SCRAPE);
    let family = Family {
        index: 0,
        roll: Roll::new(&planned, &members),
        interval,
        kept: Span::from_hours(4),
        starts: None,
    };
    let wanted = [WantedLane {
        lane: (0, 0),
        part_of: None,
        follows: false,
    }];
    let mut slots: BTreeMap<Timestamp, Slot> = BTreeMap::new();
    let mut ignored = 0;
    let mut ends = cuts.to_vec();
    ends.sort_unstable();
    ends.dedup();
    for pair in ends.windows(2).rev() {
        let chunk = Chunk {
            counted: TimeRange {
                from: at(pair[0] * 300),
                to: at(pair[1] * 300),
            },
            margin: Chunk::margin(GRID, interval),
            grid: GRID,
        };
        let within = |series: &Written| {
            let samples = series.samples.iter().copied();
            let samples = samples.filter(|sample| chunk.read().contains(sample.at));
            (series.labels.clone(), samples.collect())
        };
        let read: Batch = world.iter().map(within).collect();
        let mut sums = Sums::new(&wanted, chunk.counted, SLOT);
        let counted = family.count(&chunk, &read, &mut loose, &mut sums);
        let late = family.settle(&mut loose, chunk.counted.from, at(0), &mut sums);
        ignored += counted.ignored.len() + late.len();
        for gained in sums.into_gained() {
            for (end, slot) in gained.slots {
                slots.entry(end).or_default().add(&slot);
            }
        }
    }
    assert!(loose.is_empty());
    (slots, ignored)
}

/// A series: when it begins and ends (in scrapes), what each scrape adds (`None` for one that
/// failed), and where the process behind it was started anew.
#[derive(Clone, Debug)]
struct Life {
    name: u8,
    code: u8,
    begins: usize,
    gains: Vec<Option<u8>>,
    starts: Vec<usize>,
}

fn lives() -> impl Strategy<Value = Vec<Life>> {
    let scrapes = usize::try_from(BLOCKS * 300 / SCRAPE).unwrap();
    let gain = prop_oneof![8 => (0u8..9).prop_map(Some), 1 => Just(None)];
    let holes = vec((0..scrapes, 1usize..120), 0..4);
    let begins = prop_oneof![Just(0), 0..scrapes];
    let life = (
        0u8..3,
        0u8..2,
        begins,
        vec(gain, scrapes),
        holes,
        vec(0..scrapes, 0..4),
    );
    let life = life.prop_map(|(name, code, begins, mut gains, holes, starts)| {
        for (from, length) in holes {
            for gain in gains.iter_mut().skip(from).take(length) {
                *gain = None;
            }
        }
        Life {
            name,
            code,
            begins,
            gains,
            starts,
        }
    });
    vec(life, 1..7)
}

/// Whether series of the same name are of one target, or each of its own.
#[derive(Clone, Copy, PartialEq)]
enum Targets {
    Shared,
    Own,
}

fn world(lives: &[Life], targets: Targets) -> Vec<Written> {
    let mut series: BTreeMap<Labels, Vec<Sample>> = BTreeMap::new();
    for life in lives {
        let (name, code) = (
            life.name.to_string(),
            (200 + 300 * u16::from(life.code)).to_string(),
        );
        let instance = match targets {
            Targets::Shared => name,
            Targets::Own => format!("{name}/{code}"),
        };
        let labels = [("job", "a"), ("instance", &instance), ("code", &code)];
        let (mut value, mut samples) = (f64::from(life.name) * 40.0, Vec::new());
        for (index, gain) in (0..).zip(&life.gains).skip(life.begins) {
            if life.starts.contains(&index) {
                value = 0.0;
            }
            value += f64::from(gain.unwrap_or(3));
            if gain.is_some() {
                let second = i64::try_from(index).unwrap() * SCRAPE + 1 + i64::from(life.name);
                samples.push(sample(second, value));
            }
        }
        series.insert(labels.into_iter().collect(), samples);
    }
    series
        .into_iter()
        .map(|(labels, samples)| Written { labels, samples })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn however_the_past_is_cut_the_same_slots_come_of_it(
        lives in lives(),
        cuts in vec(1..BLOCKS, 0..20),
    ) {
        let world = world(&lives, Targets::Shared);
        let whole = count(&world, &[0, BLOCKS], LooseEnds::new());
        let pieces: Vec<i64> = cuts.into_iter().chain([0, BLOCKS]).collect();
        let cut = count(&world, &pieces, LooseEnds::new());
        let differs = |end: &&Timestamp| whole.0.get(*end) != cut.0.get(*end);
        let ends: BTreeSet<&Timestamp> = whole.0.keys().chain(cut.0.keys()).collect();
        let differences: Vec<String> = ends
            .into_iter()
            .filter(differs)
            .map(|end| format!("{end}: {:?} but {:?}", whole.0.get(end), cut.0.get(end)))
            .collect();
        prop_assert!(differences.is_empty(), "{differences:#?}");
        prop_assert_eq!(cut.1, whole.1);
    }

    #[test]
    fn what_live_counting_began_with_is_joined_once(
        lives in lives(),
        seam in 2..BLOCKS - 1,
        cuts in vec(1..BLOCKS, 0..8),
    ) {
        // All series are there from the beginning, so that no birth is in doubt: live counting judges those of its own.
        let mut lives: Vec<Life> = lives.into_iter().map(|life| Life { begins: 0, ..life }).collect();
        for life in &mut lives {
            life.gains[0] = Some(0);
        }
        let world = world(&lives, Targets::Own);
        let seam_at = at(seam * 300);
        let first = |series: &Written| {
            let first = *series.samples.iter().find(|sample| sample.at > seam_at)?;
            Some((series.labels.clone(), LooseEnd { first, judgement: None }))
        };
        let loose: LooseEnds = world.iter().filter_map(first).collect();
        let pieces: Vec<i64> = cuts.into_iter().filter(|cut| *cut < seam).chain([0, seam]).collect();
        let (past, ignored) = count(&world, &pieces, loose);
        prop_assert_eq!(ignored, 0);
        let (mut expected, mut found) = (0.0, 0.0);
        for series in &world {
            expected += growth(&series.samples);
            let live: Vec<Sample> = series.samples.iter().copied().filter(|it| it.at > seam_at).collect();
            found += growth(&live);
        }
        found += past.values().map(|slot| slot.counts.total).sum::<f64>();
        prop_assert_eq!(found, expected);
    }
}

/// The obvious oracle: what a counter's samples tell of, the first one excepted.
fn growth(samples: &[Sample]) -> f64 {
    let pairs = samples.iter().zip(samples.iter().skip(1));
    pairs
        .map(|(a, b)| {
            if b.value >= a.value {
                b.value - a.value
            } else {
                b.value
            }
        })
        .sum()
}

/// `second:value …`; `end bad/total covered` of each slot.
fn told(series: &[(&str, &str)], cuts: &[i64]) -> String {
    let world: Vec<Written> = series
        .iter()
        .map(|(labels, samples)| Written {
            labels: labels
                .split(',')
                .filter_map(|pair| pair.split_once('='))
                .collect(),
            samples: samples
                .split(' ')
                .filter_map(|text| text.split_once(':'))
                .map(|(second, value)| sample(second.parse().unwrap(), value.parse().unwrap()))
                .collect(),
        })
        .collect();
    let (slots, ignored) = count(&world, cuts, LooseEnds::new());
    let mut told: Vec<String> = slots
        .iter()
        .map(|(end, slot)| {
            let mark = if slot.reconstructed { "~" } else { "" };
            format!(
                "{}={}/{}{mark} {}",
                end.as_millis() / 1_000,
                slot.counts.bad,
                slot.counts.total,
                slot.covered
            )
        })
        .collect();
    if ignored > 0 {
        told.push(format!("ignored {ignored}"));
    }
    told.join(", ")
}

#[test]
fn bases_births_gaps_and_what_is_no_number() {
    let ok = (
        "job=a,instance=1,code=200",
        "290:5 305:7 320:9 590:9 605:12",
    );
    for (name, series, expected) in [
        (
            "a pair across the cut belongs to the newer sample",
            vec![("job=a,instance=1,code=200", "290:5 305:7")],
            "300=0/0 10s, 330=0/2 5s",
        ),
        (
            "a base far below the cut, and the gap between is spread",
            vec![("job=a,instance=1,code=200", "15:1 30:4 630:24")],
            "30=0/3 15s",
        ),
        (
            "a birth beside a living sibling counts from the scrape before",
            vec![ok, ("job=a,instance=1,code=500", "320:3")],
            "",
        ),
        (
            "what is no number is no sample",
            vec![("job=a,instance=1,code=200", "310:5 325:NaN 340:8")],
            "330=0/0 20s, 360=0/3 10s",
        ),
    ] {
        let whole = told(&series, &[0, 3]);
        assert_eq!(told(&series, &[0, 1, 2, 3]), whole, "{name}");
        if !expected.is_empty() {
            assert!(whole.starts_with(expected), "{name}: {whole}");
        }
    }
    insta::assert_snapshot!(
        told(&[ok, ("job=a,instance=1,code=500", "320:3")], &[0, 3]),
        @"300=0/0 10s, 330=3/7~ 20s, 360=0/0~ 0s, 390=0/0~ 0s, 420=0/0~ 0s, 450=0/0~ 0s, 480=0/0~ 0s, 510=0/0~ 0s, 540=0/0~ 0s, 570=0/0~ 0s, 600=0/0~ 10s, 630=0/3 5s"
    );
}
