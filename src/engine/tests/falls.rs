//! Counters that fell, as what their targets' other series return with is judged by it.

use super::*;

/// `200` begins anew three days after the start, while `500` is away, which returns higher than it was.
fn world(others: bool) -> World {
    const ANEW: i64 = 262_350;
    let world = World::new(15)
        .with("requests_total", "code=200", |second| {
            Some(if second < ANEW { second } else { second - ANEW } as f64)
        })
        .with("requests_total", "code=500", |second| match second {
            ..262_245 => Some(50.0),
            262_515.. => Some(80.0),
            _ => None,
        });
    if !others {
        return world;
    }
    // Forgotten in the tick at 262,500, together with which nothing else may be.
    world.with("requests_total", "code=404", |second| {
        (second <= 2_700).then_some(second as f64)
    })
}

#[test]
fn a_counter_that_fell_is_remembered_when_others_are_forgotten() {
    let counted = |others: bool| {
        let mut run = Run::new(catalog(requests()));
        let world = world(others);
        run.ticks(&world, 0, 3_000, healthy);
        run.ticks(&world, 262_410, 262_470, healthy);
        let series = |run: &Run| {
            let tables = run.state.families.iter().map(|family| family.table.len());
            tables.sum::<usize>()
        };
        let before = series(&run);
        run.ticks(&world, 262_470, 262_500, healthy);
        assert_eq!(before - series(&run), usize::from(others));
        run.ticks(&world, 262_500, 262_530, healthy);
        run.status("shop/it").window.counts.bad
    };
    assert_eq!(counted(true), 80.0);
    assert_eq!(counted(false), 80.0);
}
