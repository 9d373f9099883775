//! What the YAML parser complains of, said so that a tired person finds the mistake.

use serde_saphyr::granit_parser::{ErrorKind, Parser, ScanError};

/// A mistake in the syntax of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlMistake {
    /// The byte at which it is.
    pub at: usize,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to do.
    pub help: &'static str,
    /// Whether it is no mistake, but more than is read.
    pub is_too_deep: bool,
}

/// The first mistake in the syntax of a text; `None` where there is none.
pub fn yaml_mistake(text: &str) -> Option<YamlMistake> {
    let mut parser = Parser::new_from_str(text);
    loop {
        match parser.next_event()? {
            Ok(_) => {}
            Err(error) => return Some(explain_yaml(&error, text)),
        }
    }
}

/// The mistake in `text` of which the parser complains.
pub fn explain_yaml(error: &ScanError, text: &str) -> YamlMistake {
    let kind = error.kind();
    let at = error.marker().byte_offset().unwrap_or(text.len());
    let at = at.min(text.len());
    let (message, help) = words(kind);
    let told = YamlMistake {
        at,
        message,
        help,
        is_too_deep: matches!(kind, ErrorKind::RecursionLimitExceeded),
    };
    if *kind == ErrorKind::TabInPlainScalar {
        // The parser names the text before the tab, which is a line above it.
        let rest = text.get(at..).unwrap_or_default();
        let at = at + rest.find('\t').unwrap_or_default();
        return YamlMistake { at, ..told };
    }
    match misfit(text, at).filter(|_| told.help == MISFIT) {
        Some((at, message, help)) => YamlMistake {
            at,
            message,
            help,
            ..told
        },
        None => told,
    }
}

const MISFIT: &str = "look at its indentation, and at a missing colon or space after one; a value with `: ` in it needs quotes";

fn words(kind: &ErrorKind) -> (String, &'static str) {
    let (message, help) = match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => (
            "a tab stands where the line is indented",
            "indent by spaces; YAML knows no tabs there",
        ),
        ErrorKind::UnclosedQuotedScalar => (
            "a quote is not closed",
            "close it; inside of '…' a quote is written twice",
        ),
        ErrorKind::InvalidTrailingDoubleQuotedScalar
        | ErrorKind::InvalidTrailingSingleQuotedScalar => (
            "the value goes on after its closing quote",
            "put the whole value into quotes of the other kind, as in '…{job=\"api\"}'",
        ),
        ErrorKind::UnclosedFlowCollection { open } => {
            return (
                format!("the `{open}` is not closed"),
                "close it, or quote the value if the bracket belongs to it",
            );
        }
        ErrorKind::MisplacedFlowCollectionEnd | ErrorKind::MismatchedFlowCollectionEnd { .. } => (
            "this bracket closes nothing",
            "remove it, or quote the value if the bracket belongs to it",
        ),
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => (
            "a comma or the closing bracket is missing before this",
            "put values with {, }, [, ], commas or colons into quotes",
        ),
        ErrorKind::UnexpectedCharacter { character } => {
            return (
                format!("a value cannot start with {character:?}"),
                "put the value into quotes",
            );
        }
        ErrorKind::UnknownAnchor => (
            "this alias names an anchor that is not above it in this document",
            "write the anchor first, as in &name; a * at the start of a text needs quotes",
        ),
        ErrorKind::UnknownQuotedScalarEscape => (
            "this escape is unknown in double quotes",
            "use single quotes, in which nothing is escaped",
        ),
        ErrorKind::ExpectedBlockMappingKey
        | ErrorKind::ExpectedBlockSequenceEntry
        | ErrorKind::InvalidIndentation
        | ErrorKind::MappingValueNotAllowed
        | ErrorKind::MappingKeyNotAllowed
        | ErrorKind::SimpleKeyExpected
        | ErrorKind::InvalidSimpleKey
        | ErrorKind::ExpectedDocumentStart
        | ErrorKind::BlockSequenceEntryNotAllowed => {
            ("this line does not fit the lines above it", MISFIT)
        }
        ErrorKind::RecursionLimitExceeded => (
            "the document has too many levels",
            "look for brackets that are not closed",
        ),
        other => {
            return (
                format!("this is not YAML: {other}"),
                "look at the indentation and the quotes of this line and the one above",
            );
        }
    };
    (message.to_owned(), help)
}

/// What hides in a line that does not fit, or in the one above it, which the parser then took for something else.
fn misfit(text: &str, at: usize) -> Option<(usize, String, &'static str)> {
    let before = text.get(..at)?;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let own = text.get(start..)?.lines().next().unwrap_or_default();
    let above = text.get(..start)?.trim_end();
    let above_start = above.rfind('\n').map_or(0, |end| end + 1);
    let lines = [(start, own), (above_start, above.get(above_start..)?)];
    lines.into_iter().find_map(|(start, line)| {
        hidden(line).map(|(at, message, help)| (start + at, message, help))
    })
}

/// What a person does not see in a line, by its byte.
fn hidden(line: &str) -> Option<(usize, String, &'static str)> {
    if ["<<<<<<<", "=======", ">>>>>>>"]
        .iter()
        .any(|it| line.starts_with(it))
    {
        let message = "a conflict of a merge was left here".to_owned();
        return Some((
            0,
            message,
            "keep one of the two sides, and remove the marks",
        ));
    }
    if line.len() > 1 && line.trim_end().chars().all(|char| char == '-') {
        let message = "this line ends no document".to_owned();
        return Some((
            0,
            message,
            "write exactly three dashes between documents: ---",
        ));
    }
    let content = line.trim_start_matches(' ');
    let indent = line.len() - content.len();
    let item = match content.strip_prefix('-') {
        Some(item) if item.starts_with(char::is_alphabetic) => {
            let message = "a space is missing after this dash".to_owned();
            return Some((indent, message, "write `- ` before each item of a list"));
        }
        Some(item) => item.trim_start_matches(' '),
        None => content,
    };
    let key = item.trim_start_matches(|char: char| char.is_ascii_alphanumeric() || char == '_');
    let at = line.len() - key.len();
    let rest = key.strip_prefix(':').unwrap_or(key);
    match rest.chars().next()? {
        char if is_odd_space(char) => {
            let message = format!("this is no ordinary space, but U+{:04X}", u32::from(char));
            Some((
                line.len() - rest.len(),
                message,
                "write a space in its place",
            ))
        }
        '：' => Some((
            at,
            "this is no ordinary colon, but U+FF1A".to_owned(),
            "write `: ` in its place",
        )),
        // Addresses are no keys.
        char if rest.len() < key.len() && key.len() < item.len() && char.is_alphanumeric() => {
            let message = "a space is missing after this colon".to_owned();
            Some((at, message, "write `key: value`"))
        }
        _ => None,
    }
}

/// What looks like a space, or like nothing at all, and is a letter for YAML.
const fn is_odd_space(char: char) -> bool {
    matches!(
        char,
        '\u{a0}' | '\u{2000}'..='\u{200b}' | '\u{202f}' | '\u{3000}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_does_not_see_is_shown() {
        let told = |text: &str| {
            let mistake = yaml_mistake(text).unwrap();
            let before = text.get(..mistake.at).unwrap();
            let line = 1 + before.matches('\n').count();
            let column = 1 + before.chars().rev().take_while(|it| *it != '\n').count();
            format!(
                "{text:?}\n{line}:{column} {}; {}",
                mistake.message, mistake.help
            )
        };
        let all = [
            "s:\n\u{a0}\u{a0}a: 1\n  b: 2\n",
            "a:\u{a0}1\nb: 2\n",
            "a： 1\nb: 2\n",
            "a:1\nb: 2\n",
            "- http://a\n b: 2\n",
            "- a: 1\n-b: 2\n",
            "a:\n- b\n-c\n",
            "<<<<<<< HEAD\na: 1\n",
            "a: 1\n=======\nb: 1\n",
            "a: 1\n--\nb: 1\n",
            "a: \"b{c=\"d\"}\"\n",
            "a: 1\n b: 2\n",
            "a: [b\n",
        ];
        insta::assert_snapshot!(all.map(told).join("\n"), @r#"
        "s:\n\u{a0}\u{a0}a: 1\n  b: 2\n"
        2:1 this is no ordinary space, but U+00A0; write a space in its place
        "a:\u{a0}1\nb: 2\n"
        1:3 this is no ordinary space, but U+00A0; write a space in its place
        "a： 1\nb: 2\n"
        1:2 this is no ordinary colon, but U+FF1A; write `: ` in its place
        "a:1\nb: 2\n"
        1:2 a space is missing after this colon; write `key: value`
        "- http://a\n b: 2\n"
        2:3 this line does not fit the lines above it; look at its indentation, and at a missing colon or space after one; a value with `: ` in it needs quotes
        "- a: 1\n-b: 2\n"
        2:1 a space is missing after this dash; write `- ` before each item of a list
        "a:\n- b\n-c\n"
        3:1 a space is missing after this dash; write `- ` before each item of a list
        "<<<<<<< HEAD\na: 1\n"
        1:1 a conflict of a merge was left here; keep one of the two sides, and remove the marks
        "a: 1\n=======\nb: 1\n"
        2:1 a conflict of a merge was left here; keep one of the two sides, and remove the marks
        "a: 1\n--\nb: 1\n"
        2:1 this line ends no document; write exactly three dashes between documents: ---
        "a: \"b{c=\"d\"}\"\n"
        1:10 the value goes on after its closing quote; put the whole value into quotes of the other kind, as in '…{job="api"}'
        "a: 1\n b: 2\n"
        2:3 this line does not fit the lines above it; look at its indentation, and at a missing colon or space after one; a value with `: ` in it needs quotes
        "a: [b\n"
        1:4 the `[` is not closed; close it, or quote the value if the bracket belongs to it
        "#);
        assert_eq!(yaml_mistake("a: 1\n---\nb: \u{a0}\n"), None);
    }
}
