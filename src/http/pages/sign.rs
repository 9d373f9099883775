//! In which state an objective is, as one sign: a word and a shape beside the colour.

use askama::Template;

use crate::status::names::{Alert, Compliance, Measured};
use crate::status::view::slo::SloView;

/// A sign. Good is shown only where all of it is known to be good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Template)]
#[template(
    source = r#"<span class="sign {{ class }}"><span aria-hidden="true">{{ shape }}</span> {{ word }}</span>"#,
    ext = "html"
)]
pub(super) struct Sign {
    class: &'static str,
    shape: &'static str,
    word: &'static str,
}

impl Sign {
    const fn new(class: &'static str, shape: &'static str, word: &'static str) -> Self {
        Self { class, shape, word }
    }

    /// The state of `slo`: the loudest thing that there is to say.
    pub(super) fn of(slo: &SloView) -> Self {
        let outcome = slo.measurement.outcome;
        match (slo.alert, slo.compliance) {
            (alert @ (Alert::Page | Alert::Ticket), _) => Self::of_alert(alert),
            (Alert::None, Compliance::Breached) => Self::new("breached", "✕", "Breached"),
            (Alert::None, Compliance::Unknown) if slo.measured => {
                Self::new("unknown", "?", "Unknown")
            }
            (Alert::None, Compliance::Met) if outcome == Measured::Measured => {
                Self::new("good", "✓", "OK")
            }
            (Alert::None, _) => Self::of_outcome(outcome),
        }
    }

    /// How a measurement ended.
    pub(super) const fn of_outcome(outcome: Measured) -> Self {
        match outcome {
            Measured::Measured => Self::new("plain", "●", "Measured"),
            Measured::NoTraffic => Self::new("quiet", "○", "No traffic"),
            Measured::Partial => Self::new("unknown", "◐", "Partial data"),
            Measured::NoData => Self::new("unknown", "?", "No data"),
            Measured::Failed => Self::new("unknown", "!", "Not read"),
        }
    }

    /// How loud an incident is.
    pub(super) const fn of_alert(alert: Alert) -> Self {
        match alert {
            Alert::Page => Self::new("page", "▲", "Page"),
            Alert::Ticket => Self::new("ticket", "◆", "Ticket"),
            Alert::None => Self::new("quiet", "○", "None"),
        }
    }

    /// Its word alone.
    pub(super) const fn word(self) -> &'static str {
        self.word
    }

    /// That an incident is over.
    pub(super) const CLOSED: Self = Self::new("quiet", "–", "Closed");

    /// That a source is read well.
    pub(super) const HEALTHY: Self = Self::new("good", "✓", "Read");

    /// That a source is not.
    pub(super) const UNREAD: Self = Self::new("unknown", "!", "Not read");
}
