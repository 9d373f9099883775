//! Writes metric families in either text form.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;

/// In which of the two text forms metrics are written. They differ in how counters are declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Prometheus' own, version 0.0.4.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

/// Labels of one series.
pub(super) type Labels<'a> = Vec<(&'a str, &'a str)>;

/// Writes families one after the other. A family without samples is left out.
#[derive(Debug)]
pub(super) struct Families<'e> {
    pub(super) encoder: DescriptorEncoder<'e>,
    pub(super) format: Format,
}

impl Families<'_> {
    /// Writes what goes up and down.
    pub(super) fn gauge<'a>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'a>, f64)>,
    ) -> fmt::Result {
        self.plain(name, help, MetricType::Gauge, samples)
    }

    /// Writes what only goes up; `name` comes without `_total`.
    pub(super) fn counter<'a>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'a>, f64)>,
    ) -> fmt::Result {
        if self.format == Format::Text {
            // Declared by the full name of its series, where OpenMetrics leaves `_total` out; the
            // library's counters know only the latter.
            return self.plain(&format!("{name}_total"), help, MetricType::Counter, samples);
        }
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return Ok(());
        }
        let none = None::<&Exemplar<NoLabelSet, f64>>;
        let mut family = self
            .encoder
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in samples {
            if labels.is_empty() {
                family.encode_counter(&value, none)?;
            } else {
                family
                    .encode_family(&labels)?
                    .encode_counter(&value, none)?;
            }
        }
        Ok(())
    }

    fn plain<'a>(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        samples: impl IntoIterator<Item = (Labels<'a>, f64)>,
    ) -> fmt::Result {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return Ok(());
        }
        let mut family = self.encoder.encode_descriptor(name, help, None, kind)?;
        for (labels, value) in samples {
            if labels.is_empty() {
                family.encode_gauge(&value)?;
            } else {
                family.encode_family(&labels)?.encode_gauge(&value)?;
            }
        }
        Ok(())
    }
}
