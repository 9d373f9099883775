//! What the sources say of their metrics besides samples, asked once for each: names and kinds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::domain::metric::MetricKind;
use crate::domain::slo::SourceName;
use crate::domain::time::TimeRange;
use crate::source::Source;

/// Of so many metrics it is asked what kind they are: whoever has more begins with these.
const MOST_KINDS: usize = 100;

/// What was asked so far.
pub(super) struct Directory<'s, S> {
    sources: &'s BTreeMap<SourceName, Arc<S>>,
    /// Metrics are named that have samples then.
    within: TimeRange,
    names: BTreeMap<SourceName, Arc<[String]>>,
    kinds: BTreeMap<(SourceName, String), Option<MetricKind>>,
    /// Those that did not answer, and are not asked again: all of this is only help.
    silent: BTreeSet<SourceName>,
}

impl<'s, S: Source> Directory<'s, S> {
    pub(super) const fn new(sources: &'s BTreeMap<SourceName, Arc<S>>, within: TimeRange) -> Self {
        Self {
            sources,
            within,
            names: BTreeMap::new(),
            kinds: BTreeMap::new(),
            silent: BTreeSet::new(),
        }
    }

    /// The names of the metrics of a source, sorted; none where it does not tell.
    pub(super) async fn names(&mut self, source: &SourceName) -> Arc<[String]> {
        if let Some(known) = self.names.get(source) {
            return Arc::clone(known);
        }
        let mut names = Vec::new();
        if let Some(asked) = self.asked(source) {
            match asked.names(self.within).await {
                Ok(told) => names = told,
                Err(_) => _ = self.silent.insert(source.clone()),
            }
        }
        names.sort();
        let names: Arc<[String]> = names.into();
        self.names.insert(source.clone(), Arc::clone(&names));
        names
    }

    /// What kind of metric it is, where that is known.
    pub(super) async fn kind(&mut self, source: &SourceName, metric: &str) -> Option<MetricKind> {
        let key = (source.clone(), metric.to_owned());
        if let Some(known) = self.kinds.get(&key) {
            return *known;
        }
        if self.kinds.len() >= MOST_KINDS {
            return None;
        }
        let Ok(kind) = self.asked(source)?.kind_of(metric).await else {
            self.silent.insert(source.clone());
            return None;
        };
        self.kinds.insert(key, kind);
        kind
    }

    fn asked(&self, source: &SourceName) -> Option<&'s S> {
        let is_silent = self.silent.contains(source);
        let asked = self.sources.get(source).filter(|_| !is_silent);
        asked.map(Arc::as_ref)
    }
}
