//! ConfigMaps and secrets of a cluster, and what of them lies in which volume of a pod.

use std::collections::BTreeMap;

use serde_json::Value;

use super::manifest::find;
use super::volume::Files;

/// ConfigMaps and secrets that are there already: their files, by name.
#[derive(Debug, Default)]
pub(super) struct Stored(BTreeMap<String, Files>);

impl Stored {
    pub(super) fn add(&mut self, name: &str, key: &str, text: &str) {
        self.0
            .entry(name.to_owned())
            .or_default()
            .insert(key.to_owned(), text.to_owned());
    }

    /// What lies in each volume of `pod`.
    pub(super) fn volumes(&self, pod: &Value, rendered: &[Value]) -> BTreeMap<String, Files> {
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

/// What a ConfigMap holds.
pub(super) fn files_of(config_map: &Value) -> Files {
    let data = config_map["data"].as_object().into_iter().flatten();
    data.map(|(name, text)| {
        (
            name.clone(),
            text.as_str().expect("data are text").to_owned(),
        )
    })
    .collect()
}
