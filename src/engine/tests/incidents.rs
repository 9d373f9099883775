//! What becomes of an incident, and what is said of it, where something changes in its midst: the
//! policy's tiers, or the period of the calendar.

use std::sync::Arc;

use crate::domain::slo::Catalog;
use crate::engine::intake::Reading;

use super::*;

fn rename_tiers(catalog: &mut Catalog) {
    for policy in catalog.policies.values_mut() {
        for tier in &mut Arc::make_mut(policy).tiers {
            tier.name.insert_str(0, "new-");
        }
    }
}

#[test]
fn tiers_that_are_renamed_while_nothing_is_known_close_nothing() {
    let mut run = Run::new(catalog(requests()));
    let world = shop(7_200, 7_500, 2);
    run.ticks(&world, 0, 7_410, healthy);
    run.told.clear();
    rename_tiers(&mut run.catalog);
    let failing = |_| Some(Reading::Failed("cannot reach it".into()));
    run.ticks(&world, 7_410, 7_800, failing);
    let open = &run.last.as_ref().unwrap().incidents;
    assert_eq!(open.iter().filter(|it| it.closed.is_none()).count(), 1);
    run.ticks(&world, 7_800, 9_000, healthy);
    insta::assert_snapshot!(run.told.join("\n"), @r"
    7560 blind opened ticket team
    7830 blind recovered ticket team
    7890 recovered page team
    ");
}
