//! Targets that are scraped more often from some time on, or less: sums are worked out at the new pace.

use super::*;

/// Six pods that begin anew all the time, scraped every `before` seconds for an hour, and every `after` seconds from then on.
fn paced(before: i64, after: i64) -> World {
    let mut world = World::new(SCRAPE);
    for pod in 0..6 {
        let labels = format!("pod=p{pod},code=200");
        world = world.with("requests_total", &labels, move |second| {
            let pace = if second < HOUR { before } else { after };
            let since = second - second.rem_euclid(160);
            (second % pace == 0).then(|| whole((second - since) * (pod + 1)))
        });
    }
    world
}

#[test]
fn a_family_is_summed_up_at_the_pace_at_which_it_is_scraped_now() {
    for (before, after) in [(60, 15), (15, 60), (30, 15)] {
        let world = paced(before, after);
        let watcher = watcher(&world, catalog(requests()), 3 * HOUR);
        for restarts in [false, true] {
            let mut daemon = Daemon::of(catalog(requests()), MOST);
            daemon.ticks(&world, 0, HOUR + 300);
            if restarts {
                daemon.restart(daemon.catalog.clone());
            }
            daemon.ticks(&world, HOUR + 300, 3 * HOUR);
            let pushed = daemon.state.families[0].pushed.as_ref().unwrap();
            assert_eq!(pushed.form.interval, Span::from_secs(after), "{before}");
            // What was summed up before the new pace was known may lack something.
            let mut differ = different(&daemon, &watcher);
            differ.retain(|(_, end)| *end > at(2 * HOUR));
            assert_eq!(differ, [], "{before} {after} {restarts}");
        }
    }
}
