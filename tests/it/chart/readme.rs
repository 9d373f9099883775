//! The table in the chart's README says what `values.yaml` says.

use std::fmt::Write as _;
use std::fs;

use super::helm::chart;

const BEGIN: &str = "<!-- The table is made from values.yaml, and a test keeps it so. -->\n";
const END: &str = "<!-- End of the table. -->\n";

/// The files that lie in the chart because Helm reads nothing outside of it.
#[test]
fn the_default_policy_is_the_shipped_one() {
    let shipped = include_str!("../../../alerts/default.yaml");
    let of_the_chart = include_str!("../../../helm/sloburn/files/default-policy.yaml");
    assert!(
        shipped == of_the_chart,
        "cp alerts/default.yaml helm/sloburn/files/default-policy.yaml"
    );
}

#[test]
fn the_table_is_that_of_the_values() {
    let file = chart().join("README.md");
    let readme = fs::read_to_string(&file).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("the table has a beginning");
    let (_, after) = rest.split_once(END).expect("the table has an end");
    let table = table(&fs::read_to_string(chart().join("values.yaml")).unwrap());
    let wanted = format!("{before}{BEGIN}{table}{END}{after}");
    if readme != wanted {
        let made = std::env::temp_dir().join("sloburn-chart-README.md");
        fs::write(&made, wanted).unwrap();
        panic!("the table is old: cp {} {}", made.display(), file.display());
    }
}

/// A row for each key that has a value, with what the comment above it says.
fn table(values: &str) -> String {
    let mut table = "\n| value | default | what it is |\n|---|---|---|\n".to_owned();
    let (mut path, mut comment): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for line in values.lines() {
        let text = line.trim_start();
        if text.is_empty() {
            comment.clear();
            continue;
        }
        if let Some(said) = text.strip_prefix("# ") {
            comment.push(said);
            continue;
        }
        let (key, value) = text.split_once(':').expect("a line is a comment or a key");
        path.truncate((line.len() - text.len()) / 2);
        path.push(key);
        let said = comment.join(" ").replace('|', "\\|");
        // What stands above a section is told with its first key.
        if !value.is_empty() {
            let (key, value) = (path.join("."), value.trim());
            writeln!(table, "| `{key}` | `{value}` | {said} |")
                .expect("a string can be written to");
            comment.clear();
        }
    }
    table.push('\n');
    table
}

#[test]
fn a_table_has_a_row_for_each_value() {
    let values = "# Of the file.\n\n# Where\nurl: \"\"\nlog:\n  # How\n  # much\n  level: info\n  format: json\n";
    assert_eq!(
        table(values),
        "\n| value | default | what it is |\n|---|---|---|\n| `url` | `\"\"` | Where |\n| `log.level` | `info` | How much |\n| `log.format` | `json` |  |\n\n"
    );
}
