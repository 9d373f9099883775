//! What is known of a metric besides its samples.

/// What the values of a metric are, as whoever exposes it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// They only rise, or begin anew.
    Counter,
    /// They rise and fall.
    Gauge,
    /// Counters of events up to limits.
    Histogram,
    /// Quantiles, beside counters of all events.
    Summary,
}

impl MetricKind {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }

    /// The kind that is called so.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Counter, Self::Gauge, Self::Histogram, Self::Summary];
        all.into_iter().find(|kind| kind.name() == name)
    }
}
