//! Batches and judged slices in short form, for tests.

use crate::domain::time::Timestamp;
use crate::series::batch::{Batch, Sample};

use super::{Judged, NOTHING};

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

pub(super) fn samples(text: &str) -> Vec<Sample> {
    let sample = |text: &str| {
        let (second, value) = text.split_once(':').unwrap();
        Sample {
            at: at(second.parse().unwrap()),
            value: value.parse().unwrap(),
        }
    };
    text.split(' ')
        .filter(|text| !text.is_empty())
        .map(sample)
        .collect()
}

/// Series as (labels, samples `second:value`).
pub(super) fn batch(series: &[(&str, &str)]) -> Batch {
    let labels = |text: &str| {
        text.split(',')
            .filter_map(|pair| pair.split_once('='))
            .collect()
    };
    let series = series.iter();
    series
        .map(|(name, text)| (labels(name), samples(text)))
        .collect()
}

pub(super) fn letters(slices: &[(Timestamp, Option<bool>)]) -> String {
    slices
        .iter()
        .map(|(_, bad)| bad.map_or('?', |bad| if bad { '#' } else { '.' }))
        .collect()
}

/// The same of slices that may hold nothing to judge: `0` where nothing happened.
pub(super) fn told(slices: &[(Timestamp, Option<Judged>)]) -> String {
    let letter = |(_, judged): &(Timestamp, Option<Judged>)| match judged {
        None => '?',
        Some(Judged::Incomparable) => '-',
        Some(Judged::Impossible(_)) => '!',
        Some(Judged::As(counts)) if *counts == NOTHING => '0',
        Some(Judged::As(counts)) if counts.bad > 0.0 => '#',
        Some(Judged::As(_)) => '.',
    };
    slices.iter().map(letter).collect()
}
