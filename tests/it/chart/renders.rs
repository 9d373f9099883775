//! What the chart renders to: the whole of the smallest values, and how each others differ from that.

use std::fs;
use std::path::{Path, PathBuf};

use super::difference;
use super::helm::{Helm, chart};
use super::manifest::{find, objects};

/// Values files by name, the smallest first.
pub(super) fn cases() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/chart/values");
    let entries = fs::read_dir(folder).expect("the folder can be listed");
    let mut cases: Vec<_> = entries
        .map(|entry| {
            let path = entry.expect("an entry can be read").path();
            let name = path
                .file_stem()
                .expect("a file has a name")
                .to_string_lossy()
                .into_owned();
            (name, path)
        })
        .collect();
    cases.sort_by_key(|(name, _)| (name != "minimal", name.clone()));
    cases
}

#[test]
fn both_helms_render_the_same_and_a_change_is_seen() {
    let Some(helms) = Helm::both() else { return };
    let mut minimal: Option<String> = None;
    for (name, values) in cases() {
        let [three, four] = helms.each_ref().map(|helm| helm.render(&values));
        assert_eq!(objects(&three), objects(&four), "{name}");
        let three = without_empty_lines(&three);
        assert_eq!(three, without_empty_lines(&four), "{name}");
        let golden = match &minimal {
            None => three.clone(),
            Some(minimal) => difference::between(minimal, &three),
        };
        minimal.get_or_insert(three);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("golden");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, golden));
    }
}

/// They are all in which the Helms differ.
fn without_empty_lines(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn both_helms_find_nothing_to_lint() {
    let Some(helms) = Helm::both() else { return };
    let chart = chart();
    let chart = chart.to_string_lossy();
    for helm in &helms {
        helm.expect(&["lint", "--strict", &chart], None);
        for (_, values) in cases() {
            helm.expect(
                &[
                    "lint",
                    "--strict",
                    &chart,
                    "--values",
                    &values.to_string_lossy(),
                ],
                None,
            );
        }
    }
}

/// Definitions are followed, so the pod stays; settings are not, so it is started again.
#[test]
fn only_settings_restart_the_pod() {
    let Some([helm, _]) = Helm::both() else {
        return;
    };
    let (_, values) = &cases()[0];
    let values = values.to_string_lossy();
    let chart = chart();
    let chart = chart.to_string_lossy();
    let pod = |set: &[&str]| {
        let arguments = ["template", "sloburn", &chart, "--values", &values];
        let rendered = helm.expect(&[&arguments, set].concat(), None);
        find(&objects(&rendered), "StatefulSet/sloburn")["spec"]["template"].clone()
    };
    let before = pod(&[]);
    for (set, stays) in [
        ("definitions.a\\.yaml=x", true),
        ("alerts.a\\.yaml=x", true),
        ("alerts.default\\.yaml=x", true),
        ("tick=10s", false),
        ("prometheus.url=http://other", false),
        ("existingDefinitions={more}", false),
    ] {
        assert_eq!(pod(&["--set", set]) == before, stays, "{set}");
    }
}

/// As a part of another chart it is handed `global`, and keeps to its own values.
#[test]
fn another_chart_can_contain_it() {
    let Some(helms) = Helm::both() else { return };
    let around = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(around.path().join(name), text).unwrap();
    let own = format!("file://{}", chart().display());
    write(
        "Chart.yaml",
        &format!(
            "apiVersion: v2\nname: around\nversion: 1.0.0\ndependencies: [{{name: sloburn, version: 0.x.x, repository: '{own}'}}]\n"
        ),
    );
    write(
        "values.yaml",
        "global: {region: eu}\nsloburn: {prometheus: {url: http://prometheus}}\n",
    );
    let folder = around.path().to_string_lossy();
    for helm in &helms {
        helm.expect(&["dependency", "update", &folder], None);
        let rendered = objects(&helm.expect(&["template", "shop", &folder], None));
        find(&rendered, "StatefulSet/shop-sloburn");
    }
}

/// Only Helm 4 prints them without a cluster.
#[test]
fn the_notes_say_what_is_missing() {
    let Some([_, helm]) = Helm::both() else {
        return;
    };
    let chart = chart();
    let chart = chart.to_string_lossy();
    for (values, named, silent) in [
        (
            "minimal",
            &[
                "port-forward service/sloburn 9099",
                "no objectives",
                "no receivers",
            ][..],
            &["no volume", "drain"][..],
        ),
        ("slack", &[], &["no objectives", "no receivers"]),
        (
            "no-volume",
            &["port-forward service/sloburn 8080", "There is no volume"],
            &[],
        ),
        ("open-network", &["a drain of the pod's node waits"], &[]),
    ] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("tests/it/chart/values/{values}.yaml"));
        let file = file.to_string_lossy();
        let arguments = [
            "install",
            "sloburn",
            &chart,
            "--values",
            &file,
            "--dry-run=client",
            "--namespace",
            "slo",
        ];
        let printed = helm.expect(&arguments, None);
        let (_, notes) = printed.split_once("NOTES:").expect("Helm prints the notes");
        for text in named {
            assert!(
                notes.contains(text),
                "{values}: `{text}` is missing in\n{notes}"
            );
        }
        for text in silent {
            assert!(!notes.contains(text), "{values}: `{text}` is in\n{notes}");
        }
    }
}
