//! Files and folders as they lie on disks and in mounted volumes.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::{Options, Texts, load, lower, read};
use crate::diagnostic::Paint;

const SERVICE: &str = include_str!("../../../tests/fixtures/definitions/sound/api.yaml");
const ALERTS: &str = include_str!("../../../tests/fixtures/definitions/sound/alerts.yaml");

fn told(folder: &Path, paths: &[PathBuf]) -> String {
    let loaded = load(paths, &Options::default());
    assert_eq!(
        loaded.catalog.is_none(),
        loaded.diagnostics.has_errors(),
        "{:?}",
        loaded.diagnostics
    );
    loaded
        .diagnostics
        .render_lines()
        .replace(&folder.display().to_string(), "…")
}

#[test]
fn folders_are_read_whole_and_every_file_once() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    // As Kubernetes mounts a ConfigMap: the files are links through `..data`.
    fs::create_dir_all(root.join("..2026_01_01")).unwrap();
    fs::create_dir_all(root.join("deep/er")).unwrap();
    fs::write(root.join("..2026_01_01/api.yaml"), SERVICE).unwrap();
    fs::write(root.join("deep/er/alerts.yml"), ALERTS).unwrap();
    fs::write(root.join(".hidden.yaml"), "nonsense: [").unwrap();
    fs::write(root.join("notes.txt"), "nonsense: [").unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("..2026_01_01", root.join("..data")).unwrap();
        std::os::unix::fs::symlink("..data/api.yaml", root.join("api.yaml")).unwrap();
        std::os::unix::fs::symlink("..", root.join("deep/circle")).unwrap();
    }
    let paths = [root.to_owned(), root.join("deep"), root.join("api.yaml")];
    let loaded = load(&paths, &Options::default());
    assert_eq!(loaded.diagnostics.render_lines(), "");
    let files: Vec<String> = loaded
        .sources
        .iter()
        .map(|(path, _)| path.strip_prefix(root).unwrap().display().to_string())
        .collect();
    assert_eq!(files, ["api.yaml", "deep/er/alerts.yml"]);
    assert_eq!(loaded.catalog.unwrap().slos.len(), 5);
}

#[test]
fn files_of_windows_are_read_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("api.yaml");
    fs::write(&path, format!("\u{feff}{}", SERVICE.replace('\n', "\r\n"))).unwrap();
    let loaded = load(&[path], &Options::default());
    assert_eq!(loaded.diagnostics.render_lines(), "");
    assert_eq!(loaded.catalog.unwrap().slos.len(), 5);
}

#[test]
fn what_cannot_be_read_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir(root.join("empty")).unwrap();
    fs::write(root.join("latin.yaml"), b"name: \xe9\n").unwrap();
    let wide: Vec<u8> = format!("\u{feff}{SERVICE}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::write(root.join("wide.yaml"), wide).unwrap();
    fs::write(root.join("large.yaml"), "x".repeat(1024 * 1024 + 1)).unwrap();
    let names = [
        "empty",
        "latin.yaml",
        "wide.yaml",
        "large.yaml",
        "missing.yaml",
    ];
    let paths: Vec<PathBuf> = names.iter().map(|name| root.join(name)).collect();
    insta::assert_snapshot!(told(root, &paths), @r#"
    error[SB0001]: `…/latin.yaml` is not UTF-8: see line 1; save it as UTF-8
    error[SB0001]: `…/wide.yaml` is UTF-16; save it as UTF-8
    error[SB0001]: cannot read `…/missing.yaml`: No such file or directory (os error 2); look at the path
    error[SB0002]: `…/large.yaml` is larger than 1 MiB; split it into several files
    warning[SB0003]: the folder `…/empty` has no definitions; their files end in .yaml or .yml
    "#);
}

#[test]
fn a_name_that_may_stand_in_an_unreadable_file_is_not_called_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let (service, alerts) = (root.join("api.yaml"), root.join("alerts.yaml"));
    fs::write(&service, SERVICE).unwrap();
    let paths = [service, alerts.clone()];
    let missing = told(root, &paths);
    assert!(missing.starts_with("error[SB0001]: cannot read `…/alerts.yaml`"));
    assert_eq!(missing.lines().count(), 1);
    fs::write(&alerts, ALERTS.replace("  tiers:", "\ttiers:")).unwrap();
    insta::assert_snapshot!(told(root, &paths), @r#"…/alerts.yaml:5:2: error[SB0101]: a tab stands where the line is indented; indent by spaces; YAML knows no tabs there"#);
    fs::write(
        &alerts,
        ALERTS
            .replace("{name: default}", "{name: loud}")
            .replace("  tiers:", "\ttiers:"),
    )
    .unwrap();
    insta::assert_snapshot!(told(root, &paths), @r#"
    …/alerts.yaml:5:2: error[SB0101]: a tab stands where the line is indented; indent by spaces; YAML knows no tabs there
    …/api.yaml:4:9: error[SB0403]: there is no alert policy `default`; define it as a document of kind AlertPolicy, or write alertPolicy: none
    "#);
}

#[test]
fn who_defines_no_policy_watches_by_the_built_in_one() {
    let read = |texts: &[&str]| {
        let sources = texts.iter().zip(["api.yaml", "alerts.yaml"]);
        let sources = sources.map(|(text, name)| (name.into(), (*text).to_owned()));
        let faults = Vec::new();
        let texts = Texts {
            sources: sources.collect(),
            faults,
        };
        let loaded = lower(texts, &Options::default());
        let policies = loaded.catalog.map(|catalog| catalog.policies.len());
        (
            loaded.has_built_in_policy,
            policies,
            loaded.diagnostics.render_lines(),
        )
    };
    let receiver = "apiVersion: sloburn.dev/v1\nkind: Receiver\nmetadata: {name: team}\nspec: {alertmanager: {urls: ['http://am']}}\n";
    assert_eq!(read(&[SERVICE]), (true, Some(1), String::new()));
    assert_eq!(read(&[SERVICE, receiver]), (true, Some(1), String::new()));
    assert_eq!(read(&[SERVICE, ALERTS]), (false, Some(1), String::new()));
    // Nobody needs one: nothing is added.
    let silent = SERVICE.replace("  window: 30d", "  alertPolicy: none\n  window: 30d");
    assert_eq!(read(&[&silent]), (false, Some(0), String::new()));
    // Who defines another has misspelt it.
    let (is_built_in, _, faults) = read(&[
        SERVICE,
        &ALERTS.replace("{name: default}", "{name: defualt}"),
    ]);
    assert!(
        !is_built_in && faults.contains("did you mean `defualt`?"),
        "{faults}"
    );
    // And so has who defines none.
    let misspelt = SERVICE.replace("  window: 30d", "  alertPolicy: defalt\n  window: 30d");
    let (_, _, faults) = read(&[&misspelt]);
    assert!(faults.contains("did you mean `default`?"), "{faults}");
}

#[test]
fn the_built_in_policy_is_judged_as_any_and_its_place_is_named() {
    let short = SERVICE.replace("window: 30d", "window: 1d");
    let sources = [(PathBuf::from("api.yaml"), short)];
    let (_, diagnostics) = read(&sources, &Options::default());
    let text = diagnostics.render_text(&sources, Paint::Plain);
    assert!(
        text.contains("note: this tier at built-in default.yaml:11:14"),
        "{text}"
    );
}
