//! Times of which nothing can be told, samples that are late, and whether what is told adds up.

use proptest::prelude::*;

use super::super::tests::{Empty, catalog, requests, settings};
use super::*;
use crate::domain::labels::{Labels, METRIC_NAME};
use crate::domain::slot::Counts;
use crate::series::batch::{Batch, Fetch, Sample};
use crate::source::error::SourceError;
use crate::status::explanation::AskedWindow;

/// Counters as they were scraped, and nothing else.
#[derive(Clone, Debug)]
struct Scraped(Vec<(Labels, Vec<Sample>)>);

impl Source for Scraped {
    async fn read(&self, fetch: &Fetch, range: TimeRange) -> Result<Batch, SourceError> {
        let Fetch::Samples(selector) = fetch else {
            return Ok(Batch::default());
        };
        let own = self.0.iter();
        let own = own.filter(|(labels, _)| labels.get(METRIC_NAME) == selector.metric);
        let within = own.map(|(labels, samples)| {
            let within = samples.iter().filter(|it| range.contains(it.at));
            (labels.clone(), within.copied().collect())
        });
        Ok(within.collect())
    }
}

/// Of each scrape of a counter: whether it came, and by how much the counter rose, or that it began anew.
fn scrapes() -> impl Strategy<Value = Vec<(bool, Option<u8>)>> {
    let came = prop_oneof![9 => Just(true), 1 => Just(false)];
    let rose = prop_oneof![20 => (0_u8..9).prop_map(Some), 1 => Just(None)];
    let away = prop::collection::vec((Just(false), Just(Some(3))), 0..40);
    let some = prop::collection::vec((came, rose), 20..60);
    prop::collection::vec(prop_oneof![3 => some.boxed(), 1 => away.boxed()], 1..4)
        .prop_map(|parts| parts.concat())
}

/// A counter that is scraped every fifteen seconds, so many milliseconds behind.
fn counter(code: &str, behind: i64, scrapes: &[(bool, Option<u8>)]) -> (Labels, Vec<Sample>) {
    let mut value = 100.0;
    let mut samples = Vec::new();
    for (number, (came, rose)) in (0..).zip(scrapes) {
        value = rose.map_or(0.0, |rose| value + f64::from(rose));
        let at = Timestamp::from_millis(number * 15_000 + behind);
        samples.extend(came.then_some(Sample { at, value }));
    }
    let labels = [
        (METRIC_NAME, "requests_total"),
        ("job", "a"),
        ("instance", "i"),
    ];
    (
        labels.into_iter().chain([("code", code)]).collect(),
        samples,
    )
}

/// What is told at a tick of the minutes before it.
async fn explained(source: Scraped, tick: i64, minutes: i64) -> Explanation {
    let (uid, name) = (SloId::new("shop/it"), SourceName::new("default"));
    let sources = BTreeMap::from([(name, Arc::new(source))]);
    let (catalog, subject) = (catalog(requests()), Subject::whole(uid));
    let settings = settings();
    let now = Timestamp::from_millis(tick * settings.tick.as_millis());
    let asked = Asked {
        window: AskedWindow::Length(Span::from_mins(minutes)),
        ..Asked::default()
    };
    let of = (&catalog, &subject);
    let told = explain(&settings, of, &sources, (now, asked), |_, _| {}).await;
    told.unwrap()
}

/// The last of a gap is all that lies in the window: nothing of it was measured, and events were counted all the same.
#[tokio::test]
async fn what_was_spread_over_a_gap_was_counted() {
    let scrapes = [
        vec![(true, Some(3)); 20],
        vec![(false, Some(3)); 40],
        vec![(true, Some(3))],
    ];
    let source = Scraped(vec![counter("200", 0, &scrapes.concat())]);
    let told = explained(source, 32, 2).await;
    assert!(told.measurement.reason.is_some(), "{told:#?}");
    assert!(
        told.sum.covered <= 0.0 && told.sum.counts.total > 0.0,
        "{told:#?}"
    );
    assert!(told.is_counted());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever was missed, began anew or is not there yet: what is told of the parts is what was counted, and what was
    /// counted is not said not to have been.
    #[test]
    fn the_parts_add_up_to_what_was_counted(
        good in scrapes(),
        bad in scrapes(),
        behind in 0_i64..15_000,
        tick in 10_i64..100,
        minutes in 1_i64..20,
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().build().unwrap();
        let source = Scraped(vec![counter("200", behind, &good), counter("500", behind, &bad)]);
        let told = runtime.block_on(explained(source, tick, minutes));
        let mut sum = Counts::default();
        for part in &told.parts {
            for series in &part.series {
                sum = sum.plus(part.weight.unwrap().times(series.events));
            }
        }
        let Counts { bad, total } = told.sum.counts.plus(told.outside);
        prop_assert!((sum.total - total).abs() < 1e-6, "{sum:?} {told:#?}");
        prop_assert!((sum.bad - bad).abs() < 1e-6, "{sum:?} {told:#?}");
        prop_assert!(told.is_counted() || total == 0.0, "{told:#?}");
    }
}

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
