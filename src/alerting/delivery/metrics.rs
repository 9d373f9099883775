//! What the delivery loop counts.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use crate::alerting::notifier::NotifyError;
use crate::domain::time::Timestamp;
use crate::store::OutboxRow;

/// Counters of the delivery loop, by receiver. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct DeliveryMetrics {
    calls: Family<CallLabels, Counter>,
    delivered: Family<ReceiverLabels, Counter>,
    delay: Family<ReceiverLabels, Gauge<f64, AtomicU64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReceiverLabels {
    receiver: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    receiver: String,
    outcome: &'static str,
}

impl DeliveryMetrics {
    /// Counters that `registry` exposes.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "sloburn_delivery_calls",
            "Calls to receivers, by how they ended",
            metrics.calls.clone(),
        );
        registry.register(
            "sloburn_delivery_notices",
            "Notices that were fully delivered",
            metrics.delivered.clone(),
        );
        registry.register_with_unit(
            "sloburn_delivery_delay",
            "Time from the tick that decided the last delivered notice to its delivery",
            Unit::Seconds,
            metrics.delay.clone(),
        );
        metrics
    }

    pub(super) fn accepted(&self, receiver: &str, row: &OutboxRow, at: Timestamp, done: bool) {
        self.count(receiver, "accepted");
        if done {
            let labels = ReceiverLabels {
                receiver: receiver.to_owned(),
            };
            self.delivered.get_or_create(&labels).inc();
            let delay = at.since(row.notice.at).as_secs_f64();
            self.delay.get_or_create(&labels).set(delay);
        }
    }

    pub(super) fn refused(&self, receiver: &str, error: &NotifyError) {
        let outcome = match error {
            NotifyError::Transient { .. } => "transient",
            NotifyError::Permanent { .. } => "permanent",
        };
        self.count(receiver, outcome);
    }

    fn count(&self, receiver: &str, outcome: &'static str) {
        let labels = CallLabels {
            receiver: receiver.to_owned(),
            outcome,
        };
        self.calls.get_or_create(&labels).inc();
    }
}

#[cfg(test)]
mod tests {
    use crate::alerting::sample;
    use crate::domain::time::Span;

    use super::*;

    #[test]
    fn calls_notices_and_their_delay_are_exposed() {
        let mut registry = Registry::default();
        let metrics = DeliveryMetrics::register(&mut registry);
        let row = sample::row(sample::opened(), "chat");
        let at = row.notice.at + Span::from_millis(16_500);
        metrics.accepted("chat", &row, at, false);
        metrics.accepted("chat", &row, at, true);
        metrics.refused("chat", &NotifyError::transient("later"));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        let mut samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        samples.sort_unstable();
        let document = include_str!("../../../docs/metrics.md");
        for sample in &samples {
            let name = sample.split('{').next().unwrap();
            assert!(document.contains(&format!("| `{name}` |")), "{name}");
        }
        insta::assert_snapshot!(samples.join("\n"), @r#"
    sloburn_delivery_calls_total{receiver="chat",outcome="accepted"} 2
    sloburn_delivery_calls_total{receiver="chat",outcome="transient"} 1
    sloburn_delivery_delay_seconds{receiver="chat"} 16.5
    sloburn_delivery_notices_total{receiver="chat"} 1
    "#);
    }
}
