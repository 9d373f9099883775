//! The pod that the chart renders, run for real: on a fresh install, through changed definitions, to its end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::helm::{Helm, chart};
use super::manifest::{find, objects, pod_of};
use super::pod::{Container, Files};
use super::prometheus::{NameServer, SecurePrometheus};
use crate::support::static_binary::static_binary;
use crate::support::tools::{free_port, get};

/// Long, since a busy machine of two cores may build something beside the tests.
const PATIENCE: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(100);
const PROMETHEUS: &str = "prometheus.monitoring.svc";

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
    let mut test = Container::prepare((test, &BTreeMap::new()), &binary, world);
    test.start();
    let ended = test.ended().await;
    assert!(ended.success(), "{}{}", test.log(), daemon.log());
    assert_eq!(test.log(), "ready: evaluates 0 objectives every 1s\n");
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
        daemon.publish("definitions", &definitions(&helm, &values, "third"))
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

fn files_of(config_map: &Value) -> Files {
    let data = config_map["data"].as_object().into_iter().flatten();
    data.map(|(name, text)| {
        (
            name.clone(),
            text.as_str().expect("data are text").to_owned(),
        )
    })
    .collect()
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

/// ConfigMaps and secrets that are there already: their files, by name.
#[derive(Debug, Default)]
struct Stored(BTreeMap<String, Files>);

impl Stored {
    fn add(&mut self, name: &str, key: &str, text: &str) {
        self.0
            .entry(name.to_owned())
            .or_default()
            .insert(key.to_owned(), text.to_owned());
    }

    /// What lies in each volume of `pod`.
    fn volumes(&self, pod: &Value, rendered: &[Value]) -> BTreeMap<String, Files> {
        let mut volumes = BTreeMap::new();
        for volume in pod["spec"]["volumes"]
            .as_array()
            .expect("the pod has volumes")
        {
            let projected = volume["projected"]["sources"].as_array();
            let parts: Vec<&Value> =
                projected.map_or_else(|| vec![volume], |parts| parts.iter().collect());
            let files: Option<Files> = parts
                .iter()
                .map(|part| self.files(part, rendered))
                .collect::<Option<Vec<_>>>()
                .map(|all| all.into_iter().flatten().collect());
            if let Some(files) = files {
                volumes.insert(
                    volume["name"]
                        .as_str()
                        .expect("a volume has a name")
                        .to_owned(),
                    files,
                );
            }
        }
        volumes
    }

    fn files(&self, part: &Value, rendered: &[Value]) -> Option<Files> {
        let from = [&part["configMap"], &part["secret"]]
            .into_iter()
            .find(|from| !from.is_null())?;
        let name = from["name"]
            .as_str()
            .or(from["secretName"].as_str())
            .expect("it has a name");
        let all = match self.0.get(name) {
            Some(files) => files.clone(),
            None => files_of(find(rendered, &format!("ConfigMap/{name}"))),
        };
        let Some(items) = from["items"].as_array() else {
            return Some(all);
        };
        let item = |item: &Value| {
            let text = |key: &str| {
                item[key]
                    .as_str()
                    .expect("an item has key and path")
                    .to_owned()
            };
            (
                text("path"),
                all.get(&text("key")).expect("the key is there").clone(),
            )
        };
        Some(items.iter().map(item).collect())
    }
}

/// Where the daemon answers.
struct Api(SocketAddr);

impl Api {
    async fn json(&self, path: &str) -> Option<Value> {
        let reply = get(self.0, path).await.ok()?;
        let (_, body) = reply.split_once("\r\n\r\n")?;
        serde_json::from_str(body).ok()
    }

    async fn objectives(&self) -> BTreeSet<String> {
        let answer = self.json("/api/v1/slos").await.expect("the daemon answers");
        let items = answer["items"].as_array().expect("a list").iter();
        items
            .map(|slo| slo["id"].as_str().expect("it has a name").to_owned())
            .collect()
    }

    async fn until(
        &self,
        daemon: &Container,
        path: &str,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.json(path).await.expect("the daemon answers");
            if wanted(&answer) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{path} never showed {what}, but {answer:#}\n{}",
                daemon.log()
            );
            sleep(POLL).await;
        }
    }

    /// Asks as the probe says until it succeeds.
    async fn passes(&self, container: &Value, probe: &str, daemon: &mut Container) {
        let asked = &container[probe]["httpGet"];
        let port = container["ports"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|port| port["name"] == asked["port"]);
        assert_eq!(
            port.expect("the port has a name")["containerPort"],
            self.0.port()
        );
        let path = asked["path"].as_str().expect("a probe has a path");
        let deadline = Instant::now() + PATIENCE;
        while !get(self.0, path)
            .await
            .is_ok_and(|reply| reply.starts_with("HTTP/1.0 200"))
        {
            assert!(daemon.is_running(), "it ended:\n{}", daemon.log());
            assert!(
                Instant::now() < deadline,
                "{probe} never passed:\n{}",
                daemon.log()
            );
            sleep(POLL).await;
        }
    }
}
