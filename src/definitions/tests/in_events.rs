//! Indicators that count events: what each way to write them becomes, and mistakes in them.

use std::path::PathBuf;

use super::super::Options;
use super::super::read;
use super::lowering::shown;

/// What an objective with these lines becomes, or every fault of them.
fn told(indicator: &str) -> String {
    let lines: Vec<String> = indicator
        .lines()
        .map(|line| format!("      {line}"))
        .collect();
    let service = format!(
        "apiVersion: sloburn.dev/v1\nkind: ServiceObjectives\nmetadata: {{name: api}}\nspec:\n  window: 30d\n  alertPolicy: none\n  objectives:\n    - name: it\n      objective: 99%\n{}\n",
        lines.join("\n")
    );
    let (catalog, diagnostics) = read(&[(PathBuf::from("api.yaml"), service)], &Options::default());
    let lines = diagnostics.render_lines();
    match catalog {
        Some(catalog) => {
            let slo = catalog.slos.values().next().unwrap();
            format!("{lines}{}", shown(&slo.indicator))
        }
        None => lines,
    }
}

fn all_told(cases: &[&str]) -> String {
    let told = cases.iter().map(|case| told(case).trim_end().to_owned());
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn errors_are_told_by_lists_and_without_a_total() {
    let told = all_told(&[
        "errors: {good: 'a{ok=\"1\"}', bad: 'a{ok=\"0\"}'}",
        "errors: {good: [a, b], bad: 'c{x=\"1\"}'}",
        "errors: {total: [a, b], bad: [c]}",
        "errors: {total: ['a{x=\"1\"}', b], badWhere: 'code=\"5\"'}",
        "errors: {total: ['a{x=\"1\"}', b], goodWhere: 'x=\"2\"'}",
        "errors: {total: ['a{x=\"1\"}', 'b{x=\"1\"}'], badWhere: 'x=\"2\"'}",
        "errors: {total: [], bad: []}",
        "errors: {total: [a, a], bad: b}",
        "errors: {total: [a, 'b{'], bad: b}",
        "errors: {total: [a, [b]], bad: b}",
        "errors: {good: a, bad: [b, a]}",
        "errors: {good: a}",
        "errors: {good: a, bad: b, badWhere: 'x=\"1\"'}",
        "errors: {total: a, good: a, bad: b}",
    ]);
    insta::assert_snapshot!(told, @r#"
    good a{ok="1"} bad a{ok="0"}
    good a + b bad c{x="1"}
    total a + b bad c
    total a{x="1"} + b bad a{code="5",x="1"} + b{code="5"}
    total a{x="1"} + b good a{x="1",x="2"} + b{x="2"}
    api.yaml:10:59: error[SB0303]: `badWhere` never matches, since `total` has only x="1"; remove x from `total`, or compare another label
    api.yaml:10:23: error[SB0108]: the list `total` is empty; write at least one item, or remove the key
    api.yaml:10:32: error[SB0108]: the list `bad` is empty; write at least one item, or remove the key
    api.yaml:10:27: error[SB0110]: `total` has this selector twice; remove one of them, or its events count twice
    api.yaml:10:30: error[SB0301]: `total`: a label and its value are due here, as in job="api"
    api.yaml:10:27: error[SB0106]: `total` is a single value, and this is a list
    api.yaml:10:34: error[SB0109]: the same series are good and bad; let each selector match one kind of events
    api.yaml:10:15: error[SB0104]: `errors` needs `total`; write total: http_requests_total{job="api"}
    api.yaml:10:33: error[SB0109]: `badWhere` refines a `total`, and there is none; remove it, or write `total` in place of `good` or `bad`
    api.yaml:10:35: error[SB0109]: `good` and `bad` exclude each other; keep one of badWhere, goodWhere, bad, good
    "#);
}
