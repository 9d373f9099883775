//! Templates of objectives: what uses make of them, and every mistake in either place.

use std::path::PathBuf;

use super::super::{Options, read};
use crate::diagnostic::{Diagnostics, Paint};
use crate::domain::indicator::{Events, Indicator};
use crate::domain::slo::Catalog;
use crate::promql::selector_text;

const POLICY: &str = include_str!("../../../tests/fixtures/definitions/sound/alerts.yaml");

const TEMPLATE: &str = r#"apiVersion: sloburn.dev/v1
kind: ObjectiveTemplate
metadata: {name: http}
spec:
  description: What every service with the usual metrics promises
  params:
    - job
    - {name: atMost, default: 250ms, description: How long an answer may take}
  objectives:
    - name: availability
      description: ${job} answers without failing
      objective: 99.9%
      errors:
        total: http_requests_total{job="$job",code!~"4..$"}
        badWhere: code=~"5.."
    - name: latency
      objective: 99%
      latency:
        histogram: http_request_duration_seconds{job="$job"}
        atMost: $atMost
    - name: ratio
      objective: 99%
      query:
        bad: sum(increase(a_total{job="$job"}[$window]))
        total: sum(increase(b_total{job="$job"}[$window]))
"#;

const SERVICE: &str = "apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: cart}
spec:
  window: 30d
  use:
    - template: http
      with: {job: cart}
";

/// What is written in one of the two, and what is written by mistake instead.
const MISTAKES: &[(&str, &str)] = &[
    ("template: http\n", "template: htp\n"),
    ("template: http\n", "with: {}\n"),
    ("with: {job: cart}", "with: {jb: cart}"),
    ("with: {job: cart}", "with: {job: cart, atLeast: 1}"),
    ("with: {job: cart}", ""),
    ("with: {job: cart}", "with: [cart]"),
    (
        "with: {job: cart}",
        "with: {job: cart}\n      overrides: {availabilty: {objective: 1%}}",
    ),
    (
        "with: {job: cart}",
        "with: {job: cart}\n      overrides: {availability: 99%}",
    ),
    (
        "with: {job: cart}",
        "with: {job: cart}\n      overrides: {availability: {objctive: 99%}}",
    ),
    ("with: {job: cart}", "with: {job: cart, atMost: fast}"),
    ("with: {job: cart}", "with: {job: 'c\"rt'}"),
    (
        "with: {job: cart}",
        "with: {job: cart}\n    - {template: http, with: {job: b}}",
    ),
    (
        "  use:\n    - template: http\n      with: {job: cart}\n",
        "",
    ),
    (
        "  use:\n    - template: http\n      with: {job: cart}\n",
        "  use: http\n",
    ),
    ("params:\n    - job\n", "params:\n    - window\n    - job\n"),
    (
        "params:\n    - job\n",
        "params:\n    - {default: x}\n    - job\n",
    ),
    ("params:\n    - job\n", "params:\n    - jbo\n"),
    ("objective: 99.9%", "objective: 0.999"),
    ("    - name: latency\n", "    - name: availability\n"),
    ("  objectives:\n", "  objetives:\n"),
];

/// What comes of a service in a file before that of the template.
fn catalog_of(template: &str, service: &str) -> (Option<Catalog>, Diagnostics, Sources) {
    let sources = vec![
        (PathBuf::from("cart.yaml"), service.to_owned()),
        (PathBuf::from("http.yaml"), template.to_owned()),
        (
            PathBuf::from("alerts.yaml"),
            POLICY.replace(", team: shop", ""),
        ),
    ];
    let (catalog, diagnostics) = read(&sources, &Options::default());
    (catalog, diagnostics, sources)
}

type Sources = Vec<(PathBuf, String)>;

/// What is told of a service, a line a fault.
fn told(template: &str, service: &str) -> String {
    catalog_of(template, service).1.render_lines()
}

/// The objectives that `uses` make, a line each.
fn objectives(uses: &str) -> String {
    let (catalog, diagnostics, _) = catalog_of(TEMPLATE, &format!("{SERVICE}{uses}"));
    assert_eq!(diagnostics.render_lines(), "");
    let told = |slo: &crate::domain::slo::Slo| {
        let indicator = match &slo.indicator {
            Indicator::Errors(Events::OfTotal { total, split }) => format!(
                "{} of {}",
                selector_text(&split.counted()[0]),
                selector_text(&total[0])
            ),
            Indicator::Latency(Events::Histogram(histogram)) => format!(
                "{} at most {}",
                selector_text(&histogram.series),
                histogram.at_most
            ),
            Indicator::Query { total, split, .. } => format!("{} of {total}", split.counted()),
            other => format!("{other:?}"),
        };
        format!(
            "{} {} {} {indicator}",
            slo.uid,
            slo.objective,
            slo.description.as_deref().unwrap_or("-")
        )
    };
    let lines: Vec<String> = catalog
        .unwrap()
        .slos
        .values()
        .map(|slo| told(slo))
        .collect();
    lines.join("\n")
}

#[test]
fn a_use_fills_in_its_values_and_the_defaults() {
    insta::assert_snapshot!(objectives(""), @r#"
    cart/availability 99.9% cart answers without failing http_requests_total{code=~"5..",code!~"4..$",job="cart"} of http_requests_total{code!~"4..$",job="cart"}
    cart/latency 99% - http_request_duration_seconds_bucket{job="cart"} at most 0.25
    cart/ratio 99% - sum(increase(a_total{job="cart"}[$window])) of sum(increase(b_total{job="cart"}[$window]))
    "#);
}

#[test]
fn overrides_replace_keys_and_a_second_indicator_the_first() {
    let overrides = r"      overrides:
        availability: {objective: 99.5%, name: requests}
        latency: {errors: {total: a_total, bad: b_total}, uid: old/latency}
    - {template: http, with: {job: cart-admin, atMost: 2s}, overrides: {availability: {name: admin}, latency: {name: admin-latency}, ratio: {name: admin-ratio}}}
";
    insta::assert_snapshot!(objectives(overrides), @r#"
    cart/admin 99.9% cart-admin answers without failing http_requests_total{code=~"5..",code!~"4..$",job="cart-admin"} of http_requests_total{code!~"4..$",job="cart-admin"}
    cart/admin-latency 99% - http_request_duration_seconds_bucket{job="cart-admin"} at most 2
    cart/admin-ratio 99% - sum(increase(a_total{job="cart-admin"}[$window])) of sum(increase(b_total{job="cart-admin"}[$window]))
    cart/ratio 99% - sum(increase(a_total{job="cart"}[$window])) of sum(increase(b_total{job="cart"}[$window]))
    cart/requests 99.5% cart answers without failing http_requests_total{code=~"5..",code!~"4..$",job="cart"} of http_requests_total{code!~"4..$",job="cart"}
    old/latency 99% - b_total of a_total
    "#);
}

#[test]
fn every_mistake_is_told_where_it_was_made() {
    let mut all = Vec::new();
    for (old, new) in MISTAKES {
        let told = if SERVICE.contains(old) {
            told(TEMPLATE, &SERVICE.replacen(old, new, 1))
        } else {
            assert!(TEMPLATE.contains(old), "{old}");
            told(&TEMPLATE.replacen(old, new, 1), SERVICE)
        };
        assert_ne!(told, "", "{old:?} became {new:?}");
        all.push(format!("{} → {}\n{told}", old.trim(), new.trim()));
    }
    insta::assert_snapshot!(all.join("\n"), @r#"
    template: http → template: htp
    cart.yaml:7:17: error[SB0407]: there is no template `htp`; did you mean `http`?

    template: http → with: {}
    cart.yaml:7:7: error[SB0104]: a use of a template needs `template`; write template: the name of an ObjectiveTemplate
    cart.yaml:8:7: error[SB0103]: the key `with` comes twice; keep one of them

    with: {job: cart} → with: {jb: cart}
    cart.yaml:8:14: error[SB0408]: the template `http` has no parameter `jb`; it has the parameters job, atMost

    with: {job: cart} → with: {job: cart, atLeast: 1}
    cart.yaml:8:25: error[SB0408]: the template `http` has no parameter `atLeast`; it has the parameters job, atMost

    with: {job: cart} → 
    cart.yaml:7:17: error[SB0408]: the template `http` needs `job`; write with: {name: value} beside `template`

    with: {job: cart} → with: [cart]
    cart.yaml:8:13: error[SB0106]: `with` is a map of names and texts, and this is a list

    with: {job: cart} → with: {job: cart}
          overrides: {availabilty: {objective: 1%}}
    cart.yaml:9:19: error[SB0409]: the template `http` has no objective `availabilty`; did you mean `availability`?

    with: {job: cart} → with: {job: cart}
          overrides: {availability: 99%}
    cart.yaml:9:33: error[SB0106]: `availability` is a map of the keys to replace, and this is a single value

    with: {job: cart} → with: {job: cart}
          overrides: {availability: {objctive: 99%}}
    cart.yaml:9:34: error[SB0105]: an objective has no key `objctive`; did you mean `objective`?

    with: {job: cart} → with: {job: cart, atMost: fast}
    http.yaml:20:17: error[SB0202]: `fast` is not a length of time; write it as 30d, 1h30m or 500ms

    with: {job: cart} → with: {job: 'c"rt'}
    http.yaml:14:16: error[SB0301]: `total`: a text that starts with " does not end
    http.yaml:19:20: error[SB0301]: `histogram`: a text that starts with " does not end
    http.yaml:24:14: error[SB0301]: `bad`: a text that starts with " does not end
    http.yaml:25:16: error[SB0301]: `total`: a text that starts with " does not end

    with: {job: cart} → with: {job: cart}
        - {template: http, with: {job: b}}
    cart.yaml:9:7: error[SB0401]: two objectives of this service have the name `availability`; give one of them another name
    cart.yaml:9:7: error[SB0401]: two objectives of this service have the name `latency`; give one of them another name
    cart.yaml:9:7: error[SB0401]: two objectives of this service have the name `ratio`; give one of them another name

    use:
        - template: http
          with: {job: cart} → 
    cart.yaml:5:3: error[SB0104]: the spec of a service needs `objectives`; write a list of objectives, each with name, objective and an indicator

    use:
        - template: http
          with: {job: cart} → use: http
    cart.yaml:6:8: error[SB0106]: `use` is a list, and this is a single value; write use: [http]

    params:
        - job → params:
        - window
        - job
    http.yaml:7:7: error[SB0204]: `window` cannot be the name of a parameter; write letters, digits and underscores, as in job; `window` is taken

    params:
        - job → params:
        - {default: x}
        - job
    http.yaml:7:7: error[SB0104]: a parameter needs `name`; write name: job

    params:
        - job → params:
        - jbo
    cart.yaml:8:14: error[SB0408]: the template `http` has no parameter `job`; did you mean `jbo`?

    objective: 99.9% → objective: 0.999
    http.yaml:12:18: error[SB0201]: an objective of 0.999 is below 1 %; did you mean 99.9%?

    - name: latency → - name: availability
    cart.yaml:7:7: error[SB0401]: two objectives of this service have the name `availability`; give one of them another name

    objectives: → objetives:
    http.yaml:9:3: error[SB0105]: the spec of a template has no key `objetives`; did you mean `objectives`?
    "#);
}

#[test]
fn a_fault_in_a_template_shows_both_places_and_is_told_once() {
    let template = TEMPLATE.replacen("objective: 99%", "objective: 0.99", 1);
    let service = format!(
        "{SERVICE}    - {{template: http, with: {{job: other}}, overrides: {{availability: {{name: a}}, latency: {{name: b}}, ratio: {{name: c}}}}}}\n"
    );
    let (_, diagnostics, sources) = catalog_of(&template, &service);
    insta::assert_snapshot!(diagnostics.render_text(&sources, Paint::Plain), @r"
    error[SB0201]: an objective of 0.99 is below 1 %; did you mean 99%?
      --> http.yaml:17:18
       |
    17 |       objective: 0.99
       |                  ^^^^
       |
      ::: cart.yaml:7:7
       |
     7 |     - template: http
       |       -------- used here
    ");
}

#[test]
fn a_bomb_of_uses_is_refused() {
    let template = format!("{TEMPLATE}{}", "    - {name: a, slice: 1m}\n".repeat(1_000));
    let uses = "    - {template: http, with: {job: x}}\n".repeat(20);
    let told = told(&template, &format!("{SERVICE}{uses}"));
    assert!(told.contains("make more than 50000 values"), "{told}");
}

#[test]
fn two_templates_of_one_name_are_told() {
    let told = told(&format!("{TEMPLATE}---\n{TEMPLATE}"), SERVICE);
    insta::assert_snapshot!(told, @r"http.yaml:29:18: error[SB0401]: two templates have the name `http`; give one of them another name");
}
