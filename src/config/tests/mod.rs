//! What is configured, from every layer.

mod mistakes;
mod scrape;

use secrecy::ExposeSecret;

use super::*;

fn environment(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    variables.iter().map(owned).collect()
}

fn from_file(text: &str) -> Result<Config, Vec<Diagnostic>> {
    let file = (Path::new("sloburn.yaml"), text);
    Config::from_layers(Some(file), &BTreeMap::new(), &Flags::default())
}

fn lines(result: Result<Config, Vec<Diagnostic>>) -> String {
    match result {
        Ok(_) => "no fault".to_owned(),
        Err(faults) => Diagnostics::from_iter(faults)
            .render_lines()
            .trim_end()
            .to_owned(),
    }
}

fn faults(text: &str) -> String {
    lines(from_file(text))
}

fn prometheus<'a>(config: &'a Config, name: &str) -> &'a Prometheus {
    match &config.sources[name] {
        Source::Prometheus(prometheus) => prometheus,
        Source::Scrape(_) => panic!("`{name}` scrapes"),
    }
}

/// Every setting as `key = value (origin)`.
fn shown(config: &Config) -> String {
    let line = |setting: &Setting| {
        let (key, origin) = (setting.path.join("."), &setting.origin);
        match &setting.value {
            Value::Unset => format!("{key} is not set"),
            Value::Text(text) => format!("{key} = {text} ({origin})"),
            Value::List(texts) => format!("{key} = {texts:?} ({origin})"),
            Value::Objects(objects) => format!("{key} = {} ({origin})", serde_json::json!(objects)),
            Value::Secret => format!("{key} = *** ({origin})"),
        }
    };
    config
        .settings()
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn nothing_configured_is_a_configuration() {
    let config = from_file("# nothing yet\n").unwrap();
    insta::assert_snapshot!(shown(&config), @r#"
    definitions = ["slo-definitions"] (default)
    alerts = ["alerts"] (default)
    tick = 30s (default)
    slot = 30s (default)
    sources.default.prometheus.url = http://localhost:9090 (default)
    sources.default.prometheus.timeout = 10s (default)
    sources.default.prometheus.bearerTokenFile is not set
    sources.default.prometheus.basicAuthFile is not set
    sources.default.prometheus.tls.caFile is not set
    sources.default.prometheus.tls.certFile is not set
    sources.default.prometheus.tls.keyFile is not set
    sources.default.prometheus.offset = 15s (default)
    sources.default.prometheus.settle = 5m (default)
    sources.default.prometheus.matchers is not set
    sources.default.prometheus.linkUrl is not set
    sources.default.prometheus.scrapeInterval is not set
    sources.default.prometheus.maxInFlight = 8 (default)
    sources.default.prometheus.maxBodyBytes = 134217728 (default)
    sources.default.prometheus.backfill = 50% (default)
    sources.default.prometheus.seriesPerQuery = 20000 (default)
    sources.default.prometheus.pushDownAbove = 100000 (default)
    sources.default.prometheus.partial = hold (default)
    sources.default.prometheus.replicaLabels is not set
    store.sqlite = sloburn.db (default)
    store.history = 400d (default)
    listen = 127.0.0.1:9099 (default)
    externalUrl is not set
    log.level = info (default)
    log.format = human (default)
    log.filter is not set
    "#);
}

#[test]
fn each_layer_wins_over_those_below() {
    let text = "
definitions: [a.yaml, more]
tick: 10s
sources:
  default:
    prometheus: {url: 'http://file:9090', timeout: 1s, headers: {X-Scope-OrgID: shop, X-Api-Key: 'abc'}, offset: 2s}
  other:
    prometheus: {url: 'https://other/prefix', settle: 1m, params: {dedup: true}, bearerTokenFile: token}
listen: 0.0.0.0:80
log: {level: debug}
";
    let file = (Path::new("/etc/sloburn/sloburn.yaml"), text);
    let variables = environment(&[
        ("SLOBURN_TICK", "20s"),
        ("SLOBURN_LISTEN", "0.0.0.0:81"),
        ("SLOBURN_PROMETHEUS_URL", "http://environment:9090"),
        (
            "SLOBURN_PROMETHEUS_HEADERS",
            "X-Scope-OrgID=other, X-Env = prod",
        ),
        ("SLOBURN_ALERTS", "one, two"),
        ("SLOBURN_LOG_FORMAT", ""),
        ("SLOBURN_PORT", "tcp://10.0.0.1:9099"),
        ("SLOBURN_LOG", "sloburn=trace"),
    ]);
    let flags = Flags {
        listen: Some("localhost:82".to_owned()),
        ..Flags::default()
    };
    let config = Config::from_layers(Some(file), &variables, &flags).unwrap();
    insta::assert_snapshot!(shown(&config), @r#"
    definitions = ["/etc/sloburn/a.yaml", "/etc/sloburn/more"] (/etc/sloburn/sloburn.yaml:2)
    alerts = ["one", "two"] (SLOBURN_ALERTS)
    tick = 20s (SLOBURN_TICK)
    slot = 20s (default)
    sources.default.prometheus.url = http://environment:9090 (SLOBURN_PROMETHEUS_URL)
    sources.default.prometheus.timeout = 1s (/etc/sloburn/sloburn.yaml:6)
    sources.default.prometheus.bearerTokenFile is not set
    sources.default.prometheus.basicAuthFile is not set
    sources.default.prometheus.tls.caFile is not set
    sources.default.prometheus.tls.certFile is not set
    sources.default.prometheus.tls.keyFile is not set
    sources.default.prometheus.headers.X-Api-Key = *** (/etc/sloburn/sloburn.yaml:6)
    sources.default.prometheus.headers.X-Env = prod (SLOBURN_PROMETHEUS_HEADERS)
    sources.default.prometheus.headers.X-Scope-OrgID = other (SLOBURN_PROMETHEUS_HEADERS)
    sources.default.prometheus.offset = 2s (/etc/sloburn/sloburn.yaml:6)
    sources.default.prometheus.settle = 5m (default)
    sources.default.prometheus.matchers is not set
    sources.default.prometheus.linkUrl is not set
    sources.default.prometheus.scrapeInterval is not set
    sources.default.prometheus.maxInFlight = 8 (default)
    sources.default.prometheus.maxBodyBytes = 134217728 (default)
    sources.default.prometheus.backfill = 50% (default)
    sources.default.prometheus.seriesPerQuery = 20000 (default)
    sources.default.prometheus.pushDownAbove = 100000 (default)
    sources.default.prometheus.partial = hold (default)
    sources.default.prometheus.replicaLabels is not set
    sources.other.prometheus.url = https://other/prefix (/etc/sloburn/sloburn.yaml:8)
    sources.other.prometheus.timeout = 10s (default)
    sources.other.prometheus.bearerTokenFile = /etc/sloburn/token (/etc/sloburn/sloburn.yaml:8)
    sources.other.prometheus.basicAuthFile is not set
    sources.other.prometheus.tls.caFile is not set
    sources.other.prometheus.tls.certFile is not set
    sources.other.prometheus.tls.keyFile is not set
    sources.other.prometheus.offset = 15s (default)
    sources.other.prometheus.settle = 1m (/etc/sloburn/sloburn.yaml:8)
    sources.other.prometheus.matchers is not set
    sources.other.prometheus.params.dedup = true (/etc/sloburn/sloburn.yaml:8)
    sources.other.prometheus.linkUrl is not set
    sources.other.prometheus.scrapeInterval is not set
    sources.other.prometheus.maxInFlight = 8 (default)
    sources.other.prometheus.maxBodyBytes = 134217728 (default)
    sources.other.prometheus.backfill = 50% (default)
    sources.other.prometheus.seriesPerQuery = 20000 (default)
    sources.other.prometheus.pushDownAbove = 100000 (default)
    sources.other.prometheus.partial = hold (default)
    sources.other.prometheus.replicaLabels is not set
    store.sqlite = sloburn.db (default)
    store.history = 400d (default)
    listen = localhost:82 (--listen)
    externalUrl is not set
    log.level = debug (/etc/sloburn/sloburn.yaml:10)
    log.format = human (default)
    log.filter = sloburn=trace (SLOBURN_LOG)
    "#);
    let default = prometheus(&config, "default");
    assert_eq!(config.listen, "127.0.0.1:82".parse().unwrap());
    assert_eq!(default.settle, Duration::from_mins(5));
    assert_eq!(default.headers["X-Api-Key"].expose_secret(), "abc");
    assert_eq!(prometheus(&config, "other").params["dedup"], "true");
    assert!(
        !format!("{config:?}").contains("abc"),
        "a secret is printed"
    );
}

#[test]
fn settle_is_whole_ticks_even_where_nobody_set_it() {
    for (tick, offset, settle) in [
        ("30s", "15s", 300),
        ("7s", "15s", 301),
        ("1s", "2s", 300),
        ("1h", "0s", 3_600),
        ("30s", "10m", 600),
        ("30s", "4h", 14_400),
        ("6h", "0s", 21_600),
    ] {
        let text = format!(
            "tick: {tick}\nsources: {{a: {{prometheus: {{url: 'http://a', offset: {offset}}}}}}}\n"
        );
        let config = from_file(&text).unwrap();
        assert_eq!(
            prometheus(&config, "a").settle,
            Duration::from_secs(settle),
            "{text}"
        );
    }
}

#[test]
fn a_file_that_is_named_must_exist_and_the_usual_one_may() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my.yaml");
    let load = |variables: &[(&str, &str)], file: Option<&Path>| {
        let flags = Flags {
            config: file.map(Path::to_owned),
            ..Flags::default()
        };
        Config::load(&flags, &environment(variables)).map_err(|error| {
            error
                .to_string()
                .replace(&*folder.path().to_string_lossy(), "FOLDER")
        })
    };
    insta::assert_snapshot!(load(&[], Some(&path)).unwrap_err(), @"cannot read the configuration file `FOLDER/my.yaml`; check --config, SLOBURN_CONFIG and the file's permissions");
    insta::assert_snapshot!(load(&[("SLOBURN_CONFIG", folder.path().to_str().unwrap())], None).unwrap_err(), @"cannot read the configuration file `FOLDER`; check --config, SLOBURN_CONFIG and the file's permissions");
    assert!(load(&[], None).is_ok());
    fs::write(&path, "tick: 10s\nstore: {sqlite: a.db}\n").unwrap();
    let config = load(&[("SLOBURN_CONFIG", "elsewhere")], Some(&path)).unwrap();
    assert_eq!(
        (config.tick, config.store),
        (Duration::from_secs(10), folder.path().join("a.db"))
    );
    fs::write(&path, "tick: 10s\nbearerToken: s3cret\n").unwrap();
    insta::assert_snapshot!(load(&[], Some(&path)).unwrap_err(), @r"
    the configuration has 1 error
    FOLDER/my.yaml:2:1: error[SB0802]: `bearerToken` is not a setting; here may stand: definitions, alerts, tick, slot, sources, store, listen, externalUrl, log
    ");
}

/// What looks like a slip is refused, what Kubernetes sets is not ours, and all else is told of.
#[test]
fn a_variable_that_is_no_setting_is_told_of() {
    let told = |name: &str| {
        let result = Config::from_layers(None, &environment(&[(name, "x")]), &Flags::default());
        match result {
            Ok(config) => match config.unread_variables() {
                [] => "not ours".to_owned(),
                unread => format!("nothing reads {}", unread.join(", ")),
            },
            faulty => lines(faulty),
        }
    };
    let names = [
        "SLOBURN_LISTNE",
        "SLOBURN_PROMETHEUS",
        "SLOBURN_SCRAPE",
        "SLOBURN_COLOUR",
        "SLOBURN_SERVICE_HOST",
        "SLOBURN_SERVICE_PORT_HTTP",
        "SLOBURN_PORT",
        "SLOBURN_PORT_9099_TCP_ADDR",
        "SLOBURN_PROMETHEUS_SERVICE_HOST",
        "PATH",
    ];
    let told = names.map(|name| format!("{name}: {}", told(name)));
    insta::assert_snapshot!(told.join("\n"), @r"
    SLOBURN_LISTNE: error[SB0802]: SLOBURN_LISTNE: this variable is not a setting; did you mean SLOBURN_LISTEN?
    SLOBURN_PROMETHEUS: error[SB0802]: SLOBURN_PROMETHEUS: this variable is not a setting; did you mean SLOBURN_PROMETHEUS_URL?
    SLOBURN_SCRAPE: error[SB0802]: SLOBURN_SCRAPE: this variable is not a setting; did you mean SLOBURN_SCRAPE_TARGETS?
    SLOBURN_COLOUR: nothing reads SLOBURN_COLOUR
    SLOBURN_SERVICE_HOST: not ours
    SLOBURN_SERVICE_PORT_HTTP: not ours
    SLOBURN_PORT: not ours
    SLOBURN_PORT_9099_TCP_ADDR: not ours
    SLOBURN_PROMETHEUS_SERVICE_HOST: not ours
    PATH: not ours
    ");
}

/// All flags that set something.
fn every_flag() -> Flags {
    let text = || Some(String::new());
    Flags {
        config: None,
        definitions: vec![String::new()],
        alerts: vec![String::new()],
        tick: text(),
        prometheus: text(),
        store: text(),
        listen: text(),
        external_url: text(),
        log_level: text(),
        log_format: text(),
    }
}

/// Its row of the table of settings: where it is set, and its default where that is a fixed one.
#[test]
fn the_documentation_lists_every_setting() {
    let document = include_str!("../../../docs/configuration.md");
    let flags = every_flag().layer();
    let mut expected = Vec::new();
    keys::visit(&["default"], |path, key| {
        let own: layers::KeyPath = path.iter().map(|&part| part.to_owned()).collect();
        let flag = flags.get(&own);
        let flag = flag.map_or(" ".to_owned(), |given| format!(" `{}` ", given.origin));
        let name = match &path[..] {
            ["sources", _, below @ ..] => below,
            all => all,
        };
        let start = format!("| `{}` |{flag}| `{}` |", name.join("."), key.variable);
        let default = key.default.map(|text| format!(" `{text}` |"));
        expected.push(start + &default.unwrap_or_default());
    });
    let rows = document.lines().filter(|line| line.contains("| `SLOBURN_"));
    let rows: Vec<&str> = rows.collect();
    assert_eq!(rows.len(), expected.len(), "a row for each setting");
    for (row, expected) in rows.iter().zip(&expected) {
        assert!(row.starts_with(expected), "{row}\nis not {expected}");
    }
}

#[test]
fn every_value_has_a_variable_of_its_own_and_every_flag_a_value() {
    let (mut variables, mut paths) = (Vec::new(), Vec::new());
    keys::visit(&["default"], |path, key| {
        variables.push(key.variable);
        paths.push(path.join("."));
    });
    let distinct: std::collections::BTreeSet<_> = variables.iter().collect();
    assert_eq!(distinct.len(), variables.len());
    assert!(variables.iter().all(|name| name.starts_with("SLOBURN_")));
    for path in every_flag().layer().keys() {
        assert!(paths.contains(&path.join(".")), "{path:?} is no setting");
    }
}
