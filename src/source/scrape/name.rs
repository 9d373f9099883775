//! Names and labels of a page's series: where they end, and what they mean.

use crate::domain::labels::METRIC_NAME;

use super::page::shown;

/// How many labels a series may have, its name among them: each is compared with all others of its series.
const MOST_LABELS: usize = 128;

/// Name and labels of a line, and what follows.
pub(super) fn split(text: &str) -> Result<(&str, &str), String> {
    let mut quoted = false;
    let mut escaped = false;
    let mut braces = false;
    for (index, char) in text.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => {
                if !braces {
                    return Err("a quoted name stands within braces, as {\"my.metric\"}".to_owned());
                }
                quoted = !quoted;
            }
            _ if quoted => {}
            '{' if !braces => braces = true,
            '{' => return Err("a second `{` where labels are due".to_owned()),
            '}' if braces => return Ok(text.split_at(index + 1)),
            ' ' | '\t' if !braces => {
                let (name, rest) = text.split_at(index);
                // Blanks may part a name from its braces.
                if !rest.trim_start_matches([' ', '\t']).starts_with('{') {
                    return Ok((name, rest));
                }
            }
            _ => {}
        }
    }
    match (quoted, braces) {
        (true, _) => Err("a quoted text has no end".to_owned()),
        (false, true) => Err("`}` is missing".to_owned()),
        (false, false) => Err(format!("`{}` has no value", shown(text))),
    }
}

/// The labels of a series as [`split`] found it, its name among them.
pub(super) fn labels(series: &str) -> Result<Vec<(String, String)>, String> {
    let (name, inner) = match series.split_once('{') {
        None => (series, None),
        Some((name, rest)) => (
            name.trim_end_matches([' ', '\t']),
            Some(rest.strip_suffix('}').unwrap_or(rest)),
        ),
    };
    let mut pairs = Vec::new();
    if !name.is_empty() {
        if !is_metric_name(name) {
            return Err(format!("`{}` is no name for a metric", shown(name)));
        }
        pairs.push((METRIC_NAME.to_owned(), name.to_owned()));
    }
    if let Some(inner) = inner {
        Reader { rest: inner }.pairs(&mut pairs)?;
    }
    if pairs.first().is_none_or(|(name, _)| name != METRIC_NAME) {
        return Err(format!("`{}` has no name", shown(series)));
    }
    Ok(pairs)
}

/// Reads what stands within braces.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn pairs(&mut self, pairs: &mut Vec<(String, String)>) -> Result<(), String> {
        loop {
            self.blanks();
            if self.rest.is_empty() {
                return Ok(());
            }
            if pairs.len() == MOST_LABELS {
                let metric = pairs.first().map_or("", |(_, metric)| metric);
                let metric = shown(metric);
                return Err(format!("`{metric}` has more than {MOST_LABELS} labels"));
            }
            let is_quoted = self.rest.starts_with('"');
            let name = if is_quoted {
                self.quoted()?
            } else {
                self.bare()?
            };
            self.blanks();
            if let Some(rest) = self.rest.strip_prefix('=') {
                self.rest = rest;
                self.blanks();
                let value = self.quoted()?;
                if pairs.iter().any(|(known, _)| *known == name) {
                    return Err(format!("the label `{}` is there twice", shown(&name)));
                }
                pairs.push((name, value));
            } else if is_quoted && pairs.is_empty() {
                pairs.push((METRIC_NAME.to_owned(), name));
            } else {
                return Err(format!("`=` is missing after the label `{}`", shown(&name)));
            }
            self.blanks();
            match self.rest.strip_prefix(',') {
                Some(rest) => self.rest = rest,
                None if self.rest.is_empty() => return Ok(()),
                None => return Err(format!("`,` is missing before `{}`", shown(self.rest))),
            }
        }
    }

    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn bare(&mut self) -> Result<String, String> {
        let end = self.rest.find(|char: char| !is_name_char(char));
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(format!("`{}` is no name for a label", shown(self.rest)));
        }
        self.rest = rest;
        Ok(name.to_owned())
    }

    fn quoted(&mut self) -> Result<String, String> {
        let Some(inner) = self.rest.strip_prefix('"') else {
            return Err(format!(
                "a quoted text is due before `{}`",
                shown(self.rest)
            ));
        };
        let (mut text, mut chars) = (String::new(), inner.chars());
        while let Some(char) = chars.next() {
            match char {
                '"' => {
                    self.rest = chars.as_str();
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some('n') => text.push('\n'),
                    Some(plain @ ('\\' | '"')) => text.push(plain),
                    // Prometheus leaves unknown escapes as they are.
                    Some(other) => text.extend(['\\', other]),
                    None => break,
                },
                plain => text.push(plain),
            }
        }
        Err("a quoted text has no end".to_owned())
    }
}

fn is_name_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || char == '_'
}

fn is_metric_name(name: &str) -> bool {
    name.chars().all(|char| is_name_char(char) || char == ':')
        && !name.starts_with(|first: char| first.is_ascii_digit())
}
