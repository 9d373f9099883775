//! Which number is to be explained: which window, and when it ends.

use super::super::explanation::{Asked, AskedWindow};
use super::history::time;
use super::parameters::{Parameters, QueryError};

/// Which window of an objective.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExplainQuery(Asked);

impl ExplainQuery {
    /// Reads the parameters of a request.
    pub fn read(pairs: Vec<(String, String)>) -> Result<Self, QueryError> {
        let mut given = Parameters::read(pairs, &["at", "window"])?;
        let mut take = |name| given.0.remove(name);
        let window = take("window").map(|text| match text.as_str() {
            "budget" => Ok(AskedWindow::Budget),
            length => length
                .parse()
                .map(AskedWindow::Length)
                .map_err(|_| QueryError::Window(text.clone())),
        });
        Ok(Self(Asked {
            at: take("at").map(|text| time("at", text)).transpose()?,
            window: window.transpose()?.unwrap_or_default(),
            most_samples: None,
        }))
    }

    /// What is asked for.
    pub const fn asked(self) -> Asked {
        self.0
    }
}
