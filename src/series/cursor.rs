//! How far one series has been counted.

use crate::domain::time::{Span, Timestamp};

/// The last sample of a series that was counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cursor {
    /// When it was scraped.
    pub at: Timestamp,
    /// Its value.
    pub value: f64,
    /// The usual distance of samples, as far as known; zero before the second sample.
    pub interval: Span,
    /// The first value of a series whose birth is not judged yet, with its time.
    pub birth: Option<(Timestamp, f64)>,
}
