//! Series that begin or return so late that raw samples no longer show where they stood: what is asked of the time before.

use crate::domain::labels::METRIC_NAME;
use crate::domain::selector::{Matcher, Selector};
use crate::domain::time::{Span, Timestamp};
use crate::series::batch::{Batch, Series};
use crate::series::union::union;

use super::{Form, Sums, What};

/// So many series are asked for in one query: the source looks at days of samples of those that were there.
const SERIES_PER_QUERY: usize = 1_000;

/// So many queries at most.
const MOST_QUERIES: usize = 64;

/// A label whose values take more than this is not named.
const LONGEST_MATCHER: usize = 16_384;

/// What tells where the series stood in the time `kept` before the raw samples that these show first at or after `from`. Of a
/// series that was never there a source has nothing to look at.
pub fn earlier(
    selector: &Selector,
    raw: &Batch,
    from: Timestamp,
    (form, kept): (Form, Span),
) -> Vec<Sums> {
    let begins = |series: &Series| series.samples.first().is_some_and(|it| it.at >= from);
    let exactly = |series: Series| {
        let labels = series.labels.to_labels();
        let labels = labels.iter().filter(|(label, _)| *label != METRIC_NAME);
        let matchers = labels.map(|(label, value)| Matcher::equal(label, value));
        Selector::new(selector.metric.clone(), matchers.collect())
    };
    let begun: Vec<Selector> = raw.series().filter(begins).map(exactly).collect();
    let each = begun.len().div_ceil(MOST_QUERIES).max(SERIES_PER_QUERY);
    let ask = |series: &[Selector]| {
        let named = union(&selector.metric, series).matchers.into_iter();
        let named = named.filter(|matcher| matcher.value.len() <= LONGEST_MATCHER);
        Sums {
            selector: selector.refined(named),
            form,
            what: What::Last(kept),
        }
    };
    begun.chunks(each).map(ask).collect()
}
