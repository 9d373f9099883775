//! What selects by labels finds the daemon's pod, and not the pod that tests it.

use serde_json::Value;

use super::helm::Helm;
use super::manifest::{find, objects};
use super::renders::cases;

fn selects(selector: &Value, labels: &Value) -> bool {
    let wanted = selector.as_object().expect("a selector has labels");
    assert!(!wanted.is_empty(), "an empty one would select everything");
    wanted.iter().all(|(name, value)| labels[name] == *value)
}

#[test]
fn selectors_find_the_daemon_and_nothing_else() {
    let Some([helm, _]) = Helm::both() else {
        return;
    };
    for (values, path) in cases() {
        let rendered = objects(&helm.render(&path));
        let of_kind = |kind: &str| rendered.iter().find(|object| object["kind"] == kind);
        let stateful_set = of_kind("StatefulSet").expect("there is one");
        let daemon = &stateful_set["spec"]["template"]["metadata"]["labels"];
        let test = &of_kind("Pod").expect("there is one")["metadata"]["labels"];
        for (kind, selector) in [
            ("StatefulSet", "/spec/selector/matchLabels"),
            ("Service", "/spec/selector"),
            ("NetworkPolicy", "/spec/podSelector/matchLabels"),
            ("PodDisruptionBudget", "/spec/selector/matchLabels"),
        ] {
            let Some(object) = of_kind(kind) else {
                continue;
            };
            let selector = object.pointer(selector).expect("it selects something");
            assert!(selects(selector, daemon), "{values}: {kind}");
            assert!(!selects(selector, test), "{values}: {kind}");
        }
        if let Some(monitor) = of_kind("ServiceMonitor") {
            let service = &of_kind("Service").expect("there is one")["metadata"]["labels"];
            assert!(selects(
                &monitor["spec"]["selector"]["matchLabels"],
                service
            ));
        }
    }
}

/// The policy that keeps others out lets the pod of `helm test` in.
#[test]
fn the_test_passes_the_network_policy() {
    let Some([helm, _]) = Helm::both() else {
        return;
    };
    let (_, path) = cases()
        .into_iter()
        .find(|(name, _)| name == "guarded")
        .expect("it is among the cases");
    let rendered = objects(&helm.render(&path));
    let from = find(&rendered, "NetworkPolicy/sloburn")["spec"]["ingress"][0]["from"].clone();
    let test = &find(&rendered, "Pod/sloburn-test")["metadata"]["labels"];
    let peers = from.as_array().expect("others are kept out");
    assert!(peers.iter().any(|peer| {
        let labels = &peer["podSelector"]["matchLabels"];
        !labels.is_null() && selects(labels, test)
    }));
}
