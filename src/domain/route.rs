//! Receivers of notices and the routes that lead to them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::policy::Severity;
use super::slo::Slo;

/// Somebody, or something, that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// Its name.
    pub name: String,
    /// How it is reached.
    pub channel: Channel,
    /// The IANA time zone in which its messages tell the time.
    pub time_zone: String,
}

/// How a receiver is reached. Secrets are files, read at each delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Slack by bot token: posts, edits and threads.
    SlackBot {
        /// `#name` or an id.
        channel: String,
        /// Holds the token.
        token_file: PathBuf,
        /// Who is mentioned at a rise, in Slack's own form: `<!subteam^S0123>`, `<!here>` or `@name`.
        mention: Option<String>,
        /// Where Slack's API is.
        api_url: String,
    },
    /// A Slack incoming webhook: plain messages.
    SlackWebhook {
        /// Holds the URL, which is a secret.
        url_file: PathBuf,
        /// As above.
        mention: Option<String>,
    },
    /// JSON by POST.
    Webhook {
        /// Where to.
        url: String,
        /// Holds the key of the signature (Standard Webhooks); unsigned without it.
        secret_file: Option<PathBuf>,
    },
    /// Alertmanager's API, version 2; every member is told.
    Alertmanager {
        /// The base URLs of all members.
        urls: Vec<String>,
    },
}

impl Channel {
    /// The file that holds its secret, if it has one.
    pub fn secret_file(&self) -> Option<&Path> {
        match self {
            Self::SlackBot { token_file, .. } => Some(token_file),
            Self::SlackWebhook { url_file, .. } => Some(url_file),
            Self::Webhook { secret_file, .. } => secret_file.as_deref(),
            Self::Alertmanager { .. } => None,
        }
    }
}

/// Who is told what: the first route that matches, unless it says to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routing {
    /// Who is told when no route matches.
    pub default: Vec<String>,
    /// In order.
    pub routes: Vec<Route>,
}

/// Notices with these labels go to these receivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// All must be equal; `severity`, `service`, `slo` and `signal` are labels too.
    pub matches: BTreeMap<String, String>,
    /// Names of receivers.
    pub to: Vec<String>,
    /// Whether the following routes are looked at too.
    pub goes_on: bool,
}

/// Labels that every notice has, and `target`, which those of an objective with several have.
pub const OWN_LABELS: [&str; 6] = [
    "alertname",
    "service",
    "severity",
    "signal",
    "slo",
    "target",
];

/// What routes match on, besides `severity`: the objective's own labels, those of the instance's group, and what
/// every objective has.
pub fn labels(slo: &Slo) -> BTreeMap<String, String> {
    let mut labels = slo.labels.clone();
    for (name, value) in slo.group.iter() {
        labels.insert(of_group(name), value.to_owned());
    }
    let own = [
        ("service", slo.service.as_str()),
        ("slo", slo.uid.as_str()),
        ("signal", slo.signal().name()),
    ];
    let target = slo.target.iter().map(|target| ("target", target.as_str()));
    let own = own.into_iter().chain(target);
    labels.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    labels
}

/// What the label `name` of a group is called among those of a notice.
pub fn of_group(name: &str) -> String {
    if OWN_LABELS.contains(&name) {
        format!("group_{name}")
    } else {
        name.to_owned()
    }
}

impl Routing {
    /// The receivers of a notice with these labels at this severity.
    pub fn receivers(
        &self,
        labels: &BTreeMap<String, String>,
        severity: Severity,
    ) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for route in &self.routes {
            let matches = route
                .matches
                .iter()
                .all(|(name, wanted)| match name.as_str() {
                    "severity" => wanted == severity.name(),
                    _ => labels.get(name).is_some_and(|value| value == wanted),
                });
            if matches {
                found.extend(route.to.iter().map(String::as_str));
                if !route.goes_on {
                    return found;
                }
            }
        }
        if found.is_empty() {
            found.extend(self.default.iter().map(String::as_str));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_matching_route_wins_unless_it_goes_on() {
        let route = |matches: &[(&str, &str)], to: &str, goes_on| Route {
            matches: matches
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
            to: vec![to.to_owned()],
            goes_on,
        };
        let routing = Routing {
            default: vec!["all".into()],
            routes: vec![
                route(&[("team", "pay"), ("severity", "page")], "oncall", true),
                route(&[("team", "pay")], "payments", false),
                route(&[], "rest", false),
            ],
        };
        let told = |team: &str, severity| {
            let labels = BTreeMap::from([("team".to_owned(), team.to_owned())]);
            routing
                .receivers(&labels, severity)
                .into_iter()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(told("pay", Severity::Page), "oncall payments");
        assert_eq!(told("pay", Severity::Ticket), "payments");
        assert_eq!(told("shop", Severity::Page), "rest");
        let only_default = Routing {
            routes: vec![],
            ..routing.clone()
        };
        assert_eq!(
            only_default
                .receivers(&BTreeMap::new(), Severity::Page)
                .into_iter()
                .collect::<Vec<_>>(),
            ["all"]
        );
    }
}
