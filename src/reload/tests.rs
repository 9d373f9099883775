//! Folders that change in all the ways in which folders change.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Mutex;

use tempfile::TempDir;

use super::*;
use crate::domain::slo::SloId;

const SERVICE: &str = include_str!("../../tests/fixtures/definitions/sound/api.yaml");
const ALERTS: &str = include_str!("../../tests/fixtures/definitions/sound/alerts.yaml");

/// A service with one objective.
fn service(name: &str, objective: &str) -> String {
    format!(
        "apiVersion: sloburn.dev/v1\nkind: ServiceObjectives\nmetadata: {{name: {name}}}\nspec:\n  window: 30d\n  alertPolicy: none\n  \
         objectives:\n    - {{name: it, objective: {objective}, errors: {{total: {name}_total, bad: {name}_errors_total}}}}\n"
    )
}

/// A folder that is followed, and the names of the objectives of each set that was handed on.
struct Scene {
    folder: TempDir,
    /// The usual place of alerts would be in here.
    elsewhere: TempDir,
    board: Arc<Board>,
    handed: Arc<Mutex<Vec<String>>>,
    reload: Reload,
}

impl Scene {
    /// Follows a folder that `prepare` fills.
    fn of(prepare: impl FnOnce(&Path)) -> Self {
        let [folder, elsewhere] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        prepare(folder.path());
        let files = Files {
            paths: vec![folder.path().to_owned()],
            usual: vec![elsewhere.path().join("alerts")],
            options: Options::default(),
            settings: None,
        };
        let loaded = files.load();
        assert_eq!(loaded.diagnostics.render_lines(), "");
        let (clock, handed) = (Clock::System, Arc::new(Mutex::new(Vec::new())));
        let board = Arc::new(Board::new(clock.now().into()));
        let told = Arc::clone(&handed);
        let hand_on: HandOn = Box::new(move |catalog| {
            let names: Vec<&str> = catalog.slos.keys().map(SloId::as_str).collect();
            if names.contains(&"impossible/it") {
                return Err("it cannot be planned".to_owned());
            }
            told.lock().unwrap().push(names.join(" "));
            Ok(())
        });
        let catalog = Arc::new(loaded.catalog.unwrap());
        let start = (catalog, loaded.revision, loaded.diagnostics);
        let reload = Reload::new(files, start, (Arc::clone(&board), clock), hand_on);
        Self {
            folder,
            elsewhere,
            board,
            handed,
            reload,
        }
    }

    /// A folder with one service.
    fn plain() -> Self {
        Self::of(|folder| fs::write(folder.join("shop.yaml"), service("shop", "99%")).unwrap())
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Looks until nothing is waited for; returns what was handed on in the meantime.
    async fn settle(&mut self) -> Vec<String> {
        while self.reload.turn().await == QUIET {}
        std::mem::take(&mut *self.handed.lock().unwrap())
    }

    fn status(&self) -> Arc<DefinitionsStatus> {
        self.board.read().definitions.unwrap()
    }

    /// Changes in force, refused ones, and the faults of what is refused now.
    fn told(&self) -> String {
        let status = self.status();
        let faults = status.refused.as_ref().map(|refused| {
            let lines = refused.faults.render_lines();
            lines.replace(&self.folder.path().display().to_string(), "…")
        });
        let faults = faults.unwrap_or_default();
        format!("{} {} {faults}", status.reloads, status.failures)
    }
}

#[test]
fn a_change_of_the_settings_is_told_once_and_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sloburn.yaml");
    let write = |text: &str| fs::write(&path, text).unwrap();
    write("tick: 15s\n");
    let mut settings = Settings::at(path.clone());
    let mut told = Vec::new();
    let mut look = |settings: &mut Settings, what: &str| {
        let sentence = settings.look(settings::digest(&path));
        let sentence = sentence.map(|it| it.replace(&*folder.path().to_string_lossy(), "…"));
        told.push(format!("{what}: {}", sentence.unwrap_or_default()));
    };
    look(&mut settings, "as it was");
    write("tick: 30s\n");
    look(&mut settings, "changed");
    look(&mut settings, "still");
    settings.forget();
    look(&mut settings, "asked");
    fs::remove_file(&path).unwrap();
    look(&mut settings, "gone");
    write("tick: 15s\n");
    look(&mut settings, "taken back");
    write("tick: 30s\n");
    look(&mut settings, "changed anew");
    insta::assert_snapshot!(told.join("\n"), @r"
    as it was: 
    changed: `…/sloburn.yaml` has changed since the start, and what it says is not in force; restart to use it
    still: 
    asked: `…/sloburn.yaml` has changed since the start, and what it says is not in force; restart to use it
    gone: 
    taken back: 
    changed anew: `…/sloburn.yaml` has changed since the start, and what it says is not in force; restart to use it
    ");
}

#[tokio::test]
async fn a_swap_of_links_as_kubernetes_makes_it_is_one_change() {
    let version = |folder: &Path, name: &str, objective: &str| {
        let version = folder.join(name);
        fs::create_dir(&version).unwrap();
        fs::write(version.join("a.yaml"), service("a", objective)).unwrap();
        fs::write(version.join("b.yaml"), service("b", objective)).unwrap();
    };
    let mut scene = Scene::of(|folder| {
        version(folder, "..1", "99%");
        symlink("..1", folder.join("..data")).unwrap();
        for name in ["a.yaml", "b.yaml"] {
            symlink(format!("..data/{name}"), folder.join(name)).unwrap();
        }
    });
    assert!(scene.settle().await.is_empty());
    let folder = scene.folder.path();
    version(folder, "..2", "99.9%");
    symlink("..2", folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    fs::remove_dir_all(folder.join("..1")).unwrap();
    assert_eq!(scene.settle().await, ["a/it b/it"]);
    assert_eq!(scene.told(), "1 0 ");
    // Old and new read in one go are never the same twice: a swap while reading is read again.
    let mut changed: Vec<_> = scene.reload.catalog.slos.values().collect();
    changed.retain(|slo| slo.objective == "99.9%".parse().unwrap());
    assert_eq!(changed.len(), 2);
}

#[tokio::test]
async fn a_set_that_is_still_being_written_is_not_judged() {
    let mut scene = Scene::plain();
    assert!(scene.settle().await.is_empty());
    scene.write("shop.yaml", "apiVersion: sloburn.dev/v1\nkind: Service");
    assert_eq!(scene.reload.turn().await, QUIET);
    // A prefix that would be sound by itself.
    scene.write("shop.yaml", &service("shop", "99"));
    assert_eq!(scene.reload.turn().await, QUIET);
    scene.write("shop.yaml", &service("shop", "99.95%"));
    assert_eq!(scene.reload.turn().await, QUIET);
    assert_eq!(scene.settle().await, ["shop/it"]);
    assert_eq!(scene.told(), "1 0 ");
    for write in 0..1_000 {
        scene.write("shop.yaml", &service("shop", &format!("90.{}%", write + 1)));
        assert_eq!(scene.reload.turn().await, QUIET);
    }
    assert_eq!(scene.settle().await, ["shop/it"]);
    assert_eq!(scene.told(), "2 0 ");
}

#[tokio::test]
async fn files_may_be_replaced_added_and_removed() {
    let mut scene = Scene::plain();
    scene.write(".shop.yaml.swp", &service("shop", "99.5%"));
    let (new, old) = (".shop.yaml.swp", "shop.yaml");
    let folder = scene.folder.path().to_owned();
    fs::rename(folder.join(new), folder.join(old)).unwrap();
    assert_eq!(scene.settle().await, ["shop/it"]);
    scene.write("cart.yaml", &service("cart", "99%"));
    assert_eq!(scene.settle().await, ["cart/it shop/it"]);
    scene.write("notes.txt", "nothing of ours");
    assert!(scene.settle().await.is_empty());
    fs::remove_file(folder.join("shop.yaml")).unwrap();
    assert_eq!(scene.settle().await, ["cart/it"]);
    fs::remove_file(folder.join("cart.yaml")).unwrap();
    assert!(scene.settle().await.is_empty());
    fs::remove_dir_all(&folder).unwrap();
    assert!(scene.settle().await.is_empty());
    insta::assert_snapshot!(scene.told(), @"3 2 error[SB0001]: cannot read `…`: No such file or directory (os error 2); look at the path");
}

#[tokio::test]
async fn a_set_with_one_fault_leaves_all_of_the_old_one_in_force_and_is_told_once() {
    let mut scene = Scene::of(|folder| {
        fs::write(folder.join("api.yaml"), SERVICE).unwrap();
        fs::write(folder.join("alerts.yaml"), ALERTS).unwrap();
    });
    let before = scene.status();
    scene.write("cart.yaml", &service("cart", "99%"));
    scene.write("shop.yaml", &service("shop", "0%"));
    for _ in 0..3 {
        scene.reload.read_at = None;
        assert!(scene.settle().await.is_empty());
    }
    insta::assert_snapshot!(scene.told(), @"0 1 …/shop.yaml:8:29: error[SB0201]: an objective of 0% promises nothing; write one over 0% and up to 100%");
    let after = scene.status();
    assert_eq!(
        (&after.revision, after.since, after.objectives),
        (&before.revision, before.since, before.objectives)
    );
    let reason = &after.refused.as_ref().unwrap().reason;
    let since = after.since.to_string();
    insta::assert_snapshot!(reason.replace(&since, "…"), @"the changed definitions have 1 error and are not used: what was in force since … stays in force; mend them, `sloburn check` shows what is wrong");
    // Back to what is in force: all is well, and nothing is handed on anew.
    for name in ["cart.yaml", "shop.yaml"] {
        fs::remove_file(scene.folder.path().join(name)).unwrap();
    }
    assert!(scene.settle().await.is_empty());
    assert_eq!(scene.told(), "0 1 ");
}

#[tokio::test]
async fn what_cannot_be_worked_with_and_what_is_empty_are_refused_too() {
    let mut scene = Scene::plain();
    scene.write("more.yaml", &service("impossible", "99%"));
    assert!(scene.settle().await.is_empty());
    insta::assert_snapshot!(scene.told(), @"0 1 error[SB0006]: it cannot be planned");
    fs::remove_file(scene.folder.path().join("more.yaml")).unwrap();
    scene.write("shop.yaml", "");
    assert!(scene.settle().await.is_empty());
    insta::assert_snapshot!(scene.told(), @"0 2 error[SB0005]: no objective is defined; stop the daemon if nothing is to be watched any more");
}

#[tokio::test]
async fn who_began_without_objectives_takes_them_up_and_keeps_them() {
    let mut scene = Scene::of(|folder| fs::write(folder.join("alerts.yaml"), ALERTS).unwrap());
    scene.write("alerts.yaml", &format!("{ALERTS}\n"));
    assert_eq!(scene.settle().await.len(), 1);
    scene.write("shop.yaml", &service("shop", "99%"));
    assert_eq!(scene.settle().await, ["shop/it"]);
    fs::remove_file(scene.folder.path().join("shop.yaml")).unwrap();
    assert!(scene.settle().await.is_empty());
    assert_eq!(scene.status().objectives, 1);
}

#[tokio::test]
async fn a_usual_place_may_come_later_and_is_then_needed() {
    let mut scene = Scene::plain();
    assert!(scene.settle().await.is_empty());
    let alerts = scene.elsewhere.path().join("alerts");
    fs::create_dir(&alerts).unwrap();
    fs::write(alerts.join("loud.yaml"), ALERTS).unwrap();
    assert_eq!(scene.settle().await, ["shop/it"]);
    assert_eq!(scene.reload.catalog.receivers.len(), 3);
    fs::remove_dir_all(&alerts).unwrap();
    assert!(scene.settle().await.is_empty());
    assert_eq!(scene.reload.catalog.receivers.len(), 3);
    let told = scene.told();
    assert!(told.starts_with("1 1 error[SB0001]: cannot read"), "{told}");
}

#[test]
fn a_difference_is_told_by_names() {
    let catalog = |services: &[(&str, &str)]| {
        let sources: Vec<_> = services
            .iter()
            .map(|(name, objective)| (PathBuf::from(*name), service(name, objective)))
            .collect();
        definitions::read(&sources, &Options::default()).0.unwrap()
    };
    let few = catalog(&[("a", "99%"), ("b", "99%")]);
    let many = ["b", "c", "d", "e", "f", "g", "h"].map(|name| (name, "99.9%"));
    insta::assert_snapshot!(difference::between(&few, &catalog(&many)), @"7 objectives; added c/it, d/it, e/it, f/it, g/it and 1 more; removed a/it; changed b/it");
    insta::assert_snapshot!(difference::between(&few, &few), @"2 objectives; nothing changed");
}
