//! The binary of the image: static, and built by `make static` from the source that is tested.

use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::tools::asked_for;

/// Where it is, or `None` where tests with real servers are not asked for.
pub(crate) fn static_binary() -> Option<PathBuf> {
    if !asked_for("the static binary") {
        return None;
    }
    let path = folder().join("sloburn");
    let built = changed(&path).unwrap_or_else(|| {
        panic!(
            "no static binary at `{}`; build it with `make static`",
            path.display()
        )
    });
    for source in made_of() {
        let is_newer = changed(&source).is_none_or(|changed| changed > built);
        assert!(
            !is_newer,
            "the static binary is older than `{}`; build it again with `make static`",
            source.display()
        );
    }
    Some(path)
}

/// The files that it was made of, as its build wrote down.
pub(crate) fn made_of() -> Vec<PathBuf> {
    let list = fs::read_to_string(folder().join("sloburn.d")).expect("a build writes this list");
    let (_, files) = list.split_once(": ").expect("what is made stands first");
    files.split_whitespace().map(PathBuf::from).collect()
}

/// Beside the folder of the binary that cargo built for these tests.
fn folder() -> PathBuf {
    let built_for_tests = Path::new(env!("CARGO_BIN_EXE_sloburn"));
    let target = built_for_tests
        .ancestors()
        .nth(2)
        .expect("cargo builds into target/PROFILE");
    target.join(format!("{ARCH}-unknown-linux-gnu/quick"))
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}
