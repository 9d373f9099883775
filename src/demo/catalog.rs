//! What the demo evaluates: the shipped definitions and policies, and one receiver, its own inbox.

use std::path::PathBuf;

use crate::definitions::{self, Options};
use crate::domain::slo::Catalog;
use crate::domain::time::Span;

/// The distance of ticks, on the demo's clock; also the width of slots.
pub const TICK: Span = Span::from_mins(1);

/// How often pages are scraped, on the demo's clock.
pub const SCRAPE: Span = Span::from_secs(30);

/// The name of the source that the definitions use.
pub const SOURCE: &str = "default";

/// The name of the inbox among the receivers.
pub const INBOX: &str = "inbox";

/// What is embedded, so that the binary needs no files.
const FILES: [(&str, &str); 6] = [
    (
        "slo-definitions/checkout.yaml",
        include_str!("../../slo-definitions/checkout.yaml"),
    ),
    (
        "slo-definitions/order-worker.yaml",
        include_str!("../../slo-definitions/order-worker.yaml"),
    ),
    (
        "slo-definitions/postgres.yaml",
        include_str!("../../slo-definitions/postgres.yaml"),
    ),
    (
        "slo-definitions/web-shop.yaml",
        include_str!("../../slo-definitions/web-shop.yaml"),
    ),
    (
        "alerts/default.yaml",
        include_str!("../../alerts/default.yaml"),
    ),
    ("demo/receivers.yaml", include_str!("receivers.yaml")),
];

/// The catalog, and the objectives that were left out because only a Prometheus evaluates `query:`.
///
/// # Errors
/// What is wrong with the embedded files; a test sees to it that nothing is.
pub fn catalog() -> Result<(Catalog, Vec<String>), String> {
    let files = FILES.map(|(path, text)| (PathBuf::from(path), text.to_owned()));
    let options = Options {
        sources: Some(vec![SOURCE.to_owned()]),
        tick: TICK,
        scrape: SCRAPE,
        ..Options::default()
    };
    let (catalog, diagnostics) = definitions::read(&files, &options);
    let mut catalog = catalog.ok_or_else(|| diagnostics.render_lines())?;
    let mut left_out = Vec::new();
    catalog.slos.retain(|uid, slo| {
        let needs_prometheus = slo.indicator.is_query();
        if needs_prometheus {
            left_out.push(uid.to_string());
        }
        !needs_prometheus
    });
    Ok((catalog, left_out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    #[test]
    fn every_shipped_definition_is_in_the_demo() {
        let (catalog, left_out) = catalog().unwrap();
        assert_eq!(left_out, ["postgres/transactions"]);
        assert!(catalog.slos.len() >= 15 && catalog.receivers.len() == 1);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("slo-definitions");
        for entry in fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let path = format!("slo-definitions/{name}");
            assert!(FILES.iter().any(|(known, _)| *known == path), "{path}");
        }
    }
}
