//! The pod that the chart renders, run for real: on a fresh install, through changed definitions, to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::api::{Api, PATIENCE, POLL};
use super::helm::{Helm, chart};
use super::manifest::{find, objects, pod_of};
use super::names::NameServer;
use super::pod::Container;
use super::prometheus::SecurePrometheus;
use super::stored::{Stored, files_of};
use super::volume::Files;
use crate::support::static_binary::static_binary;
use crate::support::tools::free_port;

const PROMETHEUS: &str = "prometheus.monitoring.svc";

/// The chart's own test finds the daemon ready.
async fn passes(mut test: Container, daemon: &Container) {
    test.start();
    let ended = test.ended().await;
    assert!(ended.success(), "{}{}", test.log(), daemon.log());
    let ready = "ready: evaluates 0 instances of objectives every 1s\n";
    assert_eq!(test.log(), ready);
}

#[tokio::test]
async fn the_rendered_pod_starts_empty_follows_its_definitions_and_stops() {
    let (Some(binary), Some([helm, _])) = (static_binary(), Helm::both()) else {
        return;
    };
    let Some(prometheus) = SecurePrometheus::start(PROMETHEUS).await else {
        return;
    };
    let names = NameServer::start(&[PROMETHEUS]);
    let port = free_port();
    let values = format!(
        "tick: 1s
prometheus: {{url: 'https://{PROMETHEUS}:{}', bearerToken: {{secretName: prometheus}}, scrapeInterval: 1s, offset: 1s, settle: 10s}}
ca: {{configMapName: authorities, key: root.pem}}
slack: {{channel: '#slo', token: {{secretName: slack, key: bot}}}}
service: {{port: {port}}}
",
        prometheus.port
    );
    let rendered = render(&helm, &values, &[]);
    let mut stored = Stored::default();
    stored.add("authorities", "root.pem", &prometheus.authority());
    stored.add("prometheus", "token", "none is asked for");
    stored.add("slack", "bot", "xoxb-nobody-is-told");
    let pod = pod_of(find(&rendered, "StatefulSet/sloburn"));
    let volumes = stored.volumes(&pod, &rendered);
    let world = ("127.0.0.1 localhost sloburn\n", names.address);
    let mut daemon = Container::prepare((&pod, &volumes), &binary, world);
    let root = daemon.root();
    daemon.start();

    let api = Api(([127, 0, 0, 1], port).into());
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        api.passes(&pod["spec"]["containers"][0], probe, &mut daemon)
            .await;
    }
    assert_eq!(daemon.kernel_says("Uid:"), "65532 65532 65532 65532");
    assert_eq!(daemon.kernel_says("Groups:"), "");
    assert_eq!(daemon.kernel_says("CapEff:"), "0000000000000000");
    let test = find(&rendered, "Pod/sloburn-test");
    let test = Container::prepare((test, &BTreeMap::new()), &binary, world);
    passes(test, &daemon).await;
    assert_eq!(
        api.objectives().await,
        BTreeSet::new(),
        "a fresh install watches nothing yet"
    );

    let all = |release: &str| ["a", "b"].map(|service| format!("{service}/{release}"));
    let mut seen = follow(&api, &daemon, &all("first"), || {
        let definitions = definitions(&helm, &values, "first");
        daemon.publish("definitions", &definitions);
    })
    .await;
    seen.extend(
        follow(&api, &daemon, &all("second"), || {
            daemon.publish("definitions", &definitions(&helm, &values, "second"));
        })
        .await,
    );
    let whole: Vec<BTreeSet<String>> =
        [BTreeSet::new(), all("first").into(), all("second").into()].into();
    assert!(
        seen.iter().all(|seen| whole.contains(seen)),
        "a half-written set was loaded: {seen:?}"
    );

    let mut half = definitions(&helm, &values, "third");
    let cut = half.get_mut("b.yaml").expect("it was rendered");
    cut.truncate(cut.len() / 2);
    daemon.publish("definitions", &half);
    api.until(&daemon, "/api/v1/configuration", "a refusal", |answer| {
        !answer["refused"].is_null()
    })
    .await;
    assert_eq!(
        api.objectives().await,
        all("second").into(),
        "the old set stays in force"
    );
    follow(&api, &daemon, &all("third"), || {
        daemon.publish("definitions", &definitions(&helm, &values, "third"));
    })
    .await;
    api.until(&daemon, "/api/v1/slos", "measurements of all", |answer| {
        let all = answer["items"].as_array().expect("a list");
        all.iter()
            .all(|slo| slo["measurement"]["outcome"] == "measured")
    })
    .await;
    assert!(
        names.asked().contains(PROMETHEUS),
        "the name was asked of the name server"
    );

    assert!(daemon.is_running(), "it was never restarted");
    daemon.terminate();
    assert!(daemon.ended().await.success(), "{}", daemon.log());
    assert!(daemon.log().contains("sloburn stopped"), "{}", daemon.log());
    let store =
        fs::metadata(daemon.volume("data").join("sloburn.db")).expect("the store is on the volume");
    assert_eq!((store.uid(), store.gid()), (65_532, 65_532));
    assert_eq!(daemon.root(), root, "nothing was written anywhere else");
}

/// The objects of the chart with `values` and what is `set` on the command line.
fn render(helm: &Helm, values: &str, set: &[&str]) -> Vec<Value> {
    let file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    fs::write(file.path(), values).expect("it can be written");
    let (chart, file) = (chart(), file.path().to_string_lossy().into_owned());
    let chart = chart.to_string_lossy();
    let arguments = [
        "template",
        "sloburn",
        &chart,
        "--namespace",
        "slo",
        "--values",
        &file,
    ];
    objects(&helm.expect(&[&arguments, set].concat(), None))
}

/// The rendered files of two services, each with one objective that is named after the release.
fn definitions(helm: &Helm, values: &str, release: &str) -> Files {
    let file = |service: &str| {
        format!(
            "{service}.yaml:
    apiVersion: sloburn.dev/v1
    kind: ServiceObjectives
    metadata: {{name: {service}}}
    spec:
      window: 7d
      objectives:
        - {{name: {release}, objective: 99%, errors: {{total: prometheus_http_requests_total, badWhere: 'code=~\"5..\"'}}}}
"
        )
    };
    let values = format!("{values}definitions:\n  {}  {}", file("a"), file("b"));
    files_of(find(
        &render(helm, &values, &[]),
        "ConfigMap/sloburn-definitions",
    ))
}

/// Changes something and waits until the objectives are those; what they were until then.
async fn follow(
    api: &Api,
    daemon: &Container,
    wanted: &[String],
    change: impl FnOnce(),
) -> Vec<BTreeSet<String>> {
    let (wanted, deadline) = (wanted.iter().cloned().collect(), Instant::now() + PATIENCE);
    change();
    let mut seen = Vec::new();
    loop {
        let now = api.objectives().await;
        let is_done = now == wanted;
        assert!(
            is_done || Instant::now() < deadline,
            "never {wanted:?}, but {now:?}:\n{}",
            daemon.log()
        );
        seen.push(now);
        if is_done {
            return seen;
        }
        sleep(POLL).await;
    }
}
