//! Ticks that are passed over, for so long that somebody is told.

use super::*;
use crate::domain::notice::{Facts, Notice};
use crate::domain::punctuality::PassedOver;
use crate::domain::slo::Catalog;

/// Each tick passes over so many, of which the last are those while the process did not run.
fn late(run: &mut Run, from: i64, ticks: i64, slow: u64, asleep: u64) -> i64 {
    let passed_over = PassedOver { slow, asleep };
    let distance = 30 * (i64::try_from(passed_over.all()).unwrap() + 1);
    for number in 1..=ticks {
        let to = from + number * distance;
        run.passed_over = passed_over;
        run.ticks(&shop(0, 0, 2), to - 30, to, healthy);
    }
    from + ticks * distance
}

fn told(run: &Run) -> Vec<&str> {
    run.told.iter().map(String::as_str).collect()
}

/// What is open, as it was told.
fn open(run: &Run) -> Option<&Notice> {
    let open = &run.last.as_ref().unwrap().episodes;
    assert!(open.len() <= 1, "{open:?}");
    open.first().map(|episode| &*episode.notice)
}

#[test]
fn too_many_ticks_that_are_passed_over_are_told_once_and_that_it_is_over_after_a_restart_too() {
    let mut run = Run::new(catalog(requests()));
    let mut at = late(&mut run, 0, 20, 0, 0);
    at = late(&mut run, at, 10, 1, 0);
    assert_eq!(told(&run), [""; 0]);
    at = late(&mut run, at, 1, 0, 2);
    assert_eq!(told(&run), ["1290 ticks opened ticket team"]);
    let notice = open(&run).unwrap();
    assert_eq!(notice.opened, super::at(630));
    let Facts::PassedOver(facts) = &notice.facts else {
        panic!("{notice:?}");
    };
    let PassedOver { slow, asleep } = facts.ticks;
    assert_eq!((slow, asleep, facts.due), (10, 2, 23));
    assert_eq!(
        (facts.tick, facts.took),
        (Span::from_secs(30), Some(Run::TOOK))
    );

    at = late(&mut run, at, 30, 1, 0);
    run.restart();
    at = late(&mut run, at, 119, 0, 0);
    assert!(open(&run).is_some(), "less than an hour was looked at");
    at = late(&mut run, at, 2, 0, 0);
    assert!(open(&run).is_none());
    late(&mut run, at, 10, 0, 0);
    assert_eq!(
        told(&run),
        [
            "1290 ticks opened ticket team",
            "6720 ticks recovered ticket team"
        ]
    );
}

#[test]
fn nobody_is_told_whose_policy_does_not_want_it() {
    let silent = |mut catalog: Catalog| {
        for policy in catalog.policies.values_mut() {
            Arc::make_mut(policy).unmeasured = None;
        }
        catalog
    };
    let mut run = Run::new(silent(catalog(requests())));
    late(&mut run, 0, 50, 1, 0);
    assert_eq!(told(&run), [""; 0]);
    assert!(open(&run).is_none());

    let mut run = Run::new(catalog(requests()));
    let at = late(&mut run, 0, 11, 1, 0);
    assert!(open(&run).is_some());
    run.reload(silent(catalog(requests())));
    late(&mut run, at, 1, 0, 0);
    assert!(open(&run).is_none());
    assert_eq!(run.told.last().unwrap(), "690 ticks removed ticket team");
}
