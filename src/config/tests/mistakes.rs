//! Mistakes of a tired person, each with the sentence that answers it.

use super::*;

/// Each text on a line, and below it what is said about it.
fn told(texts: &[&str]) -> String {
    let entry = |text: &&str| {
        format!(
            "{}\n  {}",
            text.replace('\n', "\\n").replace('\t', "\\t"),
            faults(text).replace('\n', "\n  ")
        )
    };
    texts.iter().map(entry).collect::<Vec<_>>().join("\n")
}

#[test]
fn secrets_that_others_can_read_on_their_way_are_warned_of() {
    let told = |url: &str| {
        let text = format!(
            "sources:\n  a: {{prometheus: {{url: '{url}', bearerTokenFile: token, headers: {{X-Api-Key: k, X-Env: e}}}}}}\n  \
             b: {{prometheus: {{url: '{url}', basicAuthFile: password}}}}\n  c: {{prometheus: {{url: '{url}'}}}}\n"
        );
        from_file(&text).unwrap().warnings().render_lines()
    };
    insta::assert_snapshot!(told("http://prom:9090"), @r"
    sloburn.yaml:2:62: warning[SB0809]: `sources.a.prometheus.bearerTokenFile` goes to http://prom:9090/ in the clear; write https:// in `url`; `tls.caFile` names an authority of your own
    sloburn.yaml:2:90: warning[SB0809]: `sources.a.prometheus.headers.X-Api-Key` goes to http://prom:9090/ in the clear; write https:// in `url`; `tls.caFile` names an authority of your own
    sloburn.yaml:3:60: warning[SB0809]: `sources.b.prometheus.basicAuthFile` goes to http://prom:9090/ in the clear; write https:// in `url`; `tls.caFile` names an authority of your own
    ");
    for url in ["https://prom:9090", "http://localhost:9090"] {
        assert_eq!(told(url), "", "{url}");
    }
}

#[test]
fn what_is_written_wrong_is_said_in_a_sentence() {
    insta::assert_snapshot!(told(&[
        "tik: 30s",
        "tick: 30",
        "tick: thirty seconds",
        "tick: 0s",
        "tick: 100us",
        "tick: 5M",
        "tick: 1h 1M",
        "tick: 2d",
        "store: {history: 13M}",
        "tick:",
        "tick: [30s]",
        "tick: 30s\nslot: 20s",
        "tick: 30s\nlisten: 127.0.0.1:80\ntick: 15s",
        "definitions: slo-definitions",
        "definitions: [{a: b}]",
        "listen: 9099",
        "listen: ':9099'",
        "listen: 127.0.0.1:http",
        "externalUrl: slo.example.com",
        "externalUrl: https://slo.example.com/?a=b",
        "log: {level: verbose}",
        "log: {level: inf}",
        "log: json",
        "log: {filter: sloburn=loud}",
    ]), @r#"
    tik: 30s
      sloburn.yaml:1:1: error[SB0802]: `tik` is not a setting; did you mean `tick`?
    tick: 30
      sloburn.yaml:1:7: error[SB0806]: `tick` is 30, without a unit; write 30s if seconds are meant
    tick: thirty seconds
      sloburn.yaml:1:7: error[SB0806]: `tick` is not a length of time: `thirty seconds`; write it as 30s, 1m30s or 500ms
    tick: 0s
      sloburn.yaml:1:7: error[SB0806]: `tick` is 0s, but must be longer than zero; write it as 30s
    tick: 100us
      sloburn.yaml:1:7: error[SB0806]: `tick` is 100us, which is not whole milliseconds; write it as 30s, 1m30s or 500ms
    tick: 5M
      sloburn.yaml:1:7: error[SB0806]: `tick` is 5M, and a month has no fixed length; write 5m if minutes are meant, else days, as 30d
    tick: 1h 1M
      sloburn.yaml:1:7: error[SB0806]: `tick` is 1h 1M, and a month has no fixed length; write 1h 1m if minutes are meant, else days, as 30d
    tick: 2d
      sloburn.yaml:1:7: error[SB0806]: `tick` is 2d, which is longer than a day; use at most 24h
    store: {history: 13M}
      sloburn.yaml:1:18: error[SB0806]: `store.history` is 13M, and a month has no fixed length; write 13m if minutes are meant, else days, as 30d
    tick:
      sloburn.yaml:1:5: error[SB0804]: `tick` has no value; give it one, or remove the line
    tick: [30s]
      sloburn.yaml:1:7: error[SB0804]: `tick` must be one value; write it on the same line, without brackets
    tick: 30s\nslot: 20s
      sloburn.yaml:2:7: error[SB0807]: `slot` is 20s, which does not divide the tick of 30s; write 30s, or remove the line
    tick: 30s\nlisten: 127.0.0.1:80\ntick: 15s
      sloburn.yaml:3:1: error[SB0803]: `tick` is set twice; it was set in line 1 already; remove one
    definitions: slo-definitions
      sloburn.yaml:1:14: error[SB0804]: `definitions` must be a list of paths; write `definitions: [slo-definitions]`
    definitions: [{a: b}]
      sloburn.yaml:1:14: error[SB0804]: `definitions` must be a list of paths; each of them is one path
    listen: 9099
      sloburn.yaml:1:9: error[SB0806]: `listen` is `9099`, not an address and a port; write 127.0.0.1:9099, or 0.0.0.0:9099 to be reached from elsewhere
    listen: ':9099'
      sloburn.yaml:1:9: error[SB0806]: `listen` is `:9099`, not an address and a port; write 127.0.0.1:9099, or 0.0.0.0:9099 to be reached from elsewhere
    listen: 127.0.0.1:http
      sloburn.yaml:1:9: error[SB0806]: `listen` is `127.0.0.1:http`, not an address and a port; write numbers for both, as 127.0.0.1:9099
    externalUrl: slo.example.com
      sloburn.yaml:1:14: error[SB0806]: `externalUrl` is `slo.example.com`, without http:// or https://; write http://slo.example.com
    externalUrl: https://slo.example.com/?a=b
      sloburn.yaml:1:14: error[SB0806]: `externalUrl` is `https://slo.example.com/?a=b`, which goes on after the path; end it before `?` or `#`
    log: {level: verbose}
      sloburn.yaml:1:14: error[SB0806]: `log.level` is `verbose`; write one of error, warn, info, debug, trace
    log: {level: inf}
      sloburn.yaml:1:14: error[SB0806]: `log.level` is `inf`; did you mean `info`?
    log: json
      sloburn.yaml:1:6: error[SB0804]: `log` must hold keys and values; write its `key: value` lines indented below `log:`
    log: {filter: sloburn=loud}
      sloburn.yaml:1:15: error[SB0806]: `log.filter` is `sloburn=loud`, which is no log filter; write it as debug, or as sloburn::source=trace,warn
    "#);
}

#[test]
fn what_is_no_yaml_or_stands_in_the_wrong_place_is_said_where_it_is() {
    insta::assert_snapshot!(told(&[
        "tick: 30s\n\tlisten: 127.0.0.1:80",
        "log:\n  level: info\n\tformat: json",
        "tick: 30s\n---\ntick: 30s",
        "- tick: 30s",
        "a: &a [*a]",
        "store:\n  sqlite: a.db\n   history: 30d",
        "log:\n  level:info\n  format: json",
        "definitions:\n- a\n-b",
        "listen: *:9099",
        "history: 30d",
        "prometheus: {url: 'http://a'}",
        "sources: {eu: {url: 'http://a'}}",
        "apiVersion: sloburn.dev/v1",
        "tick: \"30s",
    ]), @r#"
    tick: 30s\n\tlisten: 127.0.0.1:80
      sloburn.yaml:2:1: error[SB0801]: a tab stands where the line is indented; indent by spaces; YAML knows no tabs there
    log:\n  level: info\n\tformat: json
      sloburn.yaml:3:1: error[SB0801]: a tab stands where the line is indented; indent by spaces; YAML knows no tabs there
    tick: 30s\n---\ntick: 30s
      sloburn.yaml:3:1: error[SB0801]: a second document begins here, but there is one configuration
    - tick: 30s
      sloburn.yaml:1:1: error[SB0804]: the configuration must hold keys and values; write lines as `tick: 30s`
    a: &a [*a]
      sloburn.yaml:1:8: error[SB0801]: this cannot be read as YAML: recursive references require weak recursion types
    store:\n  sqlite: a.db\n   history: 30d
      sloburn.yaml:3:11: error[SB0801]: this line does not fit the lines above it; look at its indentation, and at a missing colon or space after one; a value with `: ` in it needs quotes
    log:\n  level:info\n  format: json
      sloburn.yaml:2:8: error[SB0801]: a space is missing after this colon; write `key: value`
    definitions:\n- a\n-b
      sloburn.yaml:3:1: error[SB0801]: a space is missing after this dash; write `- ` before each item of a list
    listen: *:9099
      sloburn.yaml:1:9: error[SB0801]: this alias names an anchor that is not above it in this document; write the anchor first, as in &name; a * at the start of a text needs quotes
    history: 30d
      sloburn.yaml:1:1: error[SB0802]: `history` is not a setting; it belongs below `store`
    prometheus: {url: 'http://a'}
      sloburn.yaml:1:1: error[SB0802]: `prometheus` is not a setting; it belongs below `sources.default`
    sources: {eu: {url: 'http://a'}}
      sloburn.yaml:1:16: error[SB0802]: `sources.eu.url` is not a setting; it belongs below `sources.eu.prometheus`
    apiVersion: sloburn.dev/v1
      sloburn.yaml:1:1: error[SB0802]: `apiVersion` is not a setting; a file of definitions or alerts is named with --definitions or --alerts
    tick: "30s
      sloburn.yaml:1:7: error[SB0801]: a quote is not closed; close it; inside of '…' a quote is written twice
    "#);
}

#[test]
fn what_is_wrong_with_a_source_is_said_in_a_sentence() {
    insta::assert_snapshot!(told(&[
        "sources: {default: {prometheus: {url: 'localhost:9090'}}}",
        "sources: {default: {prometheus: {url: 'ftp://localhost'}}}",
        "sources: {default: {prometheus: {url: 'http://me:pw@localhost'}}}",
        "sources: {default: {prometheus: {url: 'http://'}}}",
        "sources: {default: {prometheus: {url: 'http://a/prometheus/api/v1/'}}}",
        "sources: {default: {prometheus: {url: 'http://a/graph'}}}",
        "sources: {default: {prometheus: {url: 'http://a', matchers: env=prod}}}",
        "sources: {default: {prometheus: {timeout: 5s}}}",
        "sources: {default: {prometheus: {ulr: 'http://a'}}}",
        "sources: {default: {}}",
        "sources: {laptop: {scrape: {interval: 15s}}}",
        "sources: {my prometheus: {prometheus: {url: 'http://a'}}}",
        "sources: {a: {prometheus: {url: 'http://a', bearerToken: s3cret}}}",
        "sources: {a: {prometheus: {url: 'http://a', settle: 10s}}}",
        "sources: {a: {prometheus: {url: 'http://a', settle: 50s}}}",
        "sources: {a: {prometheus: {url: 'http://a', settle: 5h}}}",
        "tick: 7s\nsources: {a: {prometheus: {url: 'http://a', settle: 4h6s}}}",
        "tick: 6h\nsources: {a: {prometheus: {url: 'http://a', settle: 12h}}}",
        "sources: {a: {prometheus: {url: 'http://a', offset: 4h30m}}}",
        "sources: {a: {prometheus: {url: 'http://a', maxInFlight: 0}}}",
        "sources: {a: {prometheus: {url: 'http://a', maxBodyBytes: 128MiB}}}",
        "sources: {a: {prometheus: {url: 'http://a', linkUrl: 'https://g'}}}",
        "sources: {a: {prometheus: {url: 'http://a', headers: {'X Y': s3cret}}}}",
        "sources: {a: {prometheus: {url: 'http://a', headers: {X-Y: \"s3\\ncret\"}}}}",
        "sources: {a: {prometheus: {url: 'http://a', headers: {authorization: s3cret}, bearerTokenFile: f}}}",
        "sources: {a: {prometheus: {url: 'http://a', bearerTokenFile: f, basicAuthFile: g}}}",
        "sources: {a: {prometheus: {url: 'http://a', password: s3cret}}}",
    ]), @r#"
    sources: {default: {prometheus: {url: 'localhost:9090'}}}
      sloburn.yaml:1:39: error[SB0806]: `sources.default.prometheus.url` is `localhost:9090`, without http:// or https://; write http://localhost:9090
    sources: {default: {prometheus: {url: 'ftp://localhost'}}}
      sloburn.yaml:1:39: error[SB0806]: `sources.default.prometheus.url` is `ftp://localhost`, which is neither http nor https; write http://localhost
    sources: {default: {prometheus: {url: 'http://me:pw@localhost'}}}
      sloburn.yaml:1:39: error[SB0805]: `sources.default.prometheus.url` holds a user or a password; leave them out; name a file with user:password by `basicAuthFile`, or one with a token by `bearerTokenFile`
    sources: {default: {prometheus: {url: 'http://'}}}
      sloburn.yaml:1:39: error[SB0806]: `sources.default.prometheus.url` is `http://`, which is no address: empty host; write it as http://localhost:9090
    sources: {default: {prometheus: {url: 'http://a/prometheus/api/v1/'}}}
      sloburn.yaml:1:39: error[SB0806]: `sources.default.prometheus.url` is `http://a/prometheus/api/v1/`, which goes on after Prometheus' own address; leave out `/api/v1`
    sources: {default: {prometheus: {url: 'http://a/graph'}}}
      sloburn.yaml:1:39: error[SB0806]: `sources.default.prometheus.url` is `http://a/graph`, which goes on after Prometheus' own address; leave out `/graph`
    sources: {default: {prometheus: {url: 'http://a', matchers: env=prod}}}
      sloburn.yaml:1:61: error[SB0806]: `sources.default.prometheus.matchers` is `env=prod`, which cannot be read: the value of `env` is due in quotes, as in env="…"; write them as env="prod"
    sources: {default: {prometheus: {timeout: 5s}}}
      sloburn.yaml:1:43: error[SB0808]: `sources.default.prometheus.url` is missing; say where Prometheus is, as http://localhost:9090
    sources: {default: {prometheus: {ulr: 'http://a'}}}
      sloburn.yaml:1:34: error[SB0802]: `sources.default.prometheus.ulr` is not a setting; did you mean `url`?
    sources: {default: {}}
      sloburn.yaml:1:20: error[SB0804]: `sources.default` says nothing; write `prometheus: {url: http://…}` or `scrape: {targets: […]}` below it
    sources: {laptop: {scrape: {interval: 15s}}}
      sloburn.yaml:1:39: error[SB0808]: `sources.laptop.scrape.targets` names no page; write `targets: [{url: 'http://localhost:8080/metrics', labels: {job: checkout}}]`
    sources: {my prometheus: {prometheus: {url: 'http://a'}}}
      sloburn.yaml:1:11: error[SB0802]: `my prometheus` cannot be a name; use letters, digits, `-` and `_`
    sources: {a: {prometheus: {url: 'http://a', bearerToken: s3cret}}}
      sloburn.yaml:1:45: error[SB0805]: `sources.a.prometheus.bearerToken` would put a secret into this file; write it to a file of its own and name that with `bearerTokenFile`
    sources: {a: {prometheus: {url: 'http://a', settle: 10s}}}
      sloburn.yaml:1:53: error[SB0807]: `sources.a.prometheus.settle` is 10s, shorter than `offset`, which is 15s; write 30s
    sources: {a: {prometheus: {url: 'http://a', settle: 50s}}}
      sloburn.yaml:1:53: error[SB0807]: `sources.a.prometheus.settle` is 50s, not a whole number of ticks of 30s; write 1m
    sources: {a: {prometheus: {url: 'http://a', settle: 5h}}}
      sloburn.yaml:1:53: error[SB0807]: `sources.a.prometheus.settle` is 5h, longer than 4h; write 4h
    tick: 7s\nsources: {a: {prometheus: {url: 'http://a', settle: 4h6s}}}
      sloburn.yaml:2:53: error[SB0807]: `sources.a.prometheus.settle` is 4h 6s, longer than 4h; write 3h 59m 59s
    tick: 6h\nsources: {a: {prometheus: {url: 'http://a', settle: 12h}}}
      sloburn.yaml:2:53: error[SB0807]: `sources.a.prometheus.settle` is 12h, longer than 6h; write 6h
    sources: {a: {prometheus: {url: 'http://a', offset: 4h30m}}}
      sloburn.yaml:1:53: error[SB0806]: `sources.a.prometheus.offset` is 4h30m, which is longer than 4h; write how long after its time a sample can be read, as 15s
    sources: {a: {prometheus: {url: 'http://a', maxInFlight: 0}}}
      sloburn.yaml:1:58: error[SB0806]: `sources.a.prometheus.maxInFlight` is `0`, not a whole number from 1 to 1000; write 1 to 1000
    sources: {a: {prometheus: {url: 'http://a', maxBodyBytes: 128MiB}}}
      sloburn.yaml:1:59: error[SB0806]: `sources.a.prometheus.maxBodyBytes` is `128MiB`, not a whole number from 1 to 4294967296; write digits only
    sources: {a: {prometheus: {url: 'http://a', linkUrl: 'https://g'}}}
      sloburn.yaml:1:54: error[SB0806]: `sources.a.prometheus.linkUrl` is `https://g`, which has no place for the query; write {query} where it belongs
    sources: {a: {prometheus: {url: 'http://a', headers: {'X Y': s3cret}}}}
      sloburn.yaml:1:62: error[SB0806]: `sources.a.prometheus.headers.X Y` is not the name of an HTTP header; use printable ASCII
    sources: {a: {prometheus: {url: 'http://a', headers: {X-Y: "s3\ncret"}}}}
      sloburn.yaml:1:60: error[SB0806]: `sources.a.prometheus.headers.X-Y` does not hold the value of an HTTP header; use printable ASCII
    sources: {a: {prometheus: {url: 'http://a', headers: {authorization: s3cret}, bearerTokenFile: f}}}
      sloburn.yaml:1:70: error[SB0807]: `sources.a.prometheus.headers.authorization` says who is asking, and so does `bearerTokenFile`; remove one
    sources: {a: {prometheus: {url: 'http://a', bearerTokenFile: f, basicAuthFile: g}}}
      sloburn.yaml:1:62: error[SB0807]: `sources.a.prometheus.bearerTokenFile` says who is asking, and so does `basicAuthFile`; remove one
    sources: {a: {prometheus: {url: 'http://a', password: s3cret}}}
      sloburn.yaml:1:45: error[SB0805]: `sources.a.prometheus.password` would put a secret into this file; write it to a file of its own and name that with `basicAuthFile`
    "#);
}

#[test]
fn environment_and_flags_are_named_in_their_faults() {
    let variables = environment(&[
        ("SLOBURN_TICK", "30"),
        ("SLOBURN_LISEN", "127.0.0.1:1"),
        ("SLOBURN_PROMETHEUS_HEADERS", "s3cret"),
        ("SLOBURN_PROMETHEUS_MAX_IN_FLIGHT", "many"),
    ]);
    let flags = Flags {
        prometheus: Some("localhost:9090".to_owned()),
        log_format: Some("text".to_owned()),
        ..Flags::default()
    };
    insta::assert_snapshot!(lines(Config::from_layers(None, &variables, &flags)), @r"
    error[SB0802]: SLOBURN_LISEN: this variable is not a setting; did you mean SLOBURN_LISTEN?
    error[SB0804]: SLOBURN_PROMETHEUS_HEADERS: `sources.default.prometheus.headers` must be pairs; write name=value,name=value
    error[SB0806]: --log-format: `log.format` is `text`; write one of human, json
    error[SB0806]: --prometheus: `sources.default.prometheus.url` is `localhost:9090`, without http:// or https://; write http://localhost:9090
    error[SB0806]: SLOBURN_PROMETHEUS_MAX_IN_FLIGHT: `sources.default.prometheus.maxInFlight` is `many`, not a whole number from 1 to 1000; write digits only
    error[SB0806]: SLOBURN_TICK: `tick` is 30, without a unit; write 30s if seconds are meant
    ");
}

#[test]
fn every_fault_of_every_layer_is_told_at_once() {
    let file = (
        Path::new("sloburn.yaml"),
        "tik: 30s\nlisten: here\nlog: {level: loud, colour: red}\n",
    );
    let variables = environment(&[("SLOBURN_STOER", "x.db"), ("SLOBURN_TICK", "soon")]);
    insta::assert_snapshot!(lines(Config::from_layers(Some(file), &variables, &Flags::default())), @r"
    error[SB0802]: SLOBURN_STOER: this variable is not a setting; did you mean SLOBURN_STORE?
    error[SB0806]: SLOBURN_TICK: `tick` is not a length of time: `soon`; write it as 30s, 1m30s or 500ms
    sloburn.yaml:1:1: error[SB0802]: `tik` is not a setting; did you mean `tick`?
    sloburn.yaml:2:9: error[SB0806]: `listen` is `here`, not an address and a port; write numbers for both, as 127.0.0.1:9099
    sloburn.yaml:3:14: error[SB0806]: `log.level` is `loud`; write one of error, warn, info, debug, trace
    sloburn.yaml:3:20: error[SB0802]: `log.colour` is not a setting; here may stand: level, format, filter
    ");
}
