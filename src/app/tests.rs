//! What becomes of the sources when definitions change.

use std::path::PathBuf;

use crate::config::Flags;
use crate::definitions::{self, Options};
use crate::domain::time::TimeRange;
use crate::promql::parse_selector;
use crate::series::batch::Fetch;
use crate::source::Source as _;

use super::*;

/// An objective over a target that nobody serves: its `up` is 0.
fn catalog(slice: &str) -> Arc<Catalog> {
    let text = format!(
        "apiVersion: sloburn.dev/v1\nkind: ServiceObjectives\nmetadata: {{name: shop}}\nspec:\n  source: laptop\n  \
         alertPolicy: none\n  window: 30d\n  objectives:\n    - name: up\n      objective: 99%\n      slice: {slice}\n      \
         saturation: {{gauge: up, atMost: 1}}\n"
    );
    let (catalog, diagnostics) =
        definitions::read(&[(PathBuf::from("shop.yaml"), text)], &Options::default());
    Arc::new(catalog.unwrap_or_else(|| panic!("{}", diagnostics.render_lines())))
}

#[tokio::test]
async fn longer_slices_of_a_reload_are_kept_for_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sloburn.yaml");
    let scraped = "sources: {laptop: {scrape: {targets: [{url: 'http://127.0.0.1:1/metrics'}]}}}\n";
    std::fs::write(&file, scraped).unwrap();
    let flags = Flags {
        config: Some(file),
        ..Flags::default()
    };
    let config = Config::load(&flags, &std::collections::BTreeMap::new()).unwrap();
    let before = catalog("1m");
    let sources = sources(&config, &before).unwrap();
    let notifiers = Notifiers::from_catalog(&before, Span::from(config.tick)).unwrap();
    let (desk, _revisions, _receivers) = Desk::new(&config, &before, &sources, &notifiers).unwrap();
    let AnySource::Scrape(source) = &*sources[&SourceName::new("laptop")] else {
        unreachable!("it is configured so")
    };

    let at = |minute: i64| Timestamp::from_millis(1_900_000_000_000 + minute * 60_000);
    let mut hand_on = desk.hand_on();
    let mut seen = Vec::new();
    for (changed, from) in [(None, 0), (Some(catalog("1h")), 1_000)] {
        if let Some(catalog) = changed {
            hand_on(&catalog).unwrap();
        }
        source.scrape(at(from)).await;
        source.scrape(at(from + 60)).await;
        let fetch = Fetch::Samples(parse_selector("up").unwrap());
        let range = TimeRange {
            from: at(from - 1),
            to: at(from + 60),
        };
        seen.push(source.read(&fetch, range).await.unwrap().samples().len());
    }
    assert_eq!(seen, [1, 2]);
}
