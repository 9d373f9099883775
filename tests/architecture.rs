//! Dependencies point down: the table in `docs/architecture.md` says which module may import which, and this reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const DOCUMENT: &str = include_str!("../docs/architecture.md");
const HEADING: &str = "## Who may import whom";

#[test]
fn every_arrow_of_the_source_is_in_the_table() {
    let table = parse_table(DOCUMENT).unwrap();
    let mut found = String::new();
    let mut files = 0;
    for (path, source) in rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "src") {
        files += 1;
        for fault in faults(&table, &path, &source) {
            writeln!(found, "{fault}").unwrap();
        }
    }
    assert!(files > 0, "no source was found, so nothing was checked");
    assert!(
        found.is_empty(),
        "\n{found}\nWho may import whom stands in docs/architecture.md."
    );
}

/// Module to the modules that it may import.
type Table = BTreeMap<String, BTreeSet<String>>;

fn parse_table(document: &str) -> Result<Table, String> {
    let (_, section) = document
        .split_once(HEADING)
        .ok_or(format!("`{HEADING}` is missing"))?;
    let rows = section
        .lines()
        .map(str::trim)
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'));
    let mut table = Table::new();
    for row in rows.skip(2) {
        let [modules, allowed] = row
            .trim_matches('|')
            .split('|')
            .map(str::trim)
            .collect::<Vec<_>>()[..]
        else {
            return Err(format!("a row has two cells: {row}"));
        };
        let above: BTreeSet<String> = table.keys().cloned().collect();
        let allowed: BTreeSet<String> = match allowed {
            "nothing of ours" => BTreeSet::new(),
            "everything above" => above.clone(),
            listed => listed.split(", ").map(str::to_owned).collect(),
        };
        if let Some(unknown) = allowed.difference(&above).next() {
            return Err(format!(
                "`{unknown}` is not in a row above that of `{modules}`"
            ));
        }
        for module in modules.split(", ") {
            if table.insert(module.to_owned(), allowed.clone()).is_some() {
                return Err(format!("`{module}` has two rows"));
            }
        }
    }
    if table.is_empty() {
        Err(format!("no table under `{HEADING}`"))
    } else {
        Ok(table)
    }
}

fn rust_files(folder: &Path, shown: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the entry can be read").path();
        let name = format!(
            "{shown}/{}",
            path.file_name().expect("an entry has a name").display()
        );
        if path.is_dir() {
            files.extend(rust_files(&path, &name));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push((name, fs::read_to_string(&path).expect("source is UTF-8")));
        }
    }
    files.sort();
    files
}

/// Everything wrong with one file, `path` from `src/` on, each as `path:line: sentence`.
fn faults(table: &Table, path: &str, source: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !source.starts_with("//!") {
        found.push(format!(
            "{path}:1: the first line says what the file is for, as `//!`"
        ));
    }
    let parts: Vec<&str> = path
        .trim_start_matches("src/")
        .trim_end_matches(".rs")
        .split('/')
        .collect();
    let module = parts[0];
    let tokens = tokens(source);
    if matches!(path, "src/lib.rs" | "src/main.rs") {
        // The binary lies above all modules; the library's root could hide arrows behind names.
        let import = tokens
            .iter()
            .find(|(_, text)| path == "src/lib.rs" && text == "use");
        found.extend(import.map(|(line, _)| {
            format!("{path}:{line}: the root only declares modules: no imports, no re-exports")
        }));
        return found;
    }
    if !table.contains_key(module) {
        found.push(format!(
            "{path}:1: module `{module}` is missing in the table"
        ));
        return found;
    }
    // How many `super` lead from this file to the root of the crate.
    let depth = parts.iter().filter(|part| **part != "mod").count();
    for Arrow { line, to } in arrows(&tokens, depth) {
        let fault = match to.as_str() {
            "{" | "*" => Some("one `use crate::module::…` line per module, not a group".to_owned()),
            own if own == module => None,
            other if !table.contains_key(other) => Some(format!(
                "`{other}` is no module of the table: name the module it is in, not the root"
            )),
            other if !table[module].contains(other) => {
                Some(format!("`{module}` may not import `{other}`"))
            }
            _ => None,
        };
        found.extend(fault.map(|fault| format!("{path}:{line}: {fault}")));
    }
    found
}

/// A path that starts at the root of the crate, by what follows the root.
#[derive(Debug, PartialEq)]
struct Arrow {
    line: usize,
    to: String,
}

/// Paths by `crate::`, and those that climb to the root by `super::`, which inline modules make longer.
fn arrows(tokens: &[(usize, String)], depth: usize) -> Vec<Arrow> {
    let text = |at: usize| tokens.get(at).map_or("", |(_, text)| text.as_str());
    let mut found = Vec::new();
    let (mut braces, mut inline_modules) = (0, Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        let line = tokens[at].0;
        match text(at) {
            "{" => {
                braces += 1;
                if at >= 2 && text(at - 2) == "mod" {
                    inline_modules.push(braces);
                }
            }
            "}" => {
                if inline_modules.last() == Some(&braces) {
                    inline_modules.pop();
                }
                braces -= 1;
            }
            "crate" if text(at + 1) == "::" => found.push(Arrow {
                line,
                to: text(at + 2).to_owned(),
            }),
            "super" => {
                let mut climbed = 1;
                while text(at + 1) == "::" && text(at + 2) == "super" {
                    climbed += 1;
                    at += 2;
                }
                if climbed == depth + inline_modules.len() && text(at + 1) == "::" {
                    found.push(Arrow {
                        line,
                        to: text(at + 2).to_owned(),
                    });
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// Words, `::` and single signs with their lines; comments, strings and characters are left out.
fn tokens(source: &str) -> Vec<(usize, String)> {
    let chars: Vec<char> = source.chars().collect();
    let peek = |at: usize| chars.get(at).copied().unwrap_or('\0');
    let mut found = Vec::new();
    let (mut at, mut line, mut counted) = (0, 1, 0);
    while at < chars.len() {
        line += chars[counted..at]
            .iter()
            .filter(|char| **char == '\n')
            .count();
        counted = at;
        match (peek(at), peek(at + 1)) {
            ('/', '/') => {
                at += chars[at..].iter().take_while(|c| **c != '\n').count();
            }
            ('/', '*') => at = after_comment(&chars, at),
            ('"', _) => at = after_quoted(&chars, at, '"'),
            ('\'', '\\') => at = after_quoted(&chars, at, '\''),
            ('\'', _) if peek(at + 2) == '\'' => at += 3,
            (':', ':') => {
                found.push((line, "::".to_owned()));
                at += 2;
            }
            ('_' | 'a'..='z' | 'A'..='Z' | '0'..='9', _) => {
                let of_word = |c: &&char| **c == '_' || c.is_alphanumeric();
                let word: String = chars[at..].iter().take_while(of_word).collect();
                let end = at + word.chars().count();
                let may_be_raw = matches!(word.as_str(), "r" | "br" | "cr");
                let raw = if may_be_raw {
                    raw_string(&chars, end)
                } else {
                    None
                };
                if raw.is_none() {
                    found.push((line, word));
                }
                at = raw.unwrap_or(end);
            }
            (sign, _) => {
                if !sign.is_whitespace() {
                    found.push((line, sign.to_string()));
                }
                at += 1;
            }
        }
    }
    found
}

fn after_comment(chars: &[char], start: usize) -> usize {
    let (mut at, mut nested) = (start + 2, 1);
    while nested > 0 && at < chars.len() {
        let step = match chars[at..] {
            ['/', '*', ..] => 1,
            ['*', '/', ..] => -1,
            _ => 0,
        };
        nested += step;
        at += if step == 0 { 1 } else { 2 };
    }
    at
}

fn after_quoted(chars: &[char], start: usize, quote: char) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The end of a raw string whose hashes or quote begin at `start`; a raw identifier (`r#type`) is none.
fn raw_string(chars: &[char], start: usize) -> Option<usize> {
    let hashes = chars[start..]
        .iter()
        .take_while(|char| **char == '#')
        .count();
    if chars.get(start + hashes) != Some(&'"') {
        return None;
    }
    let close: Vec<char> = std::iter::once('"')
        .chain(std::iter::repeat_n('#', hashes))
        .collect();
    let body = start + hashes + 1;
    let length = chars[body..]
        .windows(close.len())
        .position(|window| window == close)?;
    Some(body + length + close.len())
}

const TABLE: &str = "## Who may import whom
| module | may import |
|---|---|
| low, base | nothing of ours |
| mid | low |
| top | everything above |
";

/// `file ⇒ text after its first line ⇒ line: what is wrong`; `⏎` begins a new line.
const REFUSED: &str = r#"
src/low/a.rs ⇒ use crate::mid::Thing; ⇒ 2: `low` may not import `mid`
src/low/a.rs ⇒ use crate::base::Thing; ⇒ 2: `low` may not import `base`
src/low.rs ⇒ ⏎fn f() { crate::top::run(); } ⇒ 3: `low` may not import `top`
src/low/mod.rs ⇒ use super::mid::Thing; ⇒ 2: `low` may not import `mid`
src/low/a/b.rs ⇒ use super::super::super::mid::Thing; ⇒ 2: `low` may not import `mid`
src/low.rs ⇒ mod tests {⏎ use super::super::mid::Thing; } ⇒ 3: `low` may not import `mid`
src/low.rs ⇒ #[cfg(test)] mod tests { use crate::mid::Thing; } ⇒ 2: `low` may not import `mid`
src/low.rs ⇒ mod tests { fn f() {} } use super::mid::Thing; ⇒ 2: `low` may not import `mid`
src/low.rs ⇒ macro_rules! m { () => { $crate::mid::f() } } ⇒ 2: `low` may not import `mid`
src/low.rs ⇒ const QUOTE: char = '"'; use crate :: mid; ⇒ 2: `low` may not import `mid`
src/low.rs ⇒ fn f<'a>(s: &'a str) { crate::mid::f(s) } ⇒ 2: `low` may not import `mid`
src/low.rs ⇒ const S: &str = r"⏎"; use crate::mid::A; ⇒ 3: `low` may not import `mid`
src/top.rs ⇒ use crate::{low::A, mid::B}; ⇒ 2: one `use crate::module::…` line per module, not a group
src/top.rs ⇒ use crate::*; ⇒ 2: one `use crate::module::…` line per module, not a group
src/top.rs ⇒ use super::{low, mid}; ⇒ 2: one `use crate::module::…` line per module, not a group
src/top.rs ⇒ use crate::Thing; ⇒ 2: `Thing` is no module of the table: name the module it is in, not the root
src/lib.rs ⇒ pub use crate::low::Thing; ⇒ 2: the root only declares modules: no imports, no re-exports
src/lib.rs ⇒ pub use low::Thing; ⇒ 2: the root only declares modules: no imports, no re-exports
src/lost/a.rs ⇒  ⇒ 1: module `lost` is missing in the table
"#;

const ACCEPTED: &str = r##"
src/mid/a.rs ⇒ use crate::low::{A, B};⏎use crate::mid::b::C;⏎use super::c::D;⏎use super::super::low::E;
src/low/mod.rs ⇒ pub mod mid;⏎mod tests { use super::mid::Thing; }
src/low.rs ⇒ //! [`crate::top`]⏎// crate::top::x⏎/* crate::top /* crate::mid */ crate::top */
src/low.rs ⇒ const S: &str = "\"crate::mid::x"; const R: &str = r#"" crate::mid::x"#; const B: &[u8] = b"crate::mid";
src/low.rs ⇒ pub(crate) fn r#type(x: char) -> bool { x == '\'' || x == '"' } // crate::mid::x
src/lib.rs ⇒ pub mod low;⏎pub mod mid;
src/main.rs ⇒ use sloburn::top;
"##;

/// A checker that cannot fail checks nothing.
#[test]
fn faulty_files_are_refused_and_good_ones_are_not() {
    let table = parse_table(TABLE).unwrap();
    let check = |path: &str, body: &str| {
        let source = format!("//! What it is for.\n{}", body.replace('⏎', "\n"));
        faults(&table, path, &source).join("\n")
    };
    for case in REFUSED.lines().filter(|line| !line.is_empty()) {
        let [path, body, fault] = case.split(" ⇒ ").collect::<Vec<_>>()[..] else {
            panic!("a case has three parts: {case}");
        };
        assert_eq!(check(path, body), format!("{path}:{fault}"), "{case}");
    }
    for case in ACCEPTED.lines().filter(|line| !line.is_empty()) {
        let (path, body) = case.split_once(" ⇒ ").unwrap();
        assert_eq!(check(path, body), "", "{case}");
    }
    let undescribed = "src/low.rs:1: the first line says what the file is for, as `//!`";
    assert_eq!(faults(&table, "src/low.rs", "fn f() {}"), [undescribed]);
}

#[test]
fn a_table_with_an_arrow_up_is_refused() {
    let refusal = |rows: &str| {
        parse_table(&format!(
            "{HEADING}\n| module | may import |\n|---|---|\n{rows}"
        ))
        .unwrap_err()
    };
    assert_eq!(
        refusal("| low | mid |\n| mid | nothing of ours |"),
        "`mid` is not in a row above that of `low`"
    );
    assert_eq!(
        refusal("| low, base | low |"),
        "`low` is not in a row above that of `low, base`"
    );
    assert_eq!(
        refusal("| low | nothing of ours |\n| low | nothing of ours |"),
        "`low` has two rows"
    );
    assert_eq!(refusal("| low |"), "a row has two cells: | low |");
    assert_eq!(refusal(""), "no table under `## Who may import whom`");
}
