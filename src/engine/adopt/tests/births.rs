//! What begins while definitions change, against an oracle that adds up each series by itself: neither
//! a reload nor a restart with other definitions loses, or doubles, what anybody counts.

use std::collections::BTreeMap;

use prop::collection::vec;

use super::*;
use crate::domain::selector::Selector;
use crate::domain::slot::Counts;
use crate::ledger::Ledger;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

/// One series: from `born` on it is there, with `first` events, and counts `pace` more at each scrape,
/// which there is every `scrape` seconds.
#[derive(Clone, Copy, Debug)]
struct Life {
    pod: &'static str,
    code: &'static str,
    born: i64,
    first: i64,
    pace: i64,
    scrape: i64,
}

impl Life {
    const fn new(pod: &'static str, code: &'static str, born: i64, first: i64, pace: i64) -> Self {
        Self {
            pod,
            code,
            born,
            first,
            pace,
            scrape: 15,
        }
    }

    fn value(&self, second: i64) -> Option<i64> {
        let scrapes = (second - self.born) / self.scrape;
        (second >= self.born).then_some(self.first + scrapes * self.pace)
    }

    /// What it counted in each slot: all of its first value too, but not of what was there from the
    /// beginning.
    fn counted(&self, to: i64) -> impl Iterator<Item = (Timestamp, f64)> {
        let scrapes = (1..=to / self.scrape).map(|scrape| scrape * self.scrape);
        scrapes.filter_map(|second| {
            let before = self.value(second - self.scrape).unwrap_or_default();
            let more = self.value(second)? - before;
            Some((at(second).ceil_to(Span::from_secs(30)), more as f64))
        })
    }
}

fn world(lives: &[Life]) -> World {
    lives
        .iter()
        .fold(World::new(lives[0].scrape), |world, life| {
            let life = *life;
            let labels = format!("pod={},code={}", life.pod, life.code);
            world.with("requests_total", &labels, move |second| {
                life.value(second).map(|value| value as f64)
            })
        })
}

/// An objective: of which pod, and which codes are its failures.
type Asked = (&'static str, Option<&'static str>, &'static str);

/// Objectives over one metric, whose queries have more or less in common.
const ASKED: [Asked; 5] = [
    ("a/one", Some("1"), "5.."),
    ("b/two", Some("2"), "5.."),
    ("c/all", None, "5.."),
    ("d/all", None, "[45].."),
    ("e/one", Some("1"), "404"),
];

fn events((_, pod, codes): Asked) -> (Selector, Selector) {
    let pod = pod.map(|pod| Matcher::equal("pod", pod));
    let total = selector("requests_total").refined(pod);
    let code = Matcher {
        label: "code".into(),
        op: MatchOp::Matches,
        value: codes.into(),
    };
    (total.clone(), total.refined([code]))
}

/// Those of the objectives whose bits are set.
fn asking(bits: usize) -> Catalog {
    let asked = ASKED.iter().enumerate();
    let asked = asked.filter(|(bit, _)| bits & (1 << bit) != 0);
    let all = asked.fold(catalog(requests()), |catalog, (_, asked)| {
        let (total, bad) = events(*asked);
        let indicator = Indicator::Errors(Events::OfTotal {
            total: vec![total],
            split: Split::Bad(vec![bad]),
        });
        with(catalog, asked.0, indicator)
    });
    without(all, "shop/it")
}

type Slots = BTreeMap<Timestamp, (f64, f64)>;

/// The oracle: what an objective selects, series by series.
fn expected(lives: &[Life], asked: Asked, to: i64) -> Slots {
    let (_, pod, codes) = asked;
    let is_bad = |code: &str| match codes {
        "5.." => code.starts_with('5'),
        "[45].." => code.starts_with(['4', '5']),
        _ => code == codes,
    };
    let mut slots = Slots::new();
    for life in lives
        .iter()
        .filter(|life| pod.is_none_or(|pod| pod == life.pod))
    {
        for (end, events) in life.counted(to) {
            let slot = slots.entry(end).or_default();
            slot.1 += events;
            if is_bad(life.code) {
                slot.0 += events;
            }
        }
    }
    slots.retain(|_, counts| *counts != (0.0, 0.0));
    slots
}

fn found(ledger: &Ledger, to: i64) -> Slots {
    let slots = ledger.slots(TimeRange {
        from: at(0),
        to: at(to),
    });
    let counts = slots.map(|(end, slot)| {
        let Counts { bad, total } = slot.counts;
        (end, (bad, total))
    });
    counts.filter(|(_, counts)| *counts != (0.0, 0.0)).collect()
}

/// Under what a daemon goes over to other definitions.
#[derive(Clone, Copy, Debug)]
enum How {
    Reload,
    Restart,
}

/// One stretch of a run: which objectives, for how many ticks, and how it goes over to what follows.
type Stretch = (usize, i64, How);

/// When the past is counted that lies before an objective.
#[derive(Clone, Copy, Debug)]
enum Digs {
    AtOnce,
    /// A chunk after each stretch.
    ByAndBy,
    InTheEnd,
}

/// Goes through all stretches, and says which slots of the last one's objectives are not the oracle's.
fn differences(lives: &[Life], begin: i64, digs: Digs, stretches: &[Stretch]) -> Vec<String> {
    let world = world(lives);
    let day = Span::from_hours(24);
    let mut run: Option<Run> = None;
    let mut from = begin;
    for (number, (asked, ticks, _)) in stretches.iter().enumerate() {
        let mut next = match run.take() {
            None => Run::new(asking(*asked)),
            Some(mut run) => {
                run.catalog = asking(*asked);
                match stretches[number - 1].2 {
                    How::Reload => run.reload(run.catalog.clone()),
                    How::Restart => run.restart(),
                }
                run
            }
        };
        let to = from + ticks * 30;
        next.ticks(&world, from, to, healthy);
        match digs {
            Digs::AtOnce => while next.dig(&world, Span::from_hours(2)) {},
            Digs::ByAndBy => _ = next.dig(&world, Span::from_mins(20)),
            Digs::InTheEnd => {}
        }
        from = to;
        run = Some(next);
    }
    let mut run = run.unwrap();
    while run.dig(&world, day) {}
    run.ticks(&world, from, from + 1_200, healthy);
    let to = from + 1_200;
    let mut different = Vec::new();
    for (planned, state) in run.state.plan.meters.iter().zip(&run.state.meters) {
        let own = ASKED.iter().find(|it| it.0 == planned.slo.id.as_str());
        let (expected, found) = (expected(lives, *own.unwrap(), to), found(&state.ledger, to));
        let ends: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
        let differs = ends
            .into_iter()
            .filter(|end| expected.get(end) != found.get(end));
        different.extend(differs.map(|end| {
            let (expected, found) = (expected.get(end), found.get(end));
            format!(
                "{} {}: {found:?}, not {expected:?}",
                planned.slo.id,
                end.as_millis() / 1_000
            )
        }));
    }
    different
}

fn steady() -> [Life; 2] {
    [
        Life::new("1", "200", 0, 0, 20),
        Life::new("2", "200", 0, 0, 30),
    ]
}

#[test]
fn what_begins_around_a_change_of_definitions_is_counted_once() {
    const ONE: usize = 1;
    const TWO: usize = 2;
    const ALL: usize = 4;
    const OTHER: usize = 16;
    let mut different = Vec::new();
    // A tick settles something every five minutes: the 120th and the 130th do, and those between do not.
    for (name, begin, stretches) in [
        (
            "another objective comes",
            0,
            vec![(ONE, 120), (ONE | TWO, 40)],
        ),
        ("it takes all", 0, vec![(ONE, 120), (ONE | ALL, 40)]),
        ("it asks for no more", 0, vec![(ALL, 120), (ONE | ALL, 40)]),
        (
            "two come, one after the other",
            0,
            vec![(ONE, 121), (ONE | TWO, 1), (ONE | TWO | ALL, 40)],
        ),
        ("the other one goes", 0, vec![(ONE | TWO, 120), (ONE, 40)]),
        (
            "it was away for an hour",
            0,
            vec![(ONE | TWO, 60), (TWO, 120), (ONE | TWO, 40)],
        ),
        (
            "it was away for a moment",
            0,
            vec![(ONE | TWO, 121), (TWO, 1), (ONE | TWO, 40)],
        ),
        (
            "it was away before anything of it was settled",
            0,
            vec![(ONE, 10), (ALL, 1), (ONE, 9), (ALL, 1)],
        ),
        (
            "it was away before anything of it was settled, and its past was not read yet",
            3_000,
            vec![(OTHER, 1), (ALL, 1), (ONE, 8), (ALL | OTHER, 1)],
        ),
        (
            "it was away while its past was read",
            3_600,
            vec![(ONE, 20), (ONE | ALL, 1), (ONE, 20), (ONE | ALL, 1)],
        ),
        (
            "it begins in the first read",
            3_600,
            vec![(ONE, 1), (ONE, 40)],
        ),
    ] {
        let lives = [&steady()[..], &[Life::new("1", "500", 3_540, 7, 1)]].concat();
        let cases = [15, 60].map(|scrape| [How::Reload, How::Restart].map(|how| (scrape, how)));
        let cases = cases.into_iter().flatten();
        for ((scrape, how), digs) in cases
            .flat_map(|case| [Digs::AtOnce, Digs::ByAndBy, Digs::InTheEnd].map(|digs| (case, digs)))
        {
            let lives: Vec<Life> = lives.iter().map(|life| Life { scrape, ..*life }).collect();
            let stretches = stretches.iter();
            let stretches: Vec<Stretch> = stretches
                .map(|(asked, ticks)| (*asked, *ticks, how))
                .collect();
            let found = differences(&lives, begin, digs, &stretches).into_iter();
            different
                .extend(found.map(|it| format!("{name}, {scrape} s, {how:?}, {digs:?}: {it}")));
        }
    }
    assert_eq!(different, Vec::<String>::new());
}

fn lives() -> impl Strategy<Value = Vec<Life>> {
    let pods = prop::sample::select(vec!["1", "2"]);
    let codes = prop::sample::select(vec!["201", "404", "500", "503"]);
    let life = (pods, codes, 1..120_i64, 0..40_i64, 0..5_i64);
    let life = life
        .prop_map(|(pod, code, born, first, pace)| Life::new(pod, code, born * 60, first, pace));
    let scrape = prop::sample::select(vec![15, 30, 60]);
    (vec(life, 1..6), scrape).prop_map(|(born, scrape)| {
        let mut lives: BTreeMap<_, Life> = BTreeMap::new();
        for life in steady().into_iter().chain(born) {
            lives.insert((life.pod, life.code), Life { scrape, ..life });
        }
        lives.into_values().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_changes_each_objective_counts_what_there_was(
        lives in lives(),
        begin in prop::sample::select(vec![0, 3_000]),
        digs in prop_oneof![Just(Digs::AtOnce), Just(Digs::ByAndBy), Just(Digs::InTheEnd)],
        stretches in vec(
            (1..1_usize << ASKED.len(), 1..60_i64, prop_oneof![Just(How::Reload), Just(How::Restart)]),
            1..6,
        ),
    ) {
        prop_assert_eq!(differences(&lives, begin, digs, &stretches), Vec::<String>::new());
    }
}
