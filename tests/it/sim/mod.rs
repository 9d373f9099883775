//! A simulated world: the real engine and the real delivery loop on paused time, between a shop that
//! fails on schedule and receivers in memory.

mod daemon;
mod inbox;
mod journal;
mod shop;
pub(crate) mod week;

use std::path::PathBuf;

use sloburn::definitions::{self, Options};
use sloburn::domain::slo::Catalog;
use sloburn::domain::time::{Span, Timestamp};

pub(crate) use daemon::{Daemon, World};
pub(crate) use inbox::Inbox;
pub(crate) use journal::Journal;
pub(crate) use shop::{Outage, Shop};

/// The policy that Sloburn ships.
const POLICY: &str = include_str!("../../../alerts/default.yaml");

const SHOP: &str = r#"
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: shop}
spec:
  window: WINDOW
  objectives:
    - name: availability
      objective: 99.9%
      errors:
        total: requests_total{job="shop"}
        badWhere: code=~"5.."
---
apiVersion: sloburn.dev/v1
kind: Receiver
metadata: {name: team}
spec: {webhook: {url: "http://team.example"}}
---
apiVersion: sloburn.dev/v1
kind: Receiver
metadata: {name: pager}
spec: {webhook: {url: "http://pager.example"}}
---
apiVersion: sloburn.dev/v1
kind: Routing
metadata: {name: main}
spec:
  default: [team, pager]
"#;

/// The shop's promise of 99.9 % over a window under the shipped policy, told to `team` and `pager`.
pub(crate) fn catalog(window: &str, tick: Span) -> Catalog {
    let shop = SHOP.replace("WINDOW", window);
    let files = [("default.yaml", POLICY), ("shop.yaml", &shop)];
    let files = files.map(|(name, text)| (PathBuf::from(name), text.to_owned()));
    let options = Options {
        tick,
        ..Options::default()
    };
    let (catalog, diagnostics) = definitions::read(&files, &options);
    catalog.unwrap_or_else(|| panic!("{diagnostics:?}"))
}

/// When all outages begin: a multiple of every tick, window and chunk.
pub(crate) const ONSET: Timestamp = Timestamp::from_millis(1_772_323_200_000);

/// Seconds from the outage's beginning.
pub(crate) fn seconds(at: Timestamp) -> i64 {
    at.since(ONSET).as_millis() / 1_000
}
