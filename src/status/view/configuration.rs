//! The definitions in force, and what is wrong with those that were refused.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::board::{DefinitionsStatus, Reading, Refusal};
use super::scalar::Time;

/// Which definitions are in force, and which were refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigurationView {
    /// Tells this set of files from any other.
    pub revision: String,
    /// Since when it is in force.
    pub since: Time,
    /// How many objectives it defines.
    pub objectives: u64,
    /// What is probably not meant in it: diagnostics.
    pub warnings: Value,
    /// How often other definitions were put in force since the start.
    pub reloads: u64,
    /// How often changed definitions were refused since the start.
    pub reload_failures: u64,
    /// What was found last and refused; `null` while what was found last is in force.
    pub refused: Option<RefusalView>,
}

/// Changed definitions that are not in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusalView {
    /// Tells this set of files from any other.
    pub revision: String,
    /// When it was found.
    pub at: Time,
    /// Why, in a sentence.
    pub reason: String,
    /// Everything that is wrong with it: diagnostics, with file, line and column.
    pub faults: Value,
}

impl ConfigurationView {
    /// What was read of the definitions; `None` before the first posting.
    pub fn of(read: &Reading) -> Option<Self> {
        let status: &DefinitionsStatus = read.definitions.as_deref()?;
        Some(Self {
            revision: status.revision.clone(),
            since: Time(status.since),
            objectives: status.objectives,
            warnings: status.warnings.to_json(),
            reloads: status.reloads,
            reload_failures: status.failures,
            refused: status.refused.as_ref().map(RefusalView::of),
        })
    }
}

impl RefusalView {
    fn of(refusal: &Refusal) -> Self {
        Self {
            revision: refusal.revision.clone(),
            at: Time(refusal.at),
            reason: refusal.reason.clone(),
            faults: refusal.faults.to_json(),
        }
    }
}
