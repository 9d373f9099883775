//! Rendered text as objects.

use serde::Deserialize as _;
use serde_json::Value;

/// All objects of a rendered text, in their order.
pub(super) fn objects(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).expect("an object is YAML"))
        .filter(|object| !object.is_null())
        .collect()
}

/// `Kind/name`.
pub(super) fn name(object: &Value) -> String {
    let text = |value: &Value| {
        value
            .as_str()
            .expect("an object has kind and name")
            .to_owned()
    };
    format!(
        "{}/{}",
        text(&object["kind"]),
        text(&object["metadata"]["name"])
    )
}

/// The object of this `Kind/name`.
pub(super) fn find<'a>(objects: &'a [Value], wanted: &str) -> &'a Value {
    let found = objects.iter().find(|object| name(object) == wanted);
    found.unwrap_or_else(|| panic!("there is no {wanted}"))
}

/// The pod that a StatefulSet would make.
pub(super) fn pod_of(stateful_set: &Value) -> Value {
    let template = &stateful_set["spec"]["template"];
    let mut pod = serde_json::json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": template["metadata"], "spec": template["spec"],
    });
    pod["metadata"]["name"] = "sloburn-0".into();
    pod["metadata"]["namespace"] = stateful_set["metadata"]["namespace"].clone();
    // The controller adds a volume for each template of a claim.
    for claim in stateful_set["spec"]["volumeClaimTemplates"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let name = &claim["metadata"]["name"];
        let volume = serde_json::json!({"name": name, "persistentVolumeClaim": {"claimName": "data-sloburn-0"}});
        pod["spec"]["volumes"]
            .as_array_mut()
            .expect("the pod has volumes")
            .push(volume);
    }
    pod
}
