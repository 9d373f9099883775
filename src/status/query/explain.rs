//! Which number is to be explained: which window, and when it ends.

use super::super::explanation::{Asked, AskedWindow, Subject};
use super::super::snapshot::SloStatus;
use super::history::time;
use super::parameters::{Parameters, QueryError};

/// Which window of an objective.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExplainQuery {
    asked: Asked,
    id: Option<String>,
}

impl ExplainQuery {
    /// Reads the parameters of a request.
    pub fn read(pairs: Vec<(String, String)>) -> Result<Self, QueryError> {
        let mut given = Parameters::read(pairs, &["at", "window", "id"])?;
        let mut take = |name| given.0.remove(name);
        let window = take("window").map(|text| match text.as_str() {
            "budget" => Ok(AskedWindow::Budget),
            length => length
                .parse()
                .map(AskedWindow::Length)
                .map_err(|_| QueryError::Window(text.clone())),
        });
        let id = take("id");
        let asked = Asked {
            at: take("at").map(|text| time("at", text)).transpose()?,
            window: window.transpose()?.unwrap_or_default(),
            most_samples: None,
        };
        Ok(Self { asked, id })
    }

    /// What is asked for.
    pub const fn asked(&self) -> Asked {
        self.asked
    }

    /// Which instance is meant, if that was said.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whose number it is, among the instances of an objective: that of the given id; without one
    /// the whole of the only promise.
    pub fn subject(&self, instances: &[&SloStatus]) -> Option<Subject> {
        let first = instances.first()?;
        let Some(id) = &self.id else {
            let is_alone = instances.iter().all(|it| it.slo.uid == first.slo.uid);
            let whole = instances.iter().find(|it| it.group.is_empty());
            return is_alone.then(|| Subject {
                versions: whole.map(|it| it.versions.clone()).unwrap_or_default(),
                ..Subject::whole(first.slo.uid.clone())
            });
        };
        let found = instances.iter().find(|it| it.id == *id)?;
        Some(Subject {
            uid: found.slo.uid.clone(),
            group: found.group.clone(),
            versions: found.versions.clone(),
        })
    }
}
