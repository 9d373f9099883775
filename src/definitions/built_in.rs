//! The alert policy that is built in: whoever defines none watches by `alerts/default.yaml`.

use std::path::Path;
use std::sync::Arc;

use super::document::Found;
use super::node::Faults;
use super::yaml;
use super::{DEFAULT_POLICY, Options, document};

const TEXT: &str = include_str!("../../alerts/default.yaml");
/// The name of its file in faults.
const FILE: &str = "built-in default.yaml";

/// Adds the policy to what was `found`, where an objective names it and no document defines any: who defines
/// others has probably misspelt one, and is told so. Says whether it was added.
pub(super) fn stand_in(found: &mut Found, options: &Options, faults: &Faults) -> bool {
    let drafts = found.services.iter().flat_map(|service| &service.drafts);
    let mut promises = drafts.flat_map(|draft| &draft.promises);
    let is_named = promises.any(|promise| promise.policy.value == DEFAULT_POLICY);
    let may_be_defined = !found.policies.is_empty() || found.may_define("AlertPolicy");
    if !is_named || may_be_defined {
        return false;
    }
    let documents = yaml::documents(&Arc::from(Path::new(FILE)), TEXT, faults);
    document::documents(&documents.roots, options, found, faults);
    true
}
