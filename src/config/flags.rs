//! The settings that have a flag.

use std::path::PathBuf;

use super::layers::{Given, Layer, Raw};
use super::origin::Origin;

/// Flags that set what the configuration file may set; they win over file and environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[command(next_help_heading = "Settings (flags win over SLOBURN_… variables, those over the file)")]
pub struct Flags {
    /// The configuration file; without it `sloburn.yaml`, if there is one
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Files or folders with objectives; may be repeated
    #[arg(long, value_name = "PATH")]
    pub definitions: Vec<String>,
    /// Files or folders with alert policies, receivers and routes; may be repeated
    #[arg(long, value_name = "PATH")]
    pub alerts: Vec<String>,
    /// How often everything is evaluated, as 30s
    #[arg(long, value_name = "DURATION")]
    pub tick: Option<String>,
    /// Prometheus' address, as http://localhost:9090: the url of the source `default`
    #[arg(long, value_name = "URL")]
    pub prometheus: Option<String>,
    /// The file in which budgets, incidents and messages to send are kept
    #[arg(long, value_name = "FILE")]
    pub store: Option<String>,
    /// Where status, API and metrics are served, as 127.0.0.1:9099
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// How people reach that address; links in messages begin with it
    #[arg(long, value_name = "URL")]
    pub external_url: Option<String>,
    /// error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// human or json
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
}

impl Flags {
    /// What was given on the command line.
    pub(super) fn layer(&self) -> Layer {
        let one = |value: &Option<String>| value.clone().map(Raw::One);
        let many = |values: &[String]| {
            Some(values.to_vec())
                .filter(|all| !all.is_empty())
                .map(Raw::Many)
        };
        let given: [(&[&str], &'static str, Option<Raw>); 9] = [
            (&["definitions"], "--definitions", many(&self.definitions)),
            (&["alerts"], "--alerts", many(&self.alerts)),
            (&["tick"], "--tick", one(&self.tick)),
            (
                &["sources", "default", "prometheus", "url"],
                "--prometheus",
                one(&self.prometheus),
            ),
            (&["store", "sqlite"], "--store", one(&self.store)),
            (&["listen"], "--listen", one(&self.listen)),
            (&["externalUrl"], "--external-url", one(&self.external_url)),
            (&["log", "level"], "--log-level", one(&self.log_level)),
            (&["log", "format"], "--log-format", one(&self.log_format)),
        ];
        given
            .into_iter()
            .filter_map(|(path, flag, value)| {
                let origin = Origin::Flag(flag);
                let path = path.iter().map(|&part| part.to_owned()).collect();
                value.map(|value| (path, Given { value, origin }))
            })
            .collect()
    }
}
