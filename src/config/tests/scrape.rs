//! Sources that scrape: what is configured, and what is said of mistakes.

use super::*;

fn said(targets: &str) -> String {
    faults(&format!("sources: {{laptop: {{scrape: {targets}}}}}"))
}

#[test]
fn both_kinds_may_be_mixed_and_each_shows_its_own_settings() {
    let text = "
tick: 1m
sources:
  laptop:
    scrape:
      interval: 5s
      targets:
        - url: http://localhost:8080/metrics
          labels: {job: checkout, zone: eu}
        - {url: 'http://localhost:8081/metrics'}
  prod:
    prometheus: {url: 'http://prometheus:9090'}
";
    let config = from_file(text).unwrap();
    let lines: Vec<String> = shown(&config)
        .lines()
        .filter(|line| line.starts_with("sources.") && !line.contains("prod.prometheus.m"))
        .map(str::to_owned)
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    sources.laptop.scrape.targets = [{"labels":{"job":"checkout","zone":"eu"},"url":"http://localhost:8080/metrics"},{"url":"http://localhost:8081/metrics"}] (sloburn.yaml:8)
    sources.laptop.scrape.interval = 5s (sloburn.yaml:6)
    sources.laptop.scrape.timeout = 5s (default)
    sources.laptop.scrape.offset = 2s (default)
    sources.laptop.scrape.settle = 5m (default)
    sources.laptop.scrape.maxBodyBytes = 16777216 (default)
    sources.prod.prometheus.url = http://prometheus:9090 (sloburn.yaml:12)
    sources.prod.prometheus.timeout = 10s (default)
    sources.prod.prometheus.bearerTokenFile is not set
    sources.prod.prometheus.basicAuthFile is not set
    sources.prod.prometheus.tls.caFile is not set
    sources.prod.prometheus.tls.certFile is not set
    sources.prod.prometheus.tls.keyFile is not set
    sources.prod.prometheus.offset = 15s (default)
    sources.prod.prometheus.settle = 5m (default)
    sources.prod.prometheus.linkUrl is not set
    sources.prod.prometheus.scrapeInterval is not set
    sources.prod.prometheus.backfill = 50% (default)
    sources.prod.prometheus.seriesPerQuery = 20000 (default)
    sources.prod.prometheus.pushDownAbove = 100000 (default)
    sources.prod.prometheus.partial = hold (default)
    sources.prod.prometheus.replicaLabels is not set
    "#);
    let Source::Scrape(scrape) = &config.sources["laptop"] else {
        panic!("`laptop` scrapes");
    };
    assert_eq!(scrape.targets.len(), 2);
    assert_eq!(scrape.targets[0].labels["zone"], "eu");
    assert_eq!(scrape.timeout, Duration::from_secs(5));
}

#[test]
fn the_environment_names_pages_without_labels() {
    let variables = environment(&[
        (
            "SLOBURN_SCRAPE_TARGETS",
            "http://a/metrics, http://b/metrics",
        ),
        ("SLOBURN_SCRAPE_INTERVAL", "30s"),
    ]);
    let config = Config::from_layers(None, &variables, &Flags::default()).unwrap();
    let Source::Scrape(scrape) = &config.sources["default"] else {
        panic!("`default` scrapes");
    };
    assert_eq!(scrape.targets.len(), 2);
    assert_eq!(
        (scrape.interval, scrape.timeout),
        (Duration::from_secs(30), Duration::from_secs(10))
    );
    let flags = Flags {
        prometheus: Some("http://localhost:9090".to_owned()),
        ..Flags::default()
    };
    insta::assert_snapshot!(lines(Config::from_layers(None, &variables, &flags)), @"error[SB0807]: SLOBURN_SCRAPE_INTERVAL: --prometheus asks a Prometheus, and `sources.default` scrapes; leave out --prometheus, or name the source that scrapes otherwise than `default`");
}

#[test]
fn mistakes_are_told_with_their_place() {
    let all = [
        "{}",
        "{interval: 5s}",
        "{targets: []}",
        "{targets: http://a/metrics}",
        "{targets: [http://a/metrics]}",
        "{targets: [{labels: {job: a}}]}",
        "{targets: [{url: localhost:8080}]}",
        "{targets: [{url: 'http://a', labels: {a-b: c}}]}",
        "{targets: [{url: 'http://a', labels: {a: [b]}}]}",
        "{targets: [{url: 'http://a', labels: {__name__: b}}]}",
        "{targets: [{url: 'http://a', lables: {a: b}}]}",
        "{targets: [{url: 'http://a'}, {url: 'http://a'}]}",
        "{targets: [{url: 'http://a'}], timeout: 30s}",
        "{targets: [{url: 'http://a'}], interval: 0s}",
        "{targets: [{url: 'http://a'}], settle: 7s}",
        "{target: [{url: 'http://a'}]}",
    ];
    let told: Vec<String> = all
        .iter()
        .map(|text| format!("{text}\n  {}", said(text).replace('\n', "\n  ")))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    {}
      sloburn.yaml:1:19: error[SB0804]: `sources.laptop` says nothing; write `prometheus: {url: http://…}` or `scrape: {targets: […]}` below it
    {interval: 5s}
      sloburn.yaml:1:39: error[SB0808]: `sources.laptop.scrape.targets` names no page; write `targets: [{url: 'http://localhost:8080/metrics', labels: {job: checkout}}]`
    {targets: []}
      sloburn.yaml:1:38: error[SB0808]: `sources.laptop.scrape.targets` names no page; write `targets: [{url: 'http://localhost:8080/metrics', labels: {job: checkout}}]`
    {targets: http://a/metrics}
      sloburn.yaml:1:38: error[SB0804]: `sources.laptop.scrape.targets` must be a list of pages; write `targets: [{url: 'http://localhost:8080/metrics', labels: {job: checkout}}]`
    {targets: [http://a/metrics]}
      sloburn.yaml:1:39: error[SB0804]: `sources.laptop.scrape.targets` holds something that is no page; write `targets: [{url: 'http://localhost:8080/metrics', labels: {job: checkout}}]`
    {targets: [{labels: {job: a}}]}
      sloburn.yaml:1:39: error[SB0808]: a page of `sources.laptop.scrape.targets` has no `url`; write `targets: [{url: 'http://localhost:8080/metrics', labels: {job: checkout}}]`
    {targets: [{url: localhost:8080}]}
      sloburn.yaml:1:45: error[SB0806]: `sources.laptop.scrape.targets.url` is `localhost:8080`, without http:// or https://; write http://localhost:8080
    {targets: [{url: 'http://a', labels: {a-b: c}}]}
      sloburn.yaml:1:71: error[SB0806]: `a-b` cannot be the name of a label; use letters, digits and `_`, with no digit and no `__` at its beginning
    {targets: [{url: 'http://a', labels: {a: [b]}}]}
      sloburn.yaml:1:69: error[SB0804]: `sources.laptop.scrape.targets.labels.a` must be one value; write it on the same line, without brackets
    {targets: [{url: 'http://a', labels: {__name__: b}}]}
      sloburn.yaml:1:76: error[SB0806]: `__name__` cannot be the name of a label; use letters, digits and `_`, with no digit and no `__` at its beginning
    {targets: [{url: 'http://a', lables: {a: b}}]}
      sloburn.yaml:1:57: error[SB0802]: `sources.laptop.scrape.targets.lables` is not a setting; here may stand: url, labels
    {targets: [{url: 'http://a'}, {url: 'http://a'}]}
      sloburn.yaml:1:64: error[SB0807]: `sources.laptop.scrape.targets` has http://a/ twice; remove one, or give them different labels
    {targets: [{url: 'http://a'}], timeout: 30s}
      sloburn.yaml:1:68: error[SB0807]: `sources.laptop.scrape.timeout` is 30s, longer than the interval of 15s; write at most 15s
    {targets: [{url: 'http://a'}], interval: 0s}
      sloburn.yaml:1:69: error[SB0806]: `sources.laptop.scrape.interval` is 0s, but must be longer than zero; write it as 30s
    {targets: [{url: 'http://a'}], settle: 7s}
      sloburn.yaml:1:67: error[SB0807]: `sources.laptop.scrape.settle` is 7s, not a whole number of ticks of 30s; write 30s
    {target: [{url: 'http://a'}]}
      sloburn.yaml:1:29: error[SB0802]: `sources.laptop.scrape.target` is not a setting; did you mean `targets`?
    ");
}
