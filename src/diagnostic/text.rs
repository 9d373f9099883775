//! Faults as text: with the line and a caret for people, and one line each for editors and logs.

use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Diagnostics, Place, Severity};

/// Whether text has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// For files, logs and tests.
    Plain,
    /// ANSI colours, for a terminal.
    Coloured,
}

impl Diagnostics {
    /// Each fault with its code, place, the line, a caret and what to do.
    /// `sources` are the files' contents; of a file that is not among them the place is shown alone.
    /// Empty when nothing is wrong.
    pub fn render_text(&self, sources: &[(PathBuf, String)], paint: Paint) -> String {
        let renderer = match paint {
            Paint::Plain => Renderer::plain(),
            Paint::Coloured => Renderer::styled(),
        };
        let sources = self.masked(sources);
        let mut text = String::new();
        for fault in self.iter() {
            text += &renderer.render(&[group(fault, &sources)]);
            text += "\n\n";
        }
        text
    }

    /// `sources` with stars in place of secrets: what is shown here ends in logs that many read.
    fn masked(&self, sources: &[(PathBuf, String)]) -> Vec<(PathBuf, String)> {
        let mut masked = sources.to_vec();
        for place in self.iter().filter_map(|fault| fault.secret.as_ref()) {
            let Some((_, text)) = masked.iter_mut().find(|(path, _)| **path == *place.file) else {
                continue;
            };
            if let Some(secret) = text.get(place.span.clone()) {
                // As many bytes as before, or the other places of the file would shift.
                let star = |byte| if byte == b'\n' { '\n' } else { '*' };
                let stars: String = secret.bytes().map(star).collect();
                text.replace_range(place.span.clone(), &stars);
            }
        }
        masked
    }

    /// `2 errors, 1 warning`; empty when nothing is wrong.
    pub fn summary(&self) -> String {
        let count = |severity| match self.count(severity) {
            0 => None,
            1 => Some(format!("1 {}", severity.name())),
            many => Some(format!("{many} {}s", severity.name())),
        };
        [count(Severity::Error), count(Severity::Warning)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Each fault in one line: `file:line:column: error[SB0101]: message; help`.
    pub fn render_lines(&self) -> String {
        self.iter().map(|fault| fault.line() + "\n").collect()
    }
}

impl Diagnostic {
    /// In one line: `file:line:column: error[SB0101]: message; help`.
    pub fn line(&self) -> String {
        let place = self.place.as_ref().map(|place| format!("{place}: "));
        let help = self.help.as_ref().map(|help| format!("; {help}"));
        format!(
            "{}{}[{}]: {}{}",
            place.unwrap_or_default(),
            self.severity.name(),
            self.code,
            self.message,
            help.unwrap_or_default()
        )
    }
}

fn group<'a>(fault: &'a Diagnostic, sources: &'a [(PathBuf, String)]) -> Group<'a> {
    let level = match fault.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(&fault.message).id(fault.code));
    if let Some(place) = &fault.place {
        group = match source_of(sources, &place.file) {
            Some(source) => snippets(group, fault, place, source, sources),
            None => group.element(Level::NOTE.message(format!("at {place}"))),
        };
    }
    match &fault.help {
        Some(help) => group.element(Level::HELP.message(help)),
        None => group,
    }
}

fn snippets<'a>(
    group: Group<'a>,
    fault: &'a Diagnostic,
    place: &'a Place,
    source: &'a str,
    sources: &'a [(PathBuf, String)],
) -> Group<'a> {
    let shown = |place: &Place, source: &'a str| {
        Snippet::source(source).path(place.file.display().to_string())
    };
    let primary = AnnotationKind::Primary
        .span(inside(source, place))
        .label(fault.label.as_deref());
    let snippet = shown(place, source).annotation(primary);
    let Some((other, what)) = &fault.related else {
        return group.element(snippet);
    };
    let context = |source| {
        AnnotationKind::Context
            .span(inside(source, other))
            .label(what.as_str())
    };
    if other.file == place.file {
        return group.element(snippet.annotation(context(source)));
    }
    let group = group.element(snippet);
    match source_of(sources, &other.file) {
        Some(source) => group.element(shown(other, source).annotation(context(source))),
        None => group.element(Level::NOTE.message(format!("{what} at {other}"))),
    }
}

fn source_of<'a>(sources: &'a [(PathBuf, String)], file: &Path) -> Option<&'a str> {
    sources
        .iter()
        .find(|(path, _)| path == file)
        .map(|(_, source)| source.as_str())
}

/// The bytes of `place`, cut to its first line: a caret under a whole block shows nothing.
fn inside(source: &str, place: &Place) -> std::ops::Range<usize> {
    let start = place.span.start.min(source.len());
    let rest = source.get(start..).unwrap_or_default();
    let line = rest.find('\n').unwrap_or(rest.len());
    start..place.span.end.clamp(start, start + line)
}
