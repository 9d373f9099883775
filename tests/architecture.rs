//! Dependencies point down: the table in `docs/architecture.md` says which module may import which, and what of the
//! world it may touch, and this reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const DOCUMENT: &str = include_str!("../docs/architecture.md");
const MANIFEST: &str = include_str!("../Cargo.toml");
const HEADING: &str = "## Who may import whom";

#[test]
fn every_arrow_of_the_source_is_in_the_table() {
    let table = parse_table(DOCUMENT).unwrap();
    let crates = crates(MANIFEST);
    assert!(crates.contains("tokio"), "{crates:?}");
    let mut found = String::new();
    let mut files = 0;
    for (path, source) in rust_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "src") {
        files += 1;
        for fault in faults((&table, &crates), &path, &source) {
            writeln!(found, "{fault}").unwrap();
        }
    }
    assert!(files > 0, "no source was found, so nothing was checked");
    assert!(
        found.is_empty(),
        "\n{found}\nWho may import whom stands in docs/architecture.md."
    );
}

/// What the table says of each module.
type Table = BTreeMap<String, Row>;

#[derive(Debug)]
struct Row {
    /// Which modules it may import, and for each the part of it that it may not.
    modules: BTreeMap<String, Option<String>>,
    /// Which crates it may use, and which parts of the standard library that touch the world.
    world: BTreeSet<String>,
}

/// The parts of the standard library that touch the world.
const TOUCHING: [&str; 5] = ["env", "fs", "net", "process", "thread"];

/// Crates without a row's leave: they make no difference to what a module does.
const FREE: [&str; 1] = ["thiserror"];

/// The names of a manifest's dependencies, as they stand in paths.
fn crates(manifest: &str) -> BTreeSet<String> {
    let lines = manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]");
    let lines = lines.skip(1).take_while(|line| !line.starts_with('['));
    let names = lines.filter_map(|line| line.split_once(" = "));
    names.map(|(name, _)| name.replace('-', "_")).collect()
}

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
        let [module, allowed, world] = row
            .trim_matches('|')
            .split('|')
            .map(str::trim)
            .collect::<Vec<_>>()[..]
        else {
            return Err(format!("a row has three cells: {row}"));
        };
        let modules: BTreeMap<String, Option<String>> = match allowed {
            "nothing of ours" => BTreeMap::new(),
            "everything above" => table.keys().map(|above| (above.clone(), None)).collect(),
            listed => listed.split(", ").map(with_exception).collect(),
        };
        if let Some(unknown) = modules.keys().find(|name| !table.contains_key(*name)) {
            return Err(format!(
                "`{unknown}` is not in a row above that of `{module}`"
            ));
        }
        let world = world.split(", ").map(str::to_owned).collect();
        let row = Row { modules, world };
        if table.insert(module.to_owned(), row).is_some() {
            return Err(format!("`{module}` has two rows"));
        }
    }
    if table.is_empty() {
        Err(format!("no table under `{HEADING}`"))
    } else {
        Ok(table)
    }
}

/// `module` or `module (not part)`.
fn with_exception(cell: &str) -> (String, Option<String>) {
    match cell.split_once(" (not ") {
        None => (cell.to_owned(), None),
        Some((module, part)) => (
            module.to_owned(),
            Some(part.trim_end_matches(')').to_owned()),
        ),
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
fn faults((table, crates): (&Table, &BTreeSet<String>), path: &str, source: &str) -> Vec<String> {
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
    let Some(row) = table.get(module) else {
        found.push(format!(
            "{path}:1: module `{module}` is missing in the table"
        ));
        return found;
    };
    // How many `super` lead from this file to the root of the crate.
    let depth = parts.iter().filter(|part| **part != "mod").count();
    for Arrow { line, to, within } in arrows(&tokens, depth) {
        let refused = row.modules.get(&to).and_then(Option::as_ref);
        let fault = match to.as_str() {
            "{" | "*" => Some("one `use crate::module::…` line per module, not a group".to_owned()),
            own if own == module => None,
            other if !table.contains_key(other) => Some(format!(
                "`{other}` is no module of the table: name the module it is in, not the root"
            )),
            other if !row.modules.contains_key(other) => {
                Some(format!("`{module}` may not import `{other}`"))
            }
            other => refused
                .filter(|part| within.contains(part))
                .map(|part| format!("`{module}` may not import `{other}::{part}`")),
        };
        found.extend(fault.map(|fault| format!("{path}:{line}: {fault}")));
    }
    // Tests may use what they like. A crate that is called as a module of ours cannot be told from that.
    let is_crate = |name: &str| crates.contains(name) && !table.contains_key(name);
    let of_tests = parts.contains(&"tests");
    for (line, used) in world(&tokens, is_crate) {
        let may = of_tests || row.world.contains(&used) || FREE.contains(&used.as_str());
        if !may {
            found.push(format!("{path}:{line}: `{module}` may not use `{used}`"));
        }
    }
    found
}

/// The crates and the parts of the standard library that a file names outside of its tests, which come last.
fn world(tokens: &[(usize, String)], is_crate: impl Fn(&str) -> bool) -> Vec<(usize, String)> {
    let text = |at: usize| tokens.get(at).map_or("", |(_, text)| text.as_str());
    let mut found = Vec::new();
    for (at, (line, name)) in tokens.iter().enumerate() {
        if name == "mod" && text(at + 1) == "tests" && text(at + 2) == "{" {
            break;
        }
        let begins = at == 0 || !matches!(text(at - 1), "::" | ".");
        if !begins || text(at + 1) != "::" {
            continue;
        }
        if is_crate(name) {
            found.push((*line, name.clone()));
        } else if name == "std" {
            let parts = parts_behind(tokens, at + 1);
            let touching = parts
                .iter()
                .filter(|part| TOUCHING.contains(&part.as_str()));
            found.extend(touching.map(|part| (*line, format!("std::{part}"))));
        }
    }
    found
}

/// What a path goes on with behind the `::` at `at`: one part, or those of a group; nothing where it ends before.
fn parts_behind(tokens: &[(usize, String)], at: usize) -> Vec<String> {
    let mut parts = Vec::new();
    if tokens.get(at).is_none_or(|(_, text)| text != "::") {
        return parts;
    }
    let (mut depth, mut begins) = (0, true);
    for (_, text) in tokens.iter().skip(at + 1) {
        match text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," => begins = depth == 1,
            part => {
                if begins {
                    parts.push(part.to_owned());
                }
                begins = false;
            }
        }
        if depth == 0 {
            break;
        }
    }
    parts
}

/// A path that starts at the root of the crate, by what follows the root, and what follows that.
#[derive(Debug, PartialEq)]
struct Arrow {
    line: usize,
    to: String,
    within: Vec<String>,
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
                within: parts_behind(tokens, at + 3),
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
                        within: parts_behind(tokens, at + 3),
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
| module | may import | may use |
|---|---|---|
| low | nothing of ours | |
| base | nothing of ours | clock, std::fs |
| mid | low (not deep) | socket_io |
| top | everything above | |
";

const CRATES: &str = "[package]
name = \"sloburn\"
[dependencies]
# Why.
socket-io = { version = \"1\", features = [\"a\"] }
clock = \"1\"
thiserror = \"1\"

[dev-dependencies]
dice = \"1\"
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
src/mid.rs ⇒ use crate::low::deep::Thing; ⇒ 2: `mid` may not import `low::deep`
src/mid.rs ⇒ use crate::low::{a::B, deep::Thing}; ⇒ 2: `mid` may not import `low::deep`
src/low.rs ⇒ use socket_io::Thing; ⇒ 2: `low` may not use `socket_io`
src/low.rs ⇒ fn f() { socket_io::call() } ⇒ 2: `low` may not use `socket_io`
src/mid/a.rs ⇒ #[clock::main]⏎fn f() {} ⇒ 2: `mid` may not use `clock`
src/mid/a.rs ⇒ use std::fs; ⇒ 2: `mid` may not use `std::fs`
src/mid/a.rs ⇒ use std::{collections::{BTreeMap, fs}, net::IpAddr}; ⇒ 2: `mid` may not use `std::net`
src/base.rs ⇒ fn f() { std::process::exit(1) } ⇒ 2: `base` may not use `std::process`
"#;

const ACCEPTED: &str = r##"
src/mid/a.rs ⇒ use crate::low::{A, B};⏎use crate::mid::b::C;⏎use super::c::D;⏎use super::super::low::E;
src/low/mod.rs ⇒ pub mod mid;⏎mod tests { use super::mid::Thing; }
src/low.rs ⇒ //! [`crate::top`]⏎// crate::top::x⏎/* crate::top /* crate::mid */ crate::top */
src/low.rs ⇒ const S: &str = "\"crate::mid::x"; const R: &str = r#"" crate::mid::x"#; const B: &[u8] = b"crate::mid";
src/low.rs ⇒ pub(crate) fn r#type(x: char) -> bool { x == '\'' || x == '"' } // crate::mid::x
src/lib.rs ⇒ pub mod low;⏎pub mod mid;
src/main.rs ⇒ use sloburn::top;
src/mid.rs ⇒ use crate::low::{a::{deep, B}, deeper};⏎use socket_io::Thing;⏎use crate::mid::clock;
src/base.rs ⇒ use std::fs::File;⏎use std::{fs, fmt};⏎fn f() { low.clock::<u8>() } // socket_io::call()
src/low/tests.rs ⇒ use socket_io::Thing;⏎use std::fs;
src/low.rs ⇒ use thiserror::Error;⏎use dice::Die;⏎#[cfg(test)]⏎mod tests {⏎use socket_io::Thing; }
"##;

/// A checker that cannot fail checks nothing.
#[test]
fn faulty_files_are_refused_and_good_ones_are_not() {
    let table = parse_table(TABLE).unwrap();
    let crates = crates(CRATES);
    let check = |path: &str, body: &str| {
        let source = format!("//! What it is for.\n{}", body.replace('⏎', "\n"));
        faults((&table, &crates), path, &source).join("\n")
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
    let found = faults((&table, &crates), "src/low.rs", "fn f() {}");
    assert_eq!(found, [undescribed]);
}

#[test]
fn a_table_with_an_arrow_up_is_refused() {
    let refusal = |rows: &str| {
        parse_table(&format!(
            "{HEADING}\n| module | may import | may use |\n|---|---|---|\n{rows}"
        ))
        .unwrap_err()
    };
    assert_eq!(
        refusal("| low | mid | |\n| mid | nothing of ours | |"),
        "`mid` is not in a row above that of `low`"
    );
    assert_eq!(
        refusal("| low | low | |"),
        "`low` is not in a row above that of `low`"
    );
    assert_eq!(
        refusal("| low | nothing of ours | |\n| low | nothing of ours | |"),
        "`low` has two rows"
    );
    assert_eq!(refusal("| low |"), "a row has three cells: | low |");
    assert_eq!(refusal(""), "no table under `## Who may import whom`");
}
