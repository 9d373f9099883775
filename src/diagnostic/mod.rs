//! What is wrong with a file that a person wrote: code, place, sentence and what to do; and how
//! that is shown as text, in one line and as JSON.

mod annotations;
mod clear;
mod encoding;
mod json;
mod place;
mod suggest;
mod syntax;
mod text;

use std::collections::BTreeSet;

pub use clear::is_in_the_clear;
pub use encoding::NotUtf8;
pub use encoding::utf8;
pub use place::Place;
pub use suggest::did_you_mean;
pub use suggest::near;
pub use suggest::nearest;
pub use suggest::write_one_of;
pub use syntax::YamlMistake;
pub use syntax::explain_yaml;
pub use syntax::yaml_mistake;
pub use text::Paint;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, and something in it is probably not meant.
    Warning,
}

impl Severity {
    /// The name used in text and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Where it is; unknown when it has no place in a file.
    pub place: Option<Place>,
    /// `SB` and four digits; never changes its meaning.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a sentence.
    pub message: String,
    /// A few words beside the caret.
    pub label: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// Another place that belongs to it, and what is there.
    pub related: Option<(Place, String)>,
    /// A secret in the file, which is masked wherever the file is shown.
    pub secret: Option<Place>,
}

impl Diagnostic {
    /// A fault that makes the file unusable.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            place: None,
            code,
            severity: Severity::Error,
            message: message.into(),
            label: None,
            help: None,
            related: None,
            secret: None,
        }
    }

    /// A fault that does not.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// The same fault, at `place`.
    #[must_use]
    pub fn at(self, place: &Place) -> Self {
        Self {
            place: Some(place.clone()),
            ..self
        }
    }

    /// The same fault with a few words beside the caret.
    #[must_use]
    pub fn label(self, label: impl Into<String>) -> Self {
        Self {
            label: Some(label.into()),
            ..self
        }
    }

    /// The same fault with what to do.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }

    /// The same fault, which is about a secret at `place`: it is masked wherever the file is shown.
    #[must_use]
    pub fn hiding(self, place: &Place) -> Self {
        Self {
            secret: Some(place.clone()),
            ..self
        }
    }

    /// The same fault with a second place.
    #[must_use]
    pub fn related(self, place: &Place, what: impl Into<String>) -> Self {
        Self {
            related: Some((place.clone(), what.into())),
            ..self
        }
    }
}

/// Faults in the order of files, lines and columns, each once. Those without a place come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(BTreeSet<Diagnostic>);

impl Diagnostics {
    /// In order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Diagnostic> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many of them have this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.iter().filter(|one| one.severity == severity).count()
    }

    /// Whether at least one is an error.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(faults: I) -> Self {
        Self(faults.into_iter().collect())
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, faults: I) {
        self.0.extend(faults);
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::collections::btree_set::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::sync::Arc;

    use super::*;

    fn example() -> (Diagnostics, Vec<(PathBuf, String)>) {
        let sources = vec![
            (PathBuf::from("a.yaml"), "name: é\nwindow: 1M\n".to_owned()),
            (PathBuf::from("b.yaml"), "name: é\n".to_owned()),
        ];
        let place = |file: usize, text: &str| {
            let (path, source) = &sources[file];
            let start = source.find(text).unwrap();
            Place::of(
                &Arc::from(path.as_path()),
                source,
                start..start + text.len(),
            )
        };
        let faults = [
            Diagnostic::error("SB0401", "two services have the name `é`")
                .at(&place(1, "é"))
                .label("again here")
                .related(&place(0, "é"), "first here"),
            Diagnostic::warning("SB0202", "a month has no fixed length")
                .at(&place(0, "1M"))
                .help("write 30d"),
            Diagnostic::warning("SB0202", "a month has no fixed length")
                .at(&place(0, "1M"))
                .help("write 30d"),
            Diagnostic::error("SB0001", "cannot read `c.yaml`").at(&Place::of(
                &Arc::from(Path::new("c.yaml")),
                "",
                0..0,
            )),
            Diagnostic::error("SB0004", "no definitions were given"),
        ];
        (faults.into_iter().collect(), sources)
    }

    #[test]
    fn text_shows_line_caret_and_help_in_the_order_of_places() {
        let (faults, sources) = example();
        insta::assert_snapshot!(faults.render_text(&sources, Paint::Plain), @r#"
        error[SB0004]: no definitions were given

        warning[SB0202]: a month has no fixed length
         --> a.yaml:2:9
          |
        2 | window: 1M
          |         ^^
          |
          = help: write 30d

        error[SB0401]: two services have the name `é`
         --> b.yaml:1:7
          |
        1 | name: é
          |       ^ again here
          |
         ::: a.yaml:1:7
          |
        1 | name: é
          |       - first here

        error[SB0001]: cannot read `c.yaml`
         |
         = note: at c.yaml:1:1
        "#);
        let coloured = faults.render_text(&sources, Paint::Coloured);
        assert!(coloured.contains("\u{1b}["));
        assert_eq!(
            Diagnostics::default().render_text(&sources, Paint::Plain),
            ""
        );
    }

    #[test]
    fn one_line_forms_and_json_have_the_same_facts() {
        let (faults, _) = example();
        insta::assert_snapshot!(faults.render_lines(), @r#"
        error[SB0004]: no definitions were given
        a.yaml:2:9: warning[SB0202]: a month has no fixed length; write 30d
        b.yaml:1:7: error[SB0401]: two services have the name `é`
        c.yaml:1:1: error[SB0001]: cannot read `c.yaml`
        "#);
        insta::assert_snapshot!(format!("{:#}", faults.to_json()[2]), @r#"
        {
          "code": "SB0401",
          "column": 7,
          "end": 8,
          "file": "b.yaml",
          "help": null,
          "label": "again here",
          "line": 1,
          "message": "two services have the name `é`",
          "related": {
            "column": 7,
            "end": 8,
            "file": "a.yaml",
            "line": 1,
            "message": "first here",
            "start": 6
          },
          "severity": "error",
          "start": 6
        }
        "#);
        insta::assert_snapshot!(format!("{:#}", faults.to_json()[3]["related"]), @r#"null"#);
    }
}
