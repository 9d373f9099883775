//! Work on large answers, done on threads of its own so that ticks and requests need not wait for it.

use std::panic::resume_unwind;

use tokio::task::{JoinError, spawn_blocking};

/// From this size on an answer is large, in bytes.
const LARGE: usize = 256 << 10;

/// What `work` makes of an answer of `bytes`; `None` only when the runtime is going down.
pub(super) async fn decoded<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    if bytes < LARGE {
        return Some(work());
    }
    offloaded(work).await
}

/// What `work` makes of an answer that may be large however few bytes it has.
pub(super) async fn offloaded<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    match spawn_blocking(work)
        .await
        .map_err(JoinError::try_into_panic)
    {
        Ok(made) => Some(made),
        Err(Ok(panic)) => resume_unwind(panic),
        Err(Err(_)) => None,
    }
}
