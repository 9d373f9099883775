//! Where a value came from, and how a fault of it is told.

use std::fmt;

use crate::diagnostic::{Diagnostic, Place, Severity};

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A place in the configuration file.
    File(Place),
    /// An environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    /// `sloburn.yaml:3`, `SLOBURN_TICK`, `--tick` or `default`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(place) => write!(f, "{}:{}", place.file.display(), place.line),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

impl Origin {
    /// Something about what came from here that is probably not meant.
    pub(super) fn warning(&self, code: &'static str, message: impl fmt::Display) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            ..self.fault(code, message)
        }
    }

    /// A fault of what came from here: at its place in the file, or beginning with the variable's or flag's name.
    pub(super) fn fault(&self, code: &'static str, message: impl fmt::Display) -> Diagnostic {
        match self {
            Self::Default => Diagnostic::error(code, message.to_string()),
            Self::File(place) => Diagnostic::error(code, message.to_string()).at(place),
            Self::Environment(_) | Self::Flag(_) => {
                Diagnostic::error(code, format!("{self}: {message}"))
            }
        }
    }
}

/// The file cannot be read as YAML.
pub(super) const SYNTAX: &str = "SB0801";
/// A key, a name or a variable that does not exist here.
pub(super) const UNKNOWN: &str = "SB0802";
/// A key that is set twice.
pub(super) const TWICE: &str = "SB0803";
/// A list where one value belongs, no value at all, and the like.
pub(super) const SHAPE: &str = "SB0804";
/// A secret in a file that is shown and copied.
pub(super) const SECRET: &str = "SB0805";
/// A value that does not mean what its key needs.
pub(super) const VALUE: &str = "SB0806";
/// Values that are right alone and do not fit together.
pub(super) const MISFIT: &str = "SB0807";
/// A value that has no default and was not given.
pub(super) const MISSING: &str = "SB0808";
/// A secret that is sent where others can read it on its way.
pub(super) const IN_THE_CLEAR: &str = "SB0809";
