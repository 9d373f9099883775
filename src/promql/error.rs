//! What is wrong with a selector, a list of matchers or an expression.

use std::ops::Range;

/// Why a text is refused: a sentence that also says what to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct PromqlError {
    sentence: String,
    at: Option<Range<usize>>,
}

impl PromqlError {
    /// A fault of the whole text.
    pub(super) fn new(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            at: None,
        }
    }

    /// The same fault of the bytes `at` of the text.
    pub(super) fn at(self, at: Range<usize>) -> Self {
        Self {
            at: Some(at),
            ..self
        }
    }

    /// Which bytes of the text are at fault, when it is not the whole text.
    pub fn range(&self) -> Option<Range<usize>> {
        self.at.clone()
    }
}
