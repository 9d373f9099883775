//! YAML itself: several documents, anchors, merges, wrong syntax and bombs.

use std::path::PathBuf;

use super::super::{Options, read};
use crate::domain::indicator::Indicator;
use crate::domain::slo::{Catalog, SloId};

const POLICY: &str = include_str!("../../../tests/fixtures/definitions/sound/alerts.yaml");

fn read_text(text: &str) -> (Option<Catalog>, String) {
    let sources = [
        (PathBuf::from("a.yaml"), text.to_owned()),
        (
            PathBuf::from("alerts.yaml"),
            POLICY.replace(", team: shop", ""),
        ),
    ];
    let (catalog, diagnostics) = read(&sources, &Options::default());
    (catalog, diagnostics.render_lines())
}

fn service(name: &str, objective: &str) -> String {
    format!(
        "apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {{name: {name}}}
spec:
  window: 30d
  objectives:
    - name: availability
      objective: {objective}
      errors: {{total: a_total, bad: b_total}}
"
    )
}

#[test]
fn a_bad_document_hides_no_other() {
    let text = [
        service("one", "0%"),
        "kind: [unclosed\n".to_owned(),
        service("two", "high"),
        "\tkind: x\n".to_owned(),
        "# only a comment\n".to_owned(),
        service("three", "101%"),
        "kind: 'open\n".to_owned(),
    ]
    .join("---\n");
    insta::assert_snapshot!(read_text(&text).1, @r"
    a.yaml:8:18: error[SB0201]: an objective of 0% promises nothing; write one over 0% and up to 100%
    a.yaml:11:7: error[SB0101]: the `[` is not closed; close it, or quote the value if the bracket belongs to it
    a.yaml:20:18: error[SB0201]: `high` is not a percentage; write it as 99.9%
    a.yaml:23:2: error[SB0104]: a document needs `apiVersion`; start it with apiVersion: sloburn.dev/v1 and kind: one of ServiceObjectives, ObjectiveTemplate, AlertPolicy, Receiver, Routing
    a.yaml:23:8: error[SB0107]: `x` is no kind that is known; write one of ServiceObjectives, ObjectiveTemplate, AlertPolicy, Receiver, Routing
    a.yaml:34:18: error[SB0201]: an objective of 101% promises more than everything; write one over 0% and up to 100%
    a.yaml:37:7: error[SB0101]: a quote is not closed; close it; inside of '…' a quote is written twice
    ");
}

#[test]
fn documents_are_separated_by_lines_that_start_with_dashes() {
    let text = format!(
        "%YAML 1.2\n---\n{}--- # next\n{}...\n---\r\n{}",
        service("one", "99%"),
        service("two", "99%"),
        service("three", "99%").replace('\n', "\r\n"),
    );
    let (catalog, told) = read_text(&text);
    assert_eq!(told, "");
    assert_eq!(catalog.unwrap().slos.len(), 3);
}

#[test]
fn a_document_that_begins_within_another_is_one_fault() {
    let policy = "apiVersion: sloburn.dev/v1\nkind: AlertPolicy\nmetadata: {name: own}\n";
    let own = service("two", "99%").replace("  window", "  alertPolicy: own\n  window");
    let text = [policy, &service("one", "0%"), "---\n", &own].concat();
    insta::assert_snapshot!(read_text(&text).1, @"a.yaml:4:1: error[SB0103]: a second document begins here; write --- on a line of its own before it");
}

#[test]
fn wrong_syntax_is_told_at_its_place() {
    let cases = [
        "kind: a\n\tapiVersion: b\n",
        "spec:\n\tx: 1\n",
        "kind: a\n  apiVersion: b\n",
        "spec:\n  - a\n b\n",
        "kind: {a: b\n",
        "kind: \"a\n",
        "kind: \"\\d\"\n",
        "kind: `a`\n",
        "kind: *a\n",
        "kind: &a [*a]\n",
        "kind: a: b\n",
        "kind: {{ .Values.kind }}\n",
        "kind: !secret a\n",
        "kind: a\nkind: b\n",
        "? {a: b}\n: c\n",
        "<<: text\n",
        "just a text\n",
        "- a\n- b\n",
        "kind: a\n}\n",
        "kind: \u{7}\n",
    ];
    let told: Vec<String> = cases
        .iter()
        .map(|text| format!("{text:?}\n{}", read_text(text).1))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    "kind: a\n\tapiVersion: b\n"
    a.yaml:2:1: error[SB0101]: a tab stands where the line is indented; indent by spaces; YAML knows no tabs there

    "spec:\n\tx: 1\n"
    a.yaml:2:2: error[SB0101]: a tab stands where the line is indented; indent by spaces; YAML knows no tabs there

    "kind: a\n  apiVersion: b\n"
    a.yaml:2:13: error[SB0101]: this line does not fit the lines above it; look at its indentation, and at a missing colon or space after one; a value with `: ` in it needs quotes

    "spec:\n  - a\n b\n"
    a.yaml:3:2: error[SB0101]: this line does not fit the lines above it; look at its indentation, and at a missing colon or space after one; a value with `: ` in it needs quotes

    "kind: {a: b\n"
    a.yaml:1:7: error[SB0101]: the `{` is not closed; close it, or quote the value if the bracket belongs to it

    "kind: \"a\n"
    a.yaml:1:7: error[SB0101]: a quote is not closed; close it; inside of '…' a quote is written twice

    "kind: \"\\d\"\n"
    a.yaml:1:7: error[SB0101]: this escape is unknown in double quotes; use single quotes, in which nothing is escaped

    "kind: `a`\n"
    a.yaml:1:7: error[SB0101]: a value cannot start with '`'; put the value into quotes

    "kind: *a\n"
    a.yaml:1:7: error[SB0101]: this alias names an anchor that is not above it in this document; write the anchor first, as in &name; a * at the start of a text needs quotes

    "kind: &a [*a]\n"
    a.yaml:1:11: error[SB0101]: this alias stands inside of what it repeats

    "kind: a: b\n"
    a.yaml:1:8: error[SB0101]: this line does not fit the lines above it; look at its indentation, and at a missing colon or space after one; a value with `: ` in it needs quotes

    "kind: {{ .Values.kind }}\n"
    a.yaml:1:1: error[SB0104]: a document needs `apiVersion`; start it with apiVersion: sloburn.dev/v1 and kind: one of ServiceObjectives, ObjectiveTemplate, AlertPolicy, Receiver, Routing
    a.yaml:1:7: error[SB0106]: `kind` is a single value, and this is a map
    a.yaml:1:8: error[SB0106]: a key must be a single word; quote it if it contains braces or brackets

    "kind: !secret a\n"
    a.yaml:1:1: error[SB0104]: a document needs `apiVersion`; start it with apiVersion: sloburn.dev/v1 and kind: one of ServiceObjectives, ObjectiveTemplate, AlertPolicy, Receiver, Routing
    a.yaml:1:15: error[SB0101]: tags have no meaning here; remove the word that starts with `!`
    a.yaml:1:15: error[SB0107]: `a` is no kind that is known; write one of ServiceObjectives, ObjectiveTemplate, AlertPolicy, Receiver, Routing

    "kind: a\nkind: b\n"
    a.yaml:1:1: error[SB0104]: a document needs `apiVersion`; start it with apiVersion: sloburn.dev/v1 and kind: one of ServiceObjectives, ObjectiveTemplate, AlertPolicy, Receiver, Routing
    a.yaml:1:7: error[SB0107]: `a` is no kind that is known; write one of ServiceObjectives, ObjectiveTemplate, AlertPolicy, Receiver, Routing
    a.yaml:2:1: error[SB0103]: the key `kind` comes twice; keep one of them

    "? {a: b}\n: c\n"
    a.yaml:1:1: error[SB0107]: the document does not say what it is; start it with apiVersion: sloburn.dev/v1 and kind: one of ServiceObjectives, ObjectiveTemplate, AlertPolicy, Receiver, Routing
    a.yaml:1:3: error[SB0106]: a key must be a single word; quote it if it contains braces or brackets

    "<<: text\n"
    a.yaml:1:1: error[SB0107]: the document does not say what it is; start it with apiVersion: sloburn.dev/v1 and kind: one of ServiceObjectives, ObjectiveTemplate, AlertPolicy, Receiver, Routing
    a.yaml:1:5: error[SB0106]: only maps can be merged in by `<<`; write an alias of a map, as in <<: *base

    "just a text\n"
    a.yaml:1:1: error[SB0107]: the document does not say what it is; start it with apiVersion: sloburn.dev/v1 and kind: one of ServiceObjectives, ObjectiveTemplate, AlertPolicy, Receiver, Routing

    "- a\n- b\n"
    a.yaml:1:3: error[SB0107]: the document does not say what it is; start it with apiVersion: sloburn.dev/v1 and kind: one of ServiceObjectives, ObjectiveTemplate, AlertPolicy, Receiver, Routing

    "kind: a\n}\n"
    a.yaml:2:1: error[SB0101]: this bracket closes nothing; remove it, or quote the value if the bracket belongs to it

    "kind: \u{7}\n"
    a.yaml:1:7: error[SB0101]: a value cannot start with '\u{7}'; put the value into quotes
    "#);
}

#[test]
fn anchors_and_merges_work_and_keep_their_places() {
    let text = r#"apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: api}
spec:
  window: &window 30d
  objectives:
    - &base
      name: availability
      objective: 99.9%
      window: *window
      errors: {total: a_total, badWhere: 'code="500"'}
    - <<: *base
      name: strict
      objective: 99.99%
    - <<: [{owner: ann}, *base]
      name: lax
      objective: 0.9
"#;
    let (_, told) = read_text(text);
    assert_eq!(
        told,
        "a.yaml:17:18: error[SB0201]: an objective of 0.9 is below 1 %; did you mean 90%?\n"
    );
    let (catalog, told) = read_text(&text.replace("0.9\n", "95%\n"));
    assert_eq!(told, "");
    let catalog = catalog.unwrap();
    let lax = &catalog.slos[&SloId::new("api/lax")];
    assert_eq!(lax.owner.as_deref(), Some("ann"));
    assert_eq!(lax.objective.to_string(), "95%");
    assert!(matches!(lax.indicator, Indicator::Errors(_)));
}

#[test]
fn bombs_are_refused_quickly() {
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        aliases.extend([format!("a{level}: &a{level} [{below}]\n")]);
    }
    let cases = [
        aliases,
        format!("a: {}", "[".repeat(100_000)),
        format!("a: [{}]", "x, ".repeat(30_000)),
        format!("a: &a x\nb: [{}]", "*a, ".repeat(300)),
        (0..100)
            .flat_map(|level| [" ".repeat(level), "a:\n".to_owned()])
            .collect(),
    ];
    let told: String = cases.iter().map(|text| read_text(text).1).collect();
    insta::assert_snapshot!(told, @r#"
    a.yaml:5:15: error[SB0102]: the document has more than 20000 values; split it into several documents, with --- between them
    a.yaml:1:259: error[SB0102]: the document has too many levels; look for brackets that are not closed
    a.yaml:1:59996: error[SB0102]: the document has more than 20000 values; split it into several documents, with --- between them
    a.yaml:2:805: error[SB0102]: the document has more than 200 aliases; split it into several documents, with --- between them
    a.yaml:32:32: error[SB0102]: the document has more than 32 levels; split it into several documents, with --- between them
    "#);
}
