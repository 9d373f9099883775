//! Where samples come from: what every source offers, why one cannot be read, and Prometheus.

pub mod error;
pub mod prometheus;

use std::future::Future;

use crate::domain::time::TimeRange;
use crate::series::batch::{Batch, Fetch};

use self::error::SourceError;

/// Something that holds samples and can be asked for a range of them.
pub trait Source: Send + Sync + 'static {
    /// Reads what lies in `(from, to]`. An answer with no series is a good answer.
    ///
    /// Each read is bounded in time once it is its turn; how long it may wait for its turn is the caller's to bound,
    /// by dropping the future.
    fn read(
        &self,
        fetch: &Fetch,
        range: TimeRange,
    ) -> impl Future<Output = Result<Batch, SourceError>> + Send;
}
