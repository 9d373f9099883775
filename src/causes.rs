//! Why something failed: an error and its causes, put into one line for logs and sentences.

use std::error::Error;
use std::iter::successors;

/// What an error says, and behind colons what each of its causes says.
pub fn chain(error: &dyn Error) -> String {
    let causes = successors(Some(error), |&error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// What the last of the causes says: the system's own word for what happened.
pub fn innermost(error: &dyn Error) -> String {
    let causes = successors(Some(error), |&error| error.source());
    causes.last().unwrap_or(error).to_string()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot open `{name}`")]
    struct Open {
        name: &'static str,
        source: Box<dyn Error>,
    }

    #[test]
    fn causes_stand_behind_what_they_caused() {
        let alone = io::Error::other("disk gone");
        assert_eq!(chain(&alone), "disk gone");
        assert_eq!(innermost(&alone), "disk gone");
        let inner = Open {
            name: "a.db",
            source: alone.into(),
        };
        let outer = Open {
            name: "store",
            source: inner.into(),
        };
        assert_eq!(
            chain(&outer),
            "cannot open `store`: cannot open `a.db`: disk gone"
        );
        assert_eq!(innermost(&outer), "disk gone");
    }
}
