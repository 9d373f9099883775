//! What the YAML parser complains of, said so that a tired person finds the mistake.

use serde_saphyr::granit_parser::ErrorKind;

use crate::diagnostic::Diagnostic;

use super::super::codes;

/// The fault that `kind` is, without its place.
pub(super) fn explain(kind: &ErrorKind) -> Diagnostic {
    let (message, help) = match kind {
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => (
            "a tab stands where the line is indented".to_owned(),
            "indent by spaces; YAML knows no tabs there",
        ),
        ErrorKind::UnclosedQuotedScalar => (
            "a quote is not closed".to_owned(),
            "close it; inside of '…' a quote is written twice",
        ),
        ErrorKind::UnclosedFlowCollection { open } => (
            format!("the `{open}` is not closed"),
            "close it, or quote the value if the bracket belongs to it",
        ),
        ErrorKind::MisplacedFlowCollectionEnd | ErrorKind::MismatchedFlowCollectionEnd { .. } => (
            "this bracket closes nothing".to_owned(),
            "remove it, or quote the value if the bracket belongs to it",
        ),
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => (
            "a comma or the closing bracket is missing before this".to_owned(),
            "put values with {, }, [, ], commas or colons into quotes",
        ),
        ErrorKind::UnexpectedCharacter { character } => (
            format!("a value cannot start with {character:?}"),
            "put the value into quotes",
        ),
        ErrorKind::UnknownAnchor => (
            "this alias names an anchor that is not above it in this document".to_owned(),
            "write the anchor first, as in &name; a * at the start of a text needs quotes",
        ),
        ErrorKind::UnknownQuotedScalarEscape => (
            "this escape is unknown in double quotes".to_owned(),
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
        | ErrorKind::BlockSequenceEntryNotAllowed => (
            "this line does not fit the lines above it".to_owned(),
            "look at its indentation, and at a missing colon or space after one; a value with `: ` in it needs quotes",
        ),
        ErrorKind::RecursionLimitExceeded => {
            return Diagnostic::error(codes::TOO_COMPLEX, "the document has too many levels")
                .help("look for brackets that are not closed");
        }
        other => (
            format!("this is not YAML: {other}"),
            "look at the indentation and the quotes of this line and the one above",
        ),
    };
    Diagnostic::error(codes::SYNTAX, message).help(help)
}
