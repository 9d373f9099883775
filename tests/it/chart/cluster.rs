//! A real cluster takes what the chart renders, strictly; both Helms install, upgrade, test and uninstall it there.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::helm::{Helm, chart};
use super::manifest::{find, name, objects, pod_of};
use super::renders::cases;
use crate::support::cluster::Cluster;

const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);
/// Enforces the profile *restricted*.
const NAMESPACE: &str = "slo";

/// One cluster for all of it, since starting one is what costs.
#[tokio::test]
async fn a_cluster_takes_the_chart() {
    let (Some(helms), Some(cluster)) = (Helm::both(), Cluster::start().await) else {
        return;
    };
    cluster.namespace(NAMESPACE).await;
    know_service_monitors(&cluster).await;
    let [three, four] = &helms;
    for (values, path) in cases() {
        let rendered = objects(&three.render(&path));
        for object in &rendered {
            let (status, answer) = try_to_make(&cluster, object).await;
            assert_eq!(
                status,
                201,
                "{values}: {}: {}",
                name(object),
                answer["message"]
            );
        }
    }
    // OpenShift chooses the ids; everyone else has those of the image.
    let rendered = objects(&three.render(&cases()[0].1));
    for pod in [
        pod_of(find(&rendered, "StatefulSet/sloburn")),
        find(&rendered, "Pod/sloburn-test").clone(),
    ] {
        is_as_restricted_as_asked(&cluster, &pod).await;
    }
    for helm in [three, four] {
        release(&cluster, helm).await;
    }
}

/// Asks the cluster to check everything and keep nothing; keys that it does not know are refused.
async fn try_to_make(cluster: &Cluster, object: &Value) -> (u16, Value) {
    let kind = object["kind"].as_str().expect("an object has a kind");
    let (group, plural) = match kind {
        "ConfigMap" => ("api/v1", "configmaps"),
        "Service" => ("api/v1", "services"),
        "ServiceAccount" => ("api/v1", "serviceaccounts"),
        "Pod" => ("api/v1", "pods"),
        "StatefulSet" => ("apis/apps/v1", "statefulsets"),
        "NetworkPolicy" => ("apis/networking.k8s.io/v1", "networkpolicies"),
        "Ingress" => ("apis/networking.k8s.io/v1", "ingresses"),
        "PodDisruptionBudget" => ("apis/policy/v1", "poddisruptionbudgets"),
        "ServiceMonitor" => ("apis/monitoring.coreos.com/v1", "servicemonitors"),
        other => panic!("where are objects of kind {other} made? say it here"),
    };
    let path =
        format!("/{group}/namespaces/{NAMESPACE}/{plural}?dryRun=All&fieldValidation=Strict");
    cluster.ask(Method::POST, &path, object).await
}

/// The pod is admitted, and without any one of the things that the profile asks for it is not.
async fn is_as_restricted_as_asked(cluster: &Cluster, pod: &Value) {
    let (status, answer) = try_to_make(cluster, pod).await;
    assert_eq!(status, 201, "{}: {}", name(pod), answer["message"]);
    let (in_pod, in_container) = (
        "/spec/securityContext",
        "/spec/containers/0/securityContext",
    );
    let root = Some(json!(0));
    for (path, key, becomes) in [
        (in_pod, "runAsNonRoot", None),
        (in_pod, "seccompProfile", None),
        (in_pod, "runAsUser", root),
        (in_container, "allowPrivilegeEscalation", None),
        (in_container, "capabilities", None),
        (
            in_container,
            "capabilities",
            Some(json!({"drop": ["ALL"], "add": ["NET_RAW"]})),
        ),
        (
            "/spec",
            "volumes",
            Some(json!([{"name": "host", "hostPath": {"path": "/"}}])),
        ),
        ("/spec", "hostNetwork", Some(json!(true))),
    ] {
        let mut weaker = pod.clone();
        if key == "volumes" {
            weaker["spec"]["containers"][0]["volumeMounts"] = json!([]);
        }
        let keys = weaker
            .pointer_mut(path)
            .and_then(Value::as_object_mut)
            .expect("it is there");
        match becomes {
            None => drop(keys.remove(key).expect("the chart sets it")),
            Some(value) => drop(keys.insert(key.to_owned(), value)),
        }
        let (status, answer) = try_to_make(cluster, &weaker).await;
        let why = answer["message"].as_str().unwrap_or_default();
        assert!(
            status == 403 && why.contains("restricted"),
            "{} with another {path}/{key}: {status} {why}",
            name(pod)
        );
    }
}

/// Keys of the operator's that the chart uses; unknown ones are refused.
async fn know_service_monitors(cluster: &Cluster) {
    let text = json!({"type": "string"});
    let texts = json!({"type": "object", "additionalProperties": text});
    let endpoint = json!({"type": "object", "properties": {
        "port": text, "path": text, "interval": text, "scrapeTimeout": text, "honorLabels": {"type": "boolean"}}});
    let spec = json!({"type": "object", "required": ["selector", "endpoints"], "properties": {
        "selector": {"type": "object", "properties": {"matchLabels": texts}},
        "endpoints": {"type": "array", "items": endpoint}}});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "servicemonitors.monitoring.coreos.com"},
        "spec": {
            "group": "monitoring.coreos.com", "scope": "Namespaced",
            "names": {"kind": "ServiceMonitor", "plural": "servicemonitors", "singular": "servicemonitor", "listKind": "ServiceMonitorList"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}}]}});
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let (status, answer) = cluster.ask(Method::POST, path, &definition).await;
    assert_eq!(status, 201, "{answer:#}");
    let deadline = Instant::now() + PATIENCE;
    while cluster
        .ask(
            Method::GET,
            "/apis/monitoring.coreos.com/v1/servicemonitors",
            &Value::Null,
        )
        .await
        .0
        != 200
    {
        assert!(
            Instant::now() < deadline,
            "the cluster never served what was defined"
        );
        sleep(POLL).await;
    }
}

/// The whole life of a release.
async fn release(cluster: &Cluster, helm: &Helm) {
    let kubeconfig = cluster.kubeconfig();
    let chart = chart();
    let chart = chart.to_string_lossy();
    let run = |arguments: &[&str]| {
        helm.expect(
            &[arguments, &["--namespace", NAMESPACE]].concat(),
            Some(&kubeconfig),
        )
    };
    let url = "prometheus.url=http://prometheus-server.monitoring";
    let notes = run(&["install", "sloburn", &chart, "--set", url]);
    assert!(notes.contains("There are no objectives yet"), "{notes}");
    let installed = stateful_set(cluster).await;
    let objective = "definitions.checkout\\.yaml=apiVersion: sloburn.dev/v1";
    run(&[
        "upgrade",
        "sloburn",
        &chart,
        "--reset-then-reuse-values",
        "--set",
        objective,
    ]);
    let upgraded = stateful_set(cluster).await;
    assert_eq!(
        installed["metadata"]["generation"], upgraded["metadata"]["generation"],
        "definitions restart nothing"
    );
    let path = format!("/api/v1/namespaces/{NAMESPACE}/configmaps/sloburn-definitions");
    let (_, definitions) = cluster.ask(Method::GET, &path, &Value::Null).await;
    assert_eq!(
        definitions["data"],
        json!({"checkout.yaml": "apiVersion: sloburn.dev/v1"})
    );
    everything_by_upgrade(&chart, &run);
    test(cluster, helm, &kubeconfig).await;
    run(&["uninstall", "sloburn"]);
    for kind in [
        "api/v1/namespaces/slo/configmaps",
        "apis/apps/v1/namespaces/slo/statefulsets",
        "api/v1/namespaces/slo/pods",
    ] {
        let (_, left) = cluster
            .ask(
                Method::GET,
                &format!("/{kind}?labelSelector=app.kubernetes.io%2Fname%3Dsloburn"),
                &Value::Null,
            )
            .await;
        assert_eq!(left["items"], json!([]), "{} leaves {kind}", helm.name);
    }
}

async fn stateful_set(cluster: &Cluster) -> Value {
    let path = format!("/apis/apps/v1/namespaces/{NAMESPACE}/statefulsets/sloburn");
    let (status, found) = cluster.ask(Method::GET, &path, &Value::Null).await;
    assert_eq!(status, 200, "{found:#}");
    found
}

/// From any values to any others that keep the volume: nothing that may not change is changed.
fn everything_by_upgrade(chart: &str, run: &impl Fn(&[&str]) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/chart/values");
    for values in ["slack", "secrets", "guarded", "scheduling", "extras"] {
        let file = folder.join(format!("{values}.yaml"));
        assert!(fs::exists(&file).is_ok_and(|is_there| is_there));
        run(&[
            "upgrade",
            "sloburn",
            chart,
            "--reset-values",
            "--values",
            &file.to_string_lossy(),
        ]);
    }
}

/// `helm test` makes the pod and waits for its end, which is told here, as no kubelet is there to tell it.
async fn test(cluster: &Cluster, helm: &Helm, kubeconfig: &Path) {
    let arguments = [
        "test",
        "sloburn",
        "--namespace",
        NAMESPACE,
        "--timeout",
        "2m",
    ];
    let mut helm_test = helm.command(&arguments, Some(kubeconfig));
    let mut running = helm_test
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Helm can be run");
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/sloburn-test");
    let deadline = Instant::now() + PATIENCE;
    while cluster.ask(Method::GET, &path, &Value::Null).await.0 != 200 {
        let has_ended = running
            .try_wait()
            .expect("Helm's state can be read")
            .is_some();
        assert!(
            !has_ended && Instant::now() < deadline,
            "{} makes no pod",
            helm.name
        );
        sleep(POLL).await;
    }
    let ended = json!({"status": {"phase": "Succeeded"}});
    let (status, answer) = cluster
        .ask(Method::PATCH, &format!("{path}/status"), &ended)
        .await;
    assert_eq!(status, 200, "{answer:#}");
    let output = tokio::task::spawn_blocking(move || running.wait_with_output()).await;
    let output = output
        .expect("waiting does not panic")
        .expect("Helm can be waited for");
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(
        output.status.success() && told.contains("Succeeded"),
        "{}: {told}",
        helm.name
    );
}
