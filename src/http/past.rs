//! What is kept of the past beyond what the snapshot holds, read when somebody asks for it.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::domain::fingerprint::Fingerprint;
use crate::domain::time::{TimeRange, Timestamp};
use crate::status::snapshot::SloStatus;
use crate::store::commit::MeterKey;
use crate::store::{PastChunks, Store, StoreError};

type Read =
    dyn Fn(MeterKey, TimeRange) -> BoxFuture<'static, Result<PastChunks, StoreError>> + Send + Sync;

/// Where the past can be read that the snapshot does not hold; nowhere by default.
#[derive(Clone, Default)]
pub struct Past(Option<Arc<Read>>);

impl fmt::Debug for Past {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Past").field(&self.0.is_some()).finish()
    }
}

impl Past {
    /// The past that a store keeps.
    pub fn of<K: Store>(store: &Arc<K>) -> Self {
        let store = Arc::clone(store);
        Self(Some(Arc::new(move |meter, range| {
            let store = Arc::clone(&store);
            Box::pin(async move { store.past(&meter, range).await })
        })))
    }

    /// The same status with a ledger that knows all that is kept from `from` on; `None` when it does
    /// already.
    pub(super) async fn reaching(
        &self,
        status: &SloStatus,
        from: Timestamp,
    ) -> Result<Option<SloStatus>, StoreError> {
        let begins = status.ledger.begins();
        let Some(read) = self.0.as_ref().filter(|_| from < begins) else {
            return Ok(None);
        };
        let slo = &status.slo;
        let meter = MeterKey {
            slo: slo.counted_as.clone(),
            indicator: Fingerprint::of(&slo.indicator, &slo.source),
        };
        let chunks = read(meter, TimeRange { from, to: begins }).await?;
        let mut whole = status.clone();
        whole.ledger.reach_back(from, chunks);
        Ok(Some(whole))
    }
}
