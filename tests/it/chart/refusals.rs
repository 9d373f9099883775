//! Values that are wrong: refused by both Helms, with the key named.

use std::fmt::Write as _;

use super::helm::Helm;

/// Values and what a refusal has to name.
const WRONG: &[(&str, &str)] = &[
    ("prometheus: {url: http://p, urls: [a]}", "urls"),
    ("prometheus: {url: http://p, timeout: 10}", "timeout"),
    (
        "prometheus: {url: http://p, bearerToken: {secret: a}}",
        "secret",
    ),
    (
        "prometheus: {url: http://p, linkUrl: https://grafana.example.com}",
        "linkUrl",
    ),
    ("prometheuss: {url: http://p}", "prometheuss"),
    ("replicas: two", "replicas"),
    ("tick: 30", "tick"),
    ("prometheus: {url: http://p, backfill: much}", "backfill"),
    ("prometheus: {url: http://p, partial: drop}", "partial"),
    ("store: {history: 400}", "history"),
    ("log: {level: verbose}", "level"),
    ("definitions: {checkout.txt: text}", "checkout.txt"),
    ("secrets: {key: {secretName: a}}", "key"),
    ("service: {port: 80}", "port"),
    ("image: {digest: sha256:123}", "digest"),
    ("persistence: {size: large}", "size"),
    ("podSecurityContext: {runAsNonRot: true}", "runAsNonRot"),
    ("networkPolicy: {receiverPorts: [https]}", "receiverPorts"),
    ("resources: {limit: {memory: 1Gi}}", "limit"),
    (
        "terminationGracePeriodSeconds: 5",
        "terminationGracePeriodSeconds",
    ),
    ("existingDefinitions: team-a", "existingDefinitions"),
    ("livenessProbe: {httpGet: {path: /}}", "httpGet"),
];

/// Values that fit the schema and yet can make no daemon, and how the refusal begins.
const IMPOSSIBLE: &[(&str, &str)] = &[
    ("{}", "prometheus.url is not set: say where Prometheus is"),
    (
        "{prometheus: {url: http://p}, replicas: 2}",
        "replicas is 2: there can be one daemon only",
    ),
    (
        "{prometheus: {url: http://p}, replicas: 0}",
        "replicas is 0: there can be one daemon only",
    ),
    (
        "{prometheus: {url: http://p}, slack: {channel: a}}",
        "slack.channel is set, but slack.token.secretName is not",
    ),
    (
        "{prometheus: {url: http://p}, moreSources: {default: {url: http://q}}}",
        "moreSources.default: the source `default` is described by `prometheus`",
    ),
    (
        "{prometheus: {url: http://p}, moreSources: {eu: {timeout: 5s}}}",
        "moreSources.eu.url is not set",
    ),
    (
        "{prometheus: {url: 'prometheus:9090'}}",
        "prometheus.url is prometheus:9090, without http:// or https://: write http://prometheus:9090",
    ),
    (
        "{prometheus: {url: http://p}, moreSources: {eu: {url: q}}}",
        "moreSources.eu.url is q, without http:// or https://: write http://q",
    ),
    (
        "{prometheus: {url: 'http://me:secret@p'}}",
        "prometheus.url is no address of a Prometheus: write it as http://prometheus-server.monitoring, without a user",
    ),
    (
        "{prometheus: {url: http://p, bearerToken: {secretName: a}, basicAuth: {secretName: b}}}",
        "the source default has both bearerToken and basicAuth",
    ),
    (
        "{prometheus: {url: http://p}, ca: {configMapName: a, secretName: b}}",
        "ca.configMapName and ca.secretName are both set",
    ),
];

#[test]
fn wrong_values_are_refused_by_the_schema_of_both_helms() {
    let Some(helms) = Helm::both() else { return };
    let mut told = String::new();
    for (values, key) in WRONG {
        writeln!(told, "{values}").unwrap();
        for helm in &helms {
            let refusal = helm.refusal(values);
            let (_, refusal) = refusal
                .split_once("meet the specifications of the schema(s) in the following chart(s):")
                .unwrap_or_else(|| {
                    panic!(
                        "{} refuses {values} without the schema: {refusal}",
                        helm.name
                    )
                });
            let refusal = refusal.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                refusal.contains(key),
                "{} does not name {key}: {refusal}",
                helm.name
            );
            writeln!(told, "  {}: {refusal}", helm.name).unwrap();
        }
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("refusals", told));
}

#[test]
fn what_can_make_no_daemon_is_refused_in_a_sentence() {
    let Some(helms) = Helm::both() else { return };
    for (values, sentence) in IMPOSSIBLE {
        for helm in &helms {
            let refusal = helm.refusal(values);
            assert!(
                refusal.contains(sentence),
                "{}: {values}: {refusal}",
                helm.name
            );
        }
    }
}
