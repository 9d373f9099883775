//! The peer: Sloth's own rules for one objective, repeated for as many as are asked for.

use std::fs;
use std::path::Path;

use serde_yaml::Value;
use sloburn::domain::labels::Labels;

use super::world::{every_step, service};

/// The recorded series over which the peer's 30 days are averaged.
pub(crate) const RECORDED: &str = "slo:sli_error:ratio_rate5m";

/// The rules of one objective as they were generated.
#[derive(Debug)]
pub(crate) struct Rules {
    text: String,
    /// The labels that the rules give to [`RECORDED`].
    recorded: Vec<(String, String)>,
}

impl Rules {
    /// Reads them; they are for the service `svc-000`.
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let document: Value = serde_yaml::from_str(&text).unwrap();
        let groups = document["groups"].as_sequence().unwrap();
        let mut rules = groups
            .iter()
            .flat_map(|group| group["rules"].as_sequence().unwrap());
        let rule = rules.find(|rule| rule["record"].as_str() == Some(RECORDED));
        let labels = rule.unwrap()["labels"].as_mapping().unwrap();
        let text_of = |value: &Value| value.as_str().unwrap().to_owned();
        let recorded = labels
            .iter()
            .map(|(name, value)| (text_of(name), text_of(value)));
        let recorded = recorded.collect();
        Self { text, recorded }
    }

    /// The rules for so many services, in one file.
    pub(crate) fn repeated(&self, services: i64) -> String {
        let (_, groups) = self.text.split_once("groups:\n").unwrap();
        let own = |number| groups.replace(&service(0), &service(number));
        let all = (0..services).map(own).collect::<String>();
        format!("groups:\n{all}")
    }

    /// What the rules would have recorded in the past, for remote write.
    pub(crate) fn samples(
        &self,
        services: i64,
        from: i64,
        to: i64,
    ) -> Vec<(Labels, Vec<(i64, f64)>)> {
        let labels = |number| {
            let own = self
                .recorded
                .iter()
                .map(|(name, value)| (name.clone(), value.replace(&service(0), &service(number))));
            let name = ("__name__".to_owned(), RECORDED.to_owned());
            own.chain([name]).collect::<Labels>()
        };
        let series = |number| (labels(number), every_step(from, to, |_| 0.000_5));
        (0..services).map(series).collect()
    }
}
