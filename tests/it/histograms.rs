//! Native histograms in a real Prometheus: what is interpolated here is what its own `histogram_fraction` says.

use sloburn::domain::labels::Labels;
use sloburn::domain::selector::Selector;
use sloburn::domain::time::{Span, TimeRange, Timestamp};
use sloburn::series::batch::{Batch, Fetch};
use sloburn::source::Source as _;
use sloburn::source::prometheus::PrometheusSource;

use crate::support::native::Native;
use crate::support::past::Past;
use crate::support::remote_write::Written;

const STEP: Span = Span::from_secs(15);
const POINTS: i64 = 40;

/// From this point on buckets are joined two by two.
const JOINED: i64 = 20;

/// Within buckets, at their boundaries, below, above and at zero.
const THRESHOLDS: [&str; 9] = [
    "0.0004", "0.05", "0.1", "0.25", "0.3", "0.5", "0.77", "1.7", "100",
];

fn point(kind: &str, index: i64) -> Native {
    let grown = |more: i64| u64::try_from(index * more).unwrap();
    let fine: Vec<u64> = (0..32).map(|bucket| grown(bucket % 5 + 1)).collect();
    let exponential = |fine: &[u64]| {
        // Bucket 2i − 1 and bucket 2i of a schema are bucket i of the next coarser one.
        if index < JOINED {
            (3, -23, fine.to_vec())
        } else {
            (
                2,
                -11,
                fine.chunks(2).map(|pair| pair.iter().sum()).collect(),
            )
        }
    };
    let (schema, first, counts) = exponential(&fine);
    let both = Native {
        schema,
        zero: grown(3),
        positive: (first, counts),
        ..Native::default()
    };
    match kind {
        "exponential" => both,
        "negative" => Native {
            negative: both.positive.clone(),
            ..both
        },
        _ => Native {
            custom: vec![0.1, 0.25, 0.5, 1.0, 2.5],
            positive: (
                0,
                vec![grown(1), grown(7), grown(3), grown(5), grown(2), grown(4)],
            ),
            ..Native::default()
        },
    }
}

/// Of the only series of this kind: the events up to a threshold and all of them, at each sample.
fn counters(batch: &Batch, kind: &str, threshold: &str) -> Vec<(f64, f64)> {
    let of = |le: &str| -> Vec<f64> {
        let is_it = |labels: Labels| labels.get("kind") == kind && labels.get("le") == le;
        let series = batch.series().find(|it| is_it(it.labels.to_labels()));
        let samples = series.expect("both counters of the histogram").samples;
        samples.iter().map(|sample| sample.value).collect()
    };
    of(threshold).into_iter().zip(of("+Inf")).collect()
}

/// What Prometheus says of `text` for a kind at the end of a range.
async fn fraction(source: &PrometheusSource, text: &str, at: Timestamp, kind: &str) -> f64 {
    let fetch = Fetch::Expression {
        text: text.to_owned(),
        step: STEP,
    };
    let range = TimeRange {
        from: at - STEP,
        to: at,
    };
    let batch = source.read(&fetch, range).await.unwrap();
    let series = batch
        .series()
        .find(|it| it.labels.to_labels().get("kind") == kind);
    series.expect("a fraction").samples[0].value
}

#[tokio::test]
async fn native_histograms_are_interpolated_as_prometheus_does_it() {
    let start = Timestamp::from_millis(1_763_000_000_000).ceil_to(STEP);
    let at = |index: i64| start + Span::from_millis(STEP.as_millis() * index);
    let kinds = ["exponential", "negative", "custom"];
    let written: Vec<Written<Native>> = kinds
        .iter()
        .map(|kind| {
            let pairs = [("__name__", "work_seconds"), ("job", "a"), ("kind", kind)];
            let points = (1..=POINTS).map(|index| (at(index).as_millis(), point(kind, index)));
            (pairs.into_iter().collect(), points.collect())
        })
        .collect();
    let Some(past) = Past::of(&written).await else {
        return;
    };
    let source = past.source();
    let fetch = Fetch::Histograms {
        selector: Selector::new("work_seconds", Vec::new()),
        thresholds: THRESHOLDS.map(str::to_owned).into(),
    };
    // Each sample by itself, and the growth over all of them, in the midst of which buckets are joined.
    for index in [2, JOINED - 1, JOINED, POINTS] {
        let range = TimeRange {
            from: at(index - 1),
            to: at(index),
        };
        let batch = source.read(&fetch, range).await.unwrap();
        for (kind, threshold) in kinds
            .iter()
            .flat_map(|kind| THRESHOLDS.map(|it| (*kind, it)))
        {
            let own = counters(&batch, kind, threshold);
            let text = format!("histogram_fraction(-Inf, {threshold}, work_seconds)");
            let theirs = fraction(&source, &text, at(index), kind).await;
            let ours = own[0].0 / own[0].1;
            assert!(
                (ours - theirs).abs() < 1e-9,
                "{kind} {threshold}: {ours} is not {theirs}"
            );
        }
    }
    let range = TimeRange {
        from: start,
        to: at(POINTS),
    };
    let batch = source.read(&fetch, range).await.unwrap();
    let walked = source.read_past(&fetch, range).await.unwrap();
    assert_eq!(batch, walked, "never by remote read");
    let grown = POINTS - 1;
    let offset = format!("{}s", grown * STEP.as_millis() / 1_000);
    for (kind, threshold) in kinds
        .iter()
        .flat_map(|kind| THRESHOLDS.map(|it| (*kind, it)))
    {
        let own = counters(&batch, kind, threshold);
        let (first, last) = (own[0], own[own.len() - 1]);
        let text = format!(
            "histogram_fraction(-Inf, {threshold}, work_seconds - work_seconds offset {offset})"
        );
        let theirs = fraction(&source, &text, at(POINTS), kind).await;
        let ours = (last.0 - first.0) / (last.1 - first.1);
        assert!(
            (ours - theirs).abs() < 1e-9,
            "{kind} {threshold}: {ours} is not {theirs}"
        );
    }
}
