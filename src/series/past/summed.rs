//! Counting a chunk of the past from sums of the source, where not even its shortest chunk of samples can be read.

use crate::domain::time::TimeRange;
use crate::series::batch::Batch;
use crate::series::cursor::Increase;
use crate::series::pushed::{Arrived, Form};

use super::{Chunk, Counted, Family, Sums};

impl Family<'_> {
    /// Counts what counters grew by in the steps of a chunk, and what the series are worth that began or
    /// returned in it. Each step builds on a sample before it, so that there are no loose ends.
    pub fn count_sums(
        &self,
        chunk: &Chunk,
        increases: &Batch,
        arrived: Arrived,
        form: Form,
        sums: &mut Sums,
    ) -> Counted {
        for series in increases.series() {
            let places = self.places(series.labels, sums);
            let labels = series.labels.to_labels();
            for sample in series.samples {
                let is_event = sample.is_count();
                if is_event && chunk.counted.contains(sample.at) {
                    let increase = Increase {
                        from: sample.at - form.interval,
                        to: sample.at,
                        events: sample.value,
                        gap: false,
                        reset: false,
                        evidence: None,
                    };
                    sums.add((self.index, &labels), &places, &increase);
                    let seen = TimeRange {
                        from: increase.from,
                        to: increase.to,
                    };
                    sums.cover(&places, Some(seen), chunk.counted);
                }
            }
        }
        for (labels, increase) in &arrived.increases {
            let places = self.places(labels.into(), sums);
            sums.add((self.index, labels), &places, increase);
        }
        sums.cover_parts(self.index, chunk.counted);
        Counted {
            ignored: arrived.ignored,
            ..Counted::default()
        }
    }
}
