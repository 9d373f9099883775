//! What the delivery loop needs of a receiver: one call at a time, and how a call can fail.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::domain::time::{Span, Timestamp};
use crate::store::OutboxRow;

/// A future behind a pointer, so that receivers of all kinds fit into one map.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A receiver that can be told.
pub trait Notifier: Send + Sync + 'static {
    /// Makes the one call of `row` that is due at `row.step`; `now` is the time of the call.
    ///
    /// A call that may have arrived and one that did not look the same: both are transient.
    fn call<'a>(
        &'a self,
        row: &'a OutboxRow,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Accepted, NotifyError>>;

    /// How long to wait after a call before the next one.
    fn gap(&self) -> Span {
        Span::ZERO
    }

    /// Whether, and how, what was delivered must be told again and again.
    fn reassertion(&self) -> Option<Reassertion> {
        None
    }

    /// Tells again what `rows` told: the newest delivered row of each incident that is open, or was closed not
    /// longer ago than [`Reassertion::resolved_for`].
    fn reassert<'a>(
        &'a self,
        rows: &'a [OutboxRow],
        now: Timestamp,
    ) -> BoxFuture<'a, Result<(), NotifyError>> {
        let _ = (rows, now);
        Box::pin(async { Ok(()) })
    }
}

/// A call that the receiver took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Replaces what is remembered of this receiver and incident.
    pub memory: Option<String>,
    /// Whether it was the notice's last call.
    pub done: bool,
}

impl Accepted {
    /// The only call there was, with nothing to remember.
    pub const DONE: Self = Self {
        memory: None,
        done: true,
    };
}

/// Why a receiver did not take a call. Each sentence says what to do, and holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// It may take it later.
    #[error("{sentence}")]
    Transient {
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
        /// For people.
        sentence: String,
    },
    /// It will not take it before somebody changes something.
    #[error("{sentence}")]
    Permanent {
        /// For people.
        sentence: String,
    },
}

impl NotifyError {
    /// A failure that may pass by itself.
    pub fn transient(sentence: impl Into<String>) -> Self {
        Self::Transient {
            retry_after: None,
            sentence: sentence.into(),
        }
    }

    /// A failure that somebody must end.
    pub fn permanent(sentence: impl Into<String>) -> Self {
        Self::Permanent {
            sentence: sentence.into(),
        }
    }

    /// For people.
    pub fn sentence(&self) -> &str {
        match self {
            Self::Transient { sentence, .. } | Self::Permanent { sentence } => sentence,
        }
    }
}

/// How a receiver that forgets is reminded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reassertion {
    /// How often it is told again.
    pub every: Span,
    /// For how long it is told again that something is over.
    pub resolved_for: Span,
}
