//! Times of which nothing can be told, and samples that are late.

use super::super::tests::{Empty, catalog, requests, settings};
use super::*;

/// Whoever names a time is told when it has not come, or when there was nothing; of now it is
/// explained.
#[tokio::test]
async fn a_time_that_has_not_come_or_left_nothing_is_refused() {
    let now = Timestamp::from_millis(1_772_366_400_000);
    let sources = BTreeMap::from([(SourceName::new("default"), Arc::new(Empty::read_since(now)))]);
    let catalog = catalog(requests());
    let uid = catalog.slos.keys().next().unwrap().clone();
    let subject = Subject::whole(uid);
    let tick = settings().tick;
    let millisecond = Span::from_millis(1);
    let mut told = Vec::new();
    for (name, at) in [
        ("now", None),
        ("an hour ago", Some(now - Span::from_hours(1))),
        ("a tick ahead", Some(now + tick)),
        ("more than that", Some(now + tick + millisecond)),
    ] {
        let asked = Asked {
            at,
            ..Asked::default()
        };
        let of = (&catalog, &subject);
        let answer = explain(&settings(), of, &sources, (now, asked), |_, _| {}).await;
        let answer = match answer {
            Ok(explained) => format!("explained at {}", explained.at),
            Err(error) => error.to_string(),
        };
        told.push(format!("{name}: {answer}"));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    now: explained at 2026-03-01T12:00:00Z
    an hour ago: source `default` has no samples of what `shop/it` selects from 2026-03-01T10:50:00Z to 2026-03-01T11:00:00Z: it does not keep them that long, or the selectors match nothing (`sloburn check --live` shows what they match now)
    a tick ahead: source `default` has no samples of what `shop/it` selects from 2026-03-01T11:50:00Z to 2026-03-01T12:00:00Z: it does not keep them that long, or the selectors match nothing (`sloburn check --live` shows what they match now)
    more than that: `at` lies in the future (now is 2026-03-01T12:00:00Z)
    ");
}

#[tokio::test(start_paused = true)]
async fn a_number_is_explained_up_to_its_tick_however_late_samples_may_be() {
    let now = Timestamp::from_millis(0) + Span::from_days(10);
    for hours in [1, 4] {
        let mut settings = settings();
        for source in settings.sources.values_mut() {
            source.settle = Span::from_hours(hours);
        }
        let (uid, name) = (SloId::new("shop/it"), SourceName::new("default"));
        let sources = BTreeMap::from([(name, Arc::new(Empty::read_since(now)))]);
        let (catalog, subject) = (catalog(requests()), Subject::whole(uid));
        let (of, asked) = ((&catalog, &subject), (now, Asked::default()));
        let told = explain(&settings, of, &sources, asked, |_, _| {}).await;
        let outcome = told.map(|told| told.measurement.outcome);
        assert!(matches!(outcome, Ok(Outcome::NoData)), "{outcome:?}");
    }
}
