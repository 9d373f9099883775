//! From the receivers of the definitions to receivers that can be told.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;

use crate::domain::route::{Channel, Receiver};
use crate::domain::slo::Catalog;
use crate::domain::time::Span;

use super::alertmanager::Alertmanager;
use super::http::Http;
use super::notifier::Notifier;
use super::slack::bot::SlackBot;
use super::slack::webhook::SlackWebhook;
use super::webhook::Webhook;

/// All receivers that can be told, by name. A clone shares them.
#[derive(Clone, Default)]
pub struct Notifiers(BTreeMap<String, Arc<dyn Notifier>>);

/// Why receivers cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum NotifiersError {
    /// No connection can be made to anybody.
    #[error(
        "cannot prepare TLS for receivers: install the system's certificates (ca-certificates)"
    )]
    Client(#[source] reqwest::Error),
    /// A time zone that nobody knows.
    #[error(
        "receiver `{receiver}` has the time zone `{zone}`, which is not known: write an IANA name as Europe/Berlin"
    )]
    Zone {
        /// The receiver.
        receiver: String,
        /// Its time zone, as written.
        zone: String,
        /// What the calendar said.
        source: jiff::Error,
    },
}

impl Notifiers {
    /// The receivers of `catalog`; `tick` is how often alerts may change.
    ///
    /// # Errors
    ///
    /// A time zone that is not known, or no certificates to trust.
    pub fn from_catalog(catalog: &Catalog, tick: Span) -> Result<Self, NotifiersError> {
        Self::default().renewed(&Catalog::default(), catalog, tick)
    }

    /// The receivers of `now`. Those that are defined as in `before`, whose receivers these are, stay the very same:
    /// they remember what they were doing.
    ///
    /// # Errors
    ///
    /// A time zone that is not known, or no certificates to trust.
    pub fn renewed(
        &self,
        before: &Catalog,
        now: &Catalog,
        tick: Span,
    ) -> Result<Self, NotifiersError> {
        let http = Http::new().map_err(NotifiersError::Client)?;
        let mut all = BTreeMap::new();
        for (name, receiver) in &now.receivers {
            let is_same = before.receivers.get(name) == Some(receiver);
            let kept = self.get(name).filter(|_| is_same);
            let notifier = kept.map_or_else(|| notifier(receiver, &http, tick), Ok)?;
            all.insert(name.clone(), notifier);
        }
        Ok(Self(all))
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<dyn Notifier>> {
        self.0.get(name).map(Arc::clone)
    }

    /// Whether `name` is told by this very notifier.
    pub(super) fn is(&self, name: &str, notifier: &Arc<dyn Notifier>) -> bool {
        self.0
            .get(name)
            .is_some_and(|one| Arc::ptr_eq(one, notifier))
    }

    /// The names of all receivers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, Arc<dyn Notifier>)> for Notifiers {
    fn from_iter<I: IntoIterator<Item = (String, Arc<dyn Notifier>)>>(receivers: I) -> Self {
        Self(receivers.into_iter().collect())
    }
}

impl fmt::Debug for Notifiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn notifier(
    receiver: &Receiver,
    http: &Http,
    tick: Span,
) -> Result<Arc<dyn Notifier>, NotifiersError> {
    let zone = TimeZone::get(&receiver.time_zone).map_err(|source| NotifiersError::Zone {
        receiver: receiver.name.clone(),
        zone: receiver.time_zone.clone(),
        source,
    })?;
    let http = http.clone();
    Ok(match receiver.channel.clone() {
        Channel::SlackBot {
            channel,
            token_file,
            mention,
            api_url,
        } => Arc::new(SlackBot {
            http,
            channel,
            token_file,
            mention,
            api_url,
            zone,
        }),
        Channel::SlackWebhook { url_file, mention } => Arc::new(SlackWebhook {
            http,
            url_file,
            mention,
            zone,
        }),
        Channel::Webhook { url, secret_file } => Arc::new(Webhook {
            http,
            url,
            secret_file,
            zone,
        }),
        Channel::Alertmanager { urls } => Arc::new(Alertmanager {
            http,
            urls,
            zone,
            lifetime: Alertmanager::lifetime(tick),
            faults: Mutex::default(),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_receiver_is_made_ready_and_a_wrong_zone_is_refused() {
        let channels = [
            ("am", Channel::Alertmanager { urls: vec![] }),
            (
                "hook",
                Channel::Webhook {
                    url: "https://x.example".into(),
                    secret_file: None,
                },
            ),
            (
                "slack",
                Channel::SlackWebhook {
                    url_file: "url".into(),
                    mention: None,
                },
            ),
        ];
        let mut catalog = Catalog::default();
        for (name, channel) in channels {
            let receiver = Receiver {
                name: name.into(),
                channel,
                time_zone: "Europe/Berlin".into(),
            };
            catalog.receivers.insert(name.into(), Arc::new(receiver));
        }
        let tick = Span::from_secs(30);
        let all = Notifiers::from_catalog(&catalog, tick).unwrap();
        assert_eq!(all.names().collect::<Vec<_>>(), ["am", "hook", "slack"]);

        let mut lost = (*catalog.receivers["am"]).clone();
        lost.time_zone = "Mars/Olympus".into();
        catalog.receivers.insert("am".into(), Arc::new(lost));
        let error = Notifiers::from_catalog(&catalog, tick).unwrap_err();
        insta::assert_snapshot!(error, @"receiver `am` has the time zone `Mars/Olympus`, which is not known: write an IANA name as Europe/Berlin");
    }
}
