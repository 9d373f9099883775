//! How a single mistake of a tired person is made in files that have none, and what is told about it.

use std::path::PathBuf;

use super::super::{Options, read};
use crate::domain::slo::Catalog;

const SERVICE: &str = include_str!("../../../tests/fixtures/definitions/sound/api.yaml");
const ALERTS: &str = include_str!("../../../tests/fixtures/definitions/sound/alerts.yaml");

/// What is written, what is written by mistake instead, and every line that is told.
pub(super) type Mistake = (&'static str, &'static str, &'static [&'static str]);

/// What is told about these two files, one line a fault.
fn told(service: &str, alerts: &str) -> String {
    let sources = [
        (PathBuf::from("api.yaml"), service.to_owned()),
        (PathBuf::from("alerts.yaml"), alerts.to_owned()),
    ];
    let options = Options {
        sources: Some(vec!["default".into(), "laptop".into()]),
        ..Options::default()
    };
    let (catalog, diagnostics) = read(&sources, &options);
    assert_eq!(catalog.is_none(), diagnostics.has_errors());
    diagnostics.render_lines()
}

/// Makes each mistake alone, in whichever file has the text; all that is told otherwise is shown together.
pub(super) fn each_is_told(mistakes: &[Mistake]) {
    let mut others = Vec::new();
    for (old, new, expected) in mistakes {
        let found = if SERVICE.contains(old) {
            told(&SERVICE.replacen(old, new, 1), ALERTS)
        } else {
            assert!(ALERTS.contains(old), "{old}");
            told(SERVICE, &ALERTS.replacen(old, new, 1))
        };
        let found: Vec<&str> = found.lines().collect();
        if found != *expected {
            others.push(format!(
                "{old:?} became {new:?}:\n{found:#?}\nand not\n{expected:#?}"
            ));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

/// What is told about the two files when the service is changed.
pub(super) fn told_of(change: impl FnOnce(&str) -> String) -> String {
    told(&change(SERVICE), ALERTS)
}

/// What is told about the two files when the service is changed, and the route to `hook` asks for `conditions`.
pub(super) fn told_of_route(conditions: &str, change: impl FnOnce(&str) -> String) -> String {
    told(
        &change(SERVICE),
        &ALERTS.replacen("{signal: errors}", conditions, 1),
    )
}

/// The catalog of the two files, of which the service is changed without a mistake.
pub(super) fn catalog_of(change: impl FnOnce(&str) -> String) -> Catalog {
    let sources = [
        (PathBuf::from("api.yaml"), change(SERVICE)),
        (PathBuf::from("alerts.yaml"), ALERTS.to_owned()),
    ];
    let (catalog, diagnostics) = read(&sources, &Options::default());
    assert_eq!(diagnostics.render_lines(), "");
    catalog.unwrap()
}

#[test]
fn without_a_mistake_nothing_is_told() {
    assert_eq!(told(SERVICE, ALERTS), "");
}
