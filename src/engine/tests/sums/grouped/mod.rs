//! Groups of what a source sums up, against an engine that fetches samples and against a slow oracle that looks at one
//! scrape after another.
#![expect(clippy::cast_precision_loss, reason = "small whole numbers are exact")]

mod mesh;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::domain::group::Grouping;
use crate::domain::labels::Labels;
use crate::domain::slo::{Catalog, Slo, SloId, Window};
use crate::domain::slot::Slot;
use crate::domain::time::{Span, Timestamp};

use super::super::{TICK, World, at, catalog, requests};
use super::{Daemon, HOUR, SCRAPE, Slots, different, watcher};
use mesh::{BEGIN, END, Happened, mesh, truth};

/// With more series than this the family is summed up.
const MOST: usize = 8;

/// One objective by these labels and one of the same metric that is not divided.
fn grouped(grouping: Grouping) -> Catalog {
    let mut catalog = catalog(requests());
    let all = catalog.slos.values().next().unwrap();
    let mut by = Slo::clone(all);
    by.uid = SloId::new("shop/by");
    (by.id, by.counted_as) = (by.uid.clone(), by.uid.clone());
    by.grouping = Some(Arc::new(grouping));
    catalog.slos.insert(by.uid.clone(), Arc::new(by));
    catalog
}

fn by_route() -> Grouping {
    Grouping {
        also_whole: true,
        ..Grouping::by(["route"])
    }
}

fn expecting(routes: &[&str]) -> Grouping {
    let group = |route: &&str| [("route", *route)].into_iter().collect();
    Grouping {
        expected: routes.iter().map(group).collect(),
        ..Grouping::by(["route"])
    }
}

/// The slots in which other things were counted than happened.
fn untrue(slots: &Slots, truth: &Happened) -> Vec<String> {
    let route = |id: &str| {
        let quoted = id.strip_prefix(r#"shop/by{route=""#)?;
        Some(quoted.strip_suffix(r#""}"#)?.to_owned())
    };
    let counted: Happened = slots
        .iter()
        .filter_map(|((id, end), slot)| {
            Some(((route(id)?, *end), (slot.counts, slot.reconstructed)))
        })
        .collect();
    let places: BTreeSet<_> = counted.keys().chain(truth.keys()).collect();
    let places = places.into_iter().filter(|(_, end)| *end > at(BEGIN));
    let differing = places.filter_map(|place| {
        let own = counted.get(place).copied().unwrap_or_default();
        let happened = truth.get(place).copied().unwrap_or_default();
        (own != happened).then(|| format!("{place:?}: {own:?}, and it was {happened:?}"))
    });
    differing.collect()
}

/// Where more time is covered in one than in the other than a step may hide.
fn covered_apart(one: &Slots, other: &Slots) -> Vec<(String, Timestamp)> {
    let covered = |slots: &Slots, place: &(String, Timestamp)| {
        slots.get(place).map_or(Span::ZERO, |it: &Slot| it.covered)
    };
    let places: BTreeSet<_> = one.keys().chain(other.keys()).cloned().collect();
    let is_apart = |place: &(String, Timestamp)| {
        let apart = covered(one, place).as_millis() - covered(other, place).as_millis();
        place.1 > at(BEGIN) && apart.abs() > SCRAPE * 1_000
    };
    places.into_iter().filter(is_apart).collect()
}

/// The groups that are known, in order.
fn routes(daemon: &Daemon) -> String {
    let meters = daemon.state.plan.meters.iter().filter_map(|it| it.group());
    let mut routes: Vec<&str> = meters.map(|labels: &Labels| labels.get("route")).collect();
    routes.sort_unstable();
    routes.join(" ")
}

#[test]
fn groups_of_sums_hold_what_happened_and_what_samples_tell() {
    let world = mesh();
    let truth = truth(&world);
    let kills: [&[i64]; 2] = [&[], &[690, 1_230, 1_260, 1_500, 2_400, 3_300, HOUR + 300]];
    let expecting = expecting(&["/list", "/pay", "/never"]);
    for (grouping, kills) in [(by_route(), &kills[..]), (expecting, &kills[1..])] {
        let watcher = watcher(&world, grouped(grouping.clone()), END);
        assert_eq!(untrue(&watcher.slots(), &truth), [] as [String; 0]);
        for stops in kills {
            let mut daemon = Daemon::of(grouped(grouping.clone()), MOST);
            let (mut from, mut turns) = (0, Vec::new());
            for stop in stops.iter().copied().chain([END]) {
                turns.extend(daemon.ticks(&world, from, stop));
                if stop < END {
                    daemon.restart(grouped(grouping.clone()));
                }
                from = stop;
            }
            let mut modes: Vec<bool> = turns.into_iter().map(|(_, is_summed)| is_summed).collect();
            modes.dedup();
            assert_eq!(modes, [false, true, false], "{stops:?}");
            assert_eq!(routes(&daemon), routes(&watcher), "{stops:?}");
            assert_eq!(
                untrue(&daemon.slots(), &truth),
                [] as [String; 0],
                "{stops:?}"
            );
            assert_eq!(different(&daemon, &watcher), [], "{stops:?}");
            assert_eq!(
                covered_apart(&daemon.slots(), &watcher.slots()),
                [],
                "{stops:?}"
            );
        }
    }
}

/// One that sums up and one that does not do the same; both count all of the past that there is for them.
fn both(world: &World, play: impl Fn(&mut Daemon)) -> [Daemon; 2] {
    [MOST, usize::MAX].map(|most| {
        let mut daemon = Daemon::of(short(grouped(by_route())), most);
        daemon.ticks(world, 1_200, 2_400);
        assert_eq!(daemon.is_summed(), most == MOST);
        play(&mut daemon);
        daemon.dig(world, Span::from_days(1));
        daemon
    })
}

#[test]
fn other_groups_and_more_of_them_have_their_past_however_they_come() {
    let world = mesh();
    let few = |most| Grouping { most, ..by_route() };
    let by_instance = || Grouping::by(["instance", "route"]);
    let plays: [(&str, &[Grouping]); 3] = [
        ("other labels", &[by_instance()]),
        ("more room", &[few(4), few(20)]),
        ("other labels and back", &[by_instance(), by_route()]),
    ];
    for (name, groupings) in plays {
        for restarts in [false, true] {
            let [summed, fetched] = both(&world, |daemon| {
                let mut from = 2_400;
                for grouping in groupings {
                    if restarts {
                        daemon.restart(short(grouped(grouping.clone())));
                    } else {
                        daemon.reload(short(grouped(grouping.clone())));
                    }
                    daemon.ticks(&world, from, from + 600);
                    from += 600;
                }
            });
            assert!(summed.is_summed() && !fetched.is_summed(), "{name}");
            assert_eq!(routes(&summed), routes(&fetched), "{name} {restarts}");
            assert_eq!(different(&summed, &fetched), [], "{name} {restarts}");
        }
    }
}

#[test]
fn groups_beyond_the_cap_are_refused_alike() {
    let world = mesh();
    let few = Grouping {
        most: 4,
        ..by_route()
    };
    let [summed, fetched] = [MOST, usize::MAX].map(|most| {
        let mut daemon = Daemon::of(grouped(few.clone()), most);
        daemon.judges = true;
        daemon.ticks(&world, 0, 2_700);
        daemon
    });
    assert_eq!(routes(&fetched), " /back /list /lower");
    assert_eq!(routes(&summed), routes(&fetched));
    let refused = |daemon: &Daemon| {
        let meters = 0..daemon.state.plan.meters.len();
        let counts = meters.filter_map(|meter| daemon.state.group_count(meter));
        counts.map(|it| it.refused).max()
    };
    assert!(refused(&fetched) >= Some(2));
    assert_eq!(refused(&summed), refused(&fetched));
    assert_eq!(different(&summed, &fetched), []);
}

/// The same where nothing is promised for longer than two hours.
fn short(mut catalog: Catalog) -> Catalog {
    for slo in catalog.slos.values_mut() {
        Arc::make_mut(slo).window = Window::Rolling(Span::from_hours(2));
    }
    catalog
}

#[test]
fn groups_of_which_nothing_is_left_are_dropped_as_those_of_samples_are() {
    const DAYS: i64 = 3 * 24 * HOUR;
    let world = ["/a", "/b", "/c", "/d", "/e", "/f", "/g", "/h"];
    let world = world.into_iter().fold(World::new(SCRAPE), |world, route| {
        let labels = format!("route={route},code=200");
        world.with("requests_total", &labels, |second| Some(second as f64))
    });
    let world = world.with("requests_total", "route=/old,code=200", |second| {
        let is_there = !(3_000..DAYS + 5_010).contains(&second);
        is_there.then_some(second as f64)
    });
    let known = |most| {
        let mut daemon = Daemon::of(short(grouped(by_route())), most);
        daemon.judges = true;
        let stretches = [
            (2_400, 3_600),
            (DAYS + 1_800, DAYS + 2_400),
            (DAYS + 2_400, DAYS + 4_200),
            (DAYS + 4_200, DAYS + 5_100),
        ];
        stretches.map(|(from, to)| {
            daemon.ticks(&world, from, to);
            // Nothing that is still to come of the past might be theirs.
            daemon.state.walks.clear();
            assert_eq!(daemon.is_summed(), most == MOST);
            routes(&daemon).contains("/old")
        })
    };
    assert_eq!(known(usize::MAX), [true, true, false, true]);
    assert_eq!(known(MOST), known(usize::MAX));
}

#[test]
fn a_group_that_idles_is_not_dropped_when_samples_turn_to_sums_or_sums_to_samples() {
    let idle = |_| Some(5.0);
    let world = mesh().with("requests_total", "instance=i0,route=/idle,code=200", idle);
    let mut daemon = Daemon::of(short(grouped(by_route())), usize::MAX);
    daemon.judges = true;
    daemon.ticks(&world, 0, 30);
    daemon.state.walks.clear();
    for second in (60..=END).step_by(30) {
        if second == 600 {
            for source in daemon.state.settings.sources.values_mut() {
                source.push_down_above = MOST;
            }
        }
        // It is looked for groups that are gone every five minutes; here at each tick.
        daemon.state.groups.drops_after = at(0);
        daemon.tick(&world, second);
        assert!(routes(&daemon).contains("/idle"), "{second}");
    }
    assert!(!daemon.is_summed());
}

#[test]
fn groups_of_the_past_are_found_in_sums() {
    let world = mesh();
    let watcher = watcher(&world, grouped(by_route()), END);
    // Without samples of one block where live counting began, pairs across that time are lost.
    let seam = at((END - 300) / 300 * 300 - 300);
    for (longest, lost) in [(Span::from_mins(15), None), (Span::ZERO, Some(seam + TICK))] {
        let mut daemon = Daemon::of(short(grouped(by_route())), MOST);
        daemon.ticks(&world, END - 30, END);
        let (refused, summed) = daemon.dig(&world, longest);
        assert!(refused > 1 && summed > 0, "{refused} {summed}");
        assert_eq!(routes(&daemon), routes(&watcher), "{longest}");
        let different = different(&daemon, &watcher).into_iter();
        let different: BTreeSet<_> = different.map(|(_, end)| end).collect();
        assert_eq!(different, BTreeSet::from_iter(lost), "{longest}");
        assert_eq!(
            covered_apart(&daemon.slots(), &watcher.slots()),
            [],
            "{longest}"
        );
    }
}

#[test]
fn groups_that_are_gone_are_remembered_while_the_labels_stay_the_same() {
    let catalog = |most| {
        let mut catalog = grouped(Grouping { most, ..by_route() });
        for slo in catalog.slos.values_mut() {
            Arc::make_mut(slo).window = Window::Rolling(Span::from_mins(10));
        }
        catalog
    };
    let world = mesh();
    for most in [usize::MAX, MOST] {
        let mut daemon = Daemon::of(catalog(50), most);
        daemon.judges = true;
        daemon.ticks(&world, 2_400, 3_300);
        daemon.reload(catalog(60));
        daemon.ticks(&world, 3_300, 3_330);
        // Nothing that is still to come of the past might be theirs.
        daemon.state.walks.clear();
        daemon.ticks(&world, 3_330, HOUR);
        assert_eq!(daemon.is_summed(), most == MOST);
        assert!(routes(&daemon).contains("/brief"), "{most}");
    }
}

#[test]
fn an_expected_group_is_measured_from_its_first_sample_on() {
    let world = mesh();
    for most in [usize::MAX, MOST] {
        let mut daemon = Daemon::of(grouped(expecting(&["/new"])), most);
        daemon.ticks(&world, 600, 1_170);
        let labels: Labels = [("route", "/new")].into_iter().collect();
        let plan = Arc::clone(&daemon.state.plan);
        let mut objectives = 0..plan.slos.len();
        let new = objectives.find_map(|of| plan.group(of, &labels)).unwrap();
        let is_missing = [1_200, 1_230, 1_260].map(|second| {
            daemon.tick(&world, second);
            daemon.state.missing(new, at(second)).is_some()
        });
        assert_eq!(is_missing, [true, false, false], "{most}");
    }
}
