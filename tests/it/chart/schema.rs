//! The schema says all that the values may be: it lets no key through that nobody reads.

use std::fs;

use serde_json::Value;

use super::helm::chart;

fn schema() -> Value {
    let text =
        fs::read_to_string(chart().join("values.schema.json")).expect("the schema can be read");
    serde_json::from_str(&text).expect("the schema is JSON")
}

/// Every schema of an object says which keys there may be, or that Kubernetes knows better.
#[test]
fn no_object_takes_keys_that_nobody_knows() {
    fn open(schema: &Value, path: &str, found: &mut Vec<String>) {
        let Some(keys) = schema.as_object() else {
            return;
        };
        let is_object = match &keys.get("type") {
            Some(Value::String(kind)) => kind == "object",
            _ => false,
        };
        if is_object && !keys.contains_key("additionalProperties") && !keys.contains_key("$comment")
        {
            found.push(path.to_owned());
        }
        for (key, below) in keys {
            match below {
                Value::Object(_) => open(below, &format!("{path}/{key}"), found),
                Value::Array(all) => all
                    .iter()
                    .for_each(|one| open(one, &format!("{path}/{key}"), found)),
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    open(&schema(), "", &mut found);
    assert!(found.is_empty(), "{found:?}");
    assert_eq!(
        schema()["$schema"],
        "http://json-schema.org/draft-07/schema#"
    );
}

/// What the daemon can be told, the chart can tell it: files are secrets, and where it keeps its store
/// and listens is the chart's own.
#[test]
fn every_setting_of_the_daemon_is_a_value() {
    let schema = schema();
    let own = ["store.sqlite", "listen"];
    for (_, key) in sloburn::config::variables() {
        let is_setting = !key.contains(' ') && !key.contains(".scrape.");
        if !is_setting || own.contains(&key.as_str()) {
            continue;
        }
        let (root, key) = match key.strip_prefix("sources.default.prometheus.") {
            Some(key) => (&schema["definitions"]["source"], key),
            None => (&schema, key.as_str()),
        };
        let mut below = root;
        for part in key.split('.') {
            below = &below["properties"][part.trim_end_matches("File")];
        }
        assert!(below.is_object(), "{key} is in no schema");
    }
}

/// Keys of the values and of the schema, but for those that belong to a chart around this one.
#[test]
fn schema_and_values_have_the_same_keys() {
    fn same(values: &Value, schema: &Value, root: &Value, path: &str) {
        let reference = schema["$ref"]
            .as_str()
            .and_then(|to| root.pointer(to.trim_start_matches('#')));
        let schema = reference.unwrap_or(schema);
        let (Some(values), Some(properties)) =
            (values.as_object(), schema["properties"].as_object())
        else {
            return;
        };
        for (key, value) in values {
            let below = properties.get(key);
            let below = below.unwrap_or_else(|| panic!("{path}.{key} is not in the schema"));
            same(value, below, root, &format!("{path}.{key}"));
        }
        // Contexts, probes and quantities are Kubernetes' own, and not all of them have a default.
        let is_own = !["Context", "Probe", "resources"]
            .iter()
            .any(|end| path.contains(end));
        for key in properties.keys().filter(|key| is_own && *key != "global") {
            assert!(
                values.contains_key(key),
                "{path}.{key} is not in the values"
            );
        }
    }
    let values = fs::read_to_string(chart().join("values.yaml")).unwrap();
    let values: Value = serde_yaml::from_str(&values).unwrap();
    same(&values, &schema(), &schema(), "");
}
