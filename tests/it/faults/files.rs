//! Faults of files, which are told with their places before anything is asked.

use std::path::PathBuf;

use sloburn::definitions::{self, Options};

/// What is wrong with files of these names and texts; nothing of them may be used.
fn faults(files: &[(&str, String)]) -> String {
    let files: Vec<_> = files
        .iter()
        .map(|(name, text)| (PathBuf::from(name), text.clone()))
        .collect();
    let (catalog, faults) = definitions::read(&files, &Options::default());
    assert!(catalog.is_none());
    faults.render_lines()
}

fn service(name: &str) -> String {
    format!(
        "apiVersion: sloburn.dev/v1\nkind: ServiceObjectives\nmetadata: {{name: {name}}}\nspec:\n  window: 30d\n  alertPolicy: none\n  \
         objectives:\n    - {{name: it, uid: one, objective: 99%, errors: {{total: a_total, bad: b_total}}}}\n"
    )
}

#[test]
fn row_38_an_identity_that_two_files_use_is_refused_with_its_place() {
    let told = faults(&[
        ("cart.yaml", service("cart")),
        ("shop.yaml", service("shop")),
    ]);
    assert!(
        told.contains("shop.yaml:8:") && told.contains("error[SB0402]"),
        "{told}"
    );
}

#[test]
fn row_39_bombs_deep_nesting_and_double_keys_are_refused() {
    let levels = (1..30).map(|level| {
        let below = format!("*a{}, ", level - 1).repeat(9);
        format!("a{level}: &a{level} [{}]\n", below.trim_end_matches(", "))
    });
    let bomb = format!("a0: &a0 [x]\n{}", levels.collect::<String>());
    let deep = format!("a: {}{}\n", "[".repeat(5_000), "]".repeat(5_000));
    let double = service("shop").replace("  window: 30d\n", "  window: 30d\n  window: 7d\n");
    let nan = service("shop").replace("99%", ".nan");
    for (name, text) in [
        ("bomb", bomb),
        ("deep", deep),
        ("double", double),
        ("nan", nan),
    ] {
        let told = faults(&[("shop.yaml", text)]);
        assert!(told.starts_with("shop.yaml:"), "{name}: {told}");
    }
}
