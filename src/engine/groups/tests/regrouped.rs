//! Objectives that are divided into groups while an incident is open.

use super::*;
use crate::domain::incident::{AlertState, Change, CloseReason};
use crate::domain::slo::SloId;

/// How a daemon goes over to other definitions.
type GoOver = fn(&mut Run, Catalog);

fn restarted(run: &mut Run, catalog: Catalog) {
    run.catalog = catalog;
    run.restart();
}

#[test]
fn an_incident_of_a_whole_that_is_watched_no_more_is_closed_as_removed() {
    for go_over in [Run::reload as GoOver, restarted] {
        for before in [catalog(requests()), grouped(requests(), and_whole())] {
            let mut run = Run::new(before);
            run.ticks(&shop(), 0, 3_600, healthy);
            run.told.clear();
            go_over(&mut run, grouped(requests(), by_route()));
            run.ticks(&shop(), 3_600, 3_630, healthy);
            let ends = |run: &Run| {
                let ends = run.told.iter().filter(|it| it.contains("removed"));
                ends.cloned().collect::<Vec<_>>()
            };
            assert_eq!(ends(&run), ["3630 removed ticket team"]);
            let incidents = run.last.as_ref().unwrap().incidents.iter();
            let mut wholes = incidents.filter(|it| it.slo.as_str() == "shop/it");
            let whole = wholes.next().unwrap();
            let last = whole.history.last().unwrap();
            assert_eq!(last.change, Change::Closed(CloseReason::Removed));
            assert!(wholes.next().is_none());
            let kept = &run.kept.alerts[&SloId::new("shop/it")];
            assert_eq!(*kept, AlertState::default());
            // It is closed once.
            run.restart();
            run.ticks(&shop(), 3_630, 3_720, healthy);
            assert_eq!(ends(&run).len(), 1);
        }
    }
}
