//! Definitions from text to catalog, and every sentence that a tired person may read.

mod documents;
mod in_alerts;
mod in_events;
mod in_services;
mod in_slices;
mod loading;
mod lowering;
mod mistakes;
mod targets;
mod templates;

use std::path::{Path, PathBuf};

use super::*;
use crate::diagnostic::Paint;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Reads files of the repository under the names that they have from its root on.
fn repository_files(folder: &str) -> Vec<(PathBuf, String)> {
    let files::Texts {
        sources: texts,
        faults,
    } = files::Texts::read(&[root().join(folder)]);
    assert_eq!(faults, []);
    texts
        .into_iter()
        .map(|(path, text)| (path.strip_prefix(root()).unwrap().to_owned(), text))
        .collect()
}

#[test]
fn twelve_faults_in_three_files_are_twelve_diagnostics() {
    let sources = repository_files("tests/fixtures/definitions/faulty");
    assert_eq!(sources.len(), 3);
    let (catalog, diagnostics) = read(&sources, &Options::default());
    assert!(catalog.is_none());
    insta::assert_snapshot!(diagnostics.render_text(&sources, Paint::Plain), @r#"
    error[SB0501]: the short window, 1h, is not shorter than the long one, 5m
     --> tests/fixtures/definitions/faulty/alerts.yaml:6:53
      |
    6 |     - {name: fast, severity: page, long: 5m, short: 1h, budgetSpent: 2%}
      |                                          --         ^^
      |                                          |
      |                                          the long one
      |
      = help: write a twelfth of the long window

    error[SB0205]: `tickets` is not a severity; write page or ticket
     --> tests/fixtures/definitions/faulty/alerts.yaml:7:29
      |
    7 |     - {name: day, severity: tickets, long: 24h, short: 2h, budgetSpent: 10%}
      |                             ^^^^^^^

    error[SB0207]: `token` is a secret and must not stand in this file
      --> tests/fixtures/definitions/faulty/alerts.yaml:15:5
       |
    15 |     token: *********
       |     ^^^^^
       |
       = help: put it into a file of its own and write that file's path as `tokenFile`

    error[SB0101]: this line does not fit the lines above it
      --> tests/fixtures/definitions/faulty/cart.yaml:12:8
       |
    12 |        badWhere: code=~"5.."
       |        ^
       |
       = help: look at its indentation, and at a missing colon or space after one; a value with `: ` in it needs quotes

    error[SB0108]: the list `by` is empty
      --> tests/fixtures/definitions/faulty/cart.yaml:26:13
       |
    26 |         by: []
       |             ^
       |
       = help: write at least one item, or remove the key

    error[SB0202]: `1M`: a month has no fixed length; write 30d
     --> tests/fixtures/definitions/faulty/checkout.yaml:6:11
      |
    6 |   window: 1M
      |           ^^

    error[SB0201]: an objective of 0.999 is below 1 %; did you mean 99.9%?
     --> tests/fixtures/definitions/faulty/checkout.yaml:9:18
      |
    9 |       objective: 0.999
      |                  ^^^^^

    error[SB0301]: `total`: functions do not belong here: write the series alone, as in http_requests_total{job="api"}; for any other PromQL there is `query`
      --> tests/fixtures/definitions/faulty/checkout.yaml:11:16
       |
    11 |         total: rate(http_requests_total{job="checkout"}[5m])
       |                ^^^^^

    error[SB0105]: an objective has no key `objectve`
      --> tests/fixtures/definitions/faulty/checkout.yaml:14:7
       |
    14 |       objectve: 99%
       |       ^^^^^^^^
       |
       = help: did you mean `objective`?

    error[SB0302]: a histogram is named without `_bucket`
      --> tests/fixtures/definitions/faulty/checkout.yaml:16:20
       |
    16 |         histogram: http_request_duration_seconds_bucket{job="checkout"}
       |                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: write http_request_duration_seconds

    error[SB0401]: two objectives of this service have the name `latency`
      --> tests/fixtures/definitions/faulty/checkout.yaml:18:13
       |
    13 |     - name: latency
       |             ------- first here
    ...
    18 |     - name: latency
       |             ^^^^^^^ again here
       |
       = help: give one of them another name

    error[SB0403]: there is no alert policy `defualt`
      --> tests/fixtures/definitions/faulty/checkout.yaml:20:20
       |
    20 |       alertPolicy: defualt
       |                    ^^^^^^^
       |
       = help: did you mean `default`?
    "#);
    assert_eq!(diagnostics.len(), 12);
}

#[test]
fn every_shipped_file_is_read_without_a_word() {
    let mut sources = repository_files("slo-definitions");
    sources.extend(repository_files("alerts"));
    sources.extend(repository_files("alerts/receivers.yaml.example"));
    assert_eq!(sources.len(), 6);
    let options = Options {
        sources: Some(vec!["default".into()]),
        ..Options::default()
    };
    let (catalog, diagnostics) = read(&sources, &options);
    assert_eq!(diagnostics.render_text(&sources, Paint::Plain), "");
    let catalog = catalog.unwrap();
    let overview: Vec<String> = catalog
        .slos
        .values()
        .map(|slo| {
            format!(
                "{} {} {} {}",
                slo.uid,
                slo.signal().name(),
                slo.objective,
                slo.window
            )
        })
        .collect();
    insta::assert_snapshot!(overview.join("\n"), @r"
    checkout/availability errors 99.95% 30d
    checkout/latency latency 99% 30d
    checkout/memory saturation 99.5% 30d
    checkout/throughput traffic 99% 30d
    order-worker/broker-memory saturation 99.5% 30d
    order-worker/delivery traffic 99% 30d
    order-worker/duration latency 95% 30d
    order-worker/redelivery errors 99% 30d
    order-worker/refunds errors 99.5% 30d
    order-worker/success errors 99.5% 30d
    postgres/commits traffic 99.5% 30d
    postgres/connections saturation 99.5% 30d
    postgres/query-latency latency 99% 30d
    postgres/transactions errors 99% 30d
    web-shop/availability errors 99.9% 30d
    web-shop/file-descriptors saturation 99.5% 30d
    web-shop/latency latency 99% 30d
    web-shop/throughput traffic 99% 30d
    ");
    insta::assert_snapshot!(format!("{:#?}", catalog.policies["default"].tiers[0]), @r#"
    Tier {
        name: "fast",
        severity: Page,
        long: Span(
            3600000,
        ),
        short: Span(
            300000,
        ),
        limit: BudgetSpent(
            Fraction {
                numerator: 1,
                denominator: 50,
            },
        ),
    }
    "#);
    assert_eq!(catalog.receivers.len(), 4);
    assert_eq!(catalog.routing.routes.len(), 4);
}
