//! Sentences in which names and what somebody wrote stand between backticks, as messages and the log show them.

use askama::Template;

/// A sentence for a page: what stands between backticks is code.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(
    source = "{% for (text, is_code) in self.parts() %}{% if is_code %}<code>{{ text }}</code>{% else %}{{ text }}{% endif %}{% endfor %}",
    ext = "html"
)]
pub struct Prose(String);

impl Prose {
    /// `sentence` as it is written.
    pub fn of(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// Its parts, and whether they are code. A backtick without another after it is one.
    fn parts(&self) -> Vec<(&str, bool)> {
        let mut parts = Vec::new();
        let mut rest = self.0.as_str();
        while let Some((before, after)) = rest.split_once('`') {
            let Some((code, after)) = after.split_once('`') else {
                break;
            };
            parts.extend([(before, false), (code, true)]);
            rest = after;
        }
        parts.push((rest, false));
        parts.retain(|(text, _)| !text.is_empty());
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code_and_nothing_becomes_markup() {
        for (sentence, html) in [
            ("all is well", "all is well"),
            (
                "cannot read `a<b`: 5",
                "cannot read <code>a&#60;b</code>: 5",
            ),
            ("`a` and `b`", "<code>a</code> and <code>b</code>"),
            ("it`s <i>", "it`s &#60;i&#62;"),
            ("`a` it`s", "<code>a</code> it`s"),
            ("", ""),
        ] {
            assert_eq!(Prose::of(sentence).to_string(), html);
        }
    }
}
