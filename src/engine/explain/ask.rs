//! Explaining on request, beside a running engine: one number at a time, and never more samples than
//! a daemon can spare the memory for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;
use crate::domain::slo::SourceName;
use crate::engine::adopt::Revision;
use crate::engine::settings::Settings;
use crate::source::Source;
use crate::status::explanation::{Asked, Explanation, Subject};

use super::{ExplainError, explain};

/// So many samples are read for one explanation: 30 series of an hour are 7,200.
const MOST_SAMPLES: usize = 500_000;

type Answer = Result<Explanation, ExplainError>;

/// Whom to ask for an explanation.
#[derive(Clone)]
pub struct Explainer(Arc<dyn Fn(Subject, Asked) -> BoxFuture<'static, Answer> + Send + Sync>);

impl fmt::Debug for Explainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Explainer")
    }
}

impl Explainer {
    /// Explains by `answer`.
    pub fn new(
        answer: impl Fn(Subject, Asked) -> BoxFuture<'static, Answer> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(answer))
    }

    /// Explains what `revisions` define, from the sources that the engine reads.
    pub fn over<S: Source>(
        settings: Settings,
        sources: BTreeMap<SourceName, Arc<S>>,
        clock: Clock,
        revisions: watch::Receiver<Revision>,
    ) -> Self {
        let desk = Arc::new(Desk {
            settings,
            sources,
            clock,
            revisions,
            turn: Semaphore::new(1),
        });
        Self::new(move |subject, asked| {
            let desk = Arc::clone(&desk);
            Box::pin(async move { desk.answer(&subject, asked).await })
        })
    }

    /// Explains a window of a promise, or of one of its groups. Who waits for an earlier one may drop the future.
    ///
    /// # Errors
    /// When the source cannot be read, or when more is asked for than can be explained.
    pub async fn explain(&self, subject: Subject, asked: Asked) -> Answer {
        (self.0)(subject, asked).await
    }
}

struct Desk<S> {
    settings: Settings,
    sources: BTreeMap<SourceName, Arc<S>>,
    clock: Clock,
    revisions: watch::Receiver<Revision>,
    turn: Semaphore,
}

impl<S: Source> Desk<S> {
    async fn answer(&self, subject: &Subject, asked: Asked) -> Answer {
        let turn = self.turn.acquire().await;
        let revision = self.revisions.borrow().clone();
        let asked = Asked {
            most_samples: Some(MOST_SAMPLES),
            ..asked
        };
        let now = self.clock.now().into();
        let of = (revision.catalog().as_ref(), subject);
        let told = explain(&self.settings, of, &self.sources, (now, asked), |_, _| {}).await;
        drop(turn);
        told
    }
}
