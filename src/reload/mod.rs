//! Follows the files of definitions: a set that is whole and without fault is handed on, any other
//! leaves the one in force as it is, and says so.
//!
//! Files are looked at, not watched: that works the same on disks, in mounted volumes of Kubernetes
//! (whose files are links that are swapped together) and over the network.

mod difference;
mod settings;

#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::spawn_blocking;
use tokio::time::{Duration, Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::definitions::{self, Loaded, Look, Options, Texts, codes};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::domain::slo::Catalog;
use crate::status::board::{Board, DefinitionsStatus, Refusal};

use settings::Settings;

/// How often names, sizes and times of the files are looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How often contents are read although those look the same: some mounts do not keep times.
const READ: Duration = Duration::from_secs(15);
/// A changed set is taken to be whole when it is read twice, so far apart, and is the same.
const QUIET: Duration = Duration::from_secs(1);

/// Where definitions are and how they are judged.
#[derive(Clone, Debug)]
pub struct Files {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// The usual places of more, of which nobody spoke: they may be missing, and come later.
    pub usual: Vec<PathBuf>,
    /// What they are judged by.
    pub options: Options,
    /// The file of the daemon's own settings, of which a change is only told.
    pub settings: Option<PathBuf>,
}

impl Files {
    /// Reads and judges what is there.
    pub fn load(&self) -> Loaded {
        definitions::load(&self.present(), &self.options)
    }

    /// What is to be read now.
    fn present(&self) -> Vec<PathBuf> {
        let usual = self.usual.iter().filter(|path| path.exists());
        self.paths.iter().chain(usual).cloned().collect()
    }

    /// What was there once is not removed without a word: receivers would go with it.
    fn need_what_is_there(&mut self) {
        let usual = std::mem::take(&mut self.usual);
        let (there, missing) = usual.into_iter().partition(|path| path.exists());
        self.paths.extend::<Vec<_>>(there);
        self.usual = missing;
    }
}

/// Hands a catalog on to everybody who works by it, or says in a sentence why nobody can.
pub type HandOn = Box<dyn FnMut(&Arc<Catalog>) -> Result<(), String> + Send>;

/// Follows the files.
pub struct Reload {
    files: Files,
    hand_on: HandOn,
    board: Arc<Board>,
    clock: Clock,
    settings: Option<Settings>,
    /// What is in force.
    catalog: Arc<Catalog>,
    status: DefinitionsStatus,
    /// The set that was judged last, whatever came of it.
    judged: String,
    /// Another set, which was read once.
    candidate: Option<String>,
    look: Look,
    /// When contents were read last; `None` when they are to be read whatever files look like.
    read_at: Option<Instant>,
}

impl std::fmt::Debug for Reload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reload")
            .field("files", &self.files)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Reload {
    /// Follows `files`, from which `catalog` was loaded with these `warnings` as `revision`.
    pub fn new(
        mut files: Files,
        (catalog, revision, warnings): (Arc<Catalog>, String, Diagnostics),
        (board, clock): (Arc<Board>, Clock),
        hand_on: HandOn,
    ) -> Self {
        let now = clock.now().into();
        let status = DefinitionsStatus {
            revision: revision.clone(),
            since: now,
            objectives: count(catalog.slos.len()),
            warnings,
            last_success: now,
            ..DefinitionsStatus::default()
        };
        board.publish_definitions(status.clone());
        files.need_what_is_there();
        Self {
            settings: files.settings.clone().map(Settings::at),
            files,
            hand_on,
            board,
            clock,
            catalog,
            status,
            judged: revision,
            candidate: None,
            look: Look::default(),
            read_at: None,
        }
    }

    /// Follows until `stop`; looks at once when the process is sent SIGHUP.
    ///
    /// # Errors
    /// When the process cannot be sent SIGHUP.
    pub async fn run(mut self, stop: CancellationToken) -> io::Result<()> {
        let mut hangup = signal(SignalKind::hangup())?;
        let mut pause = LOOK;
        loop {
            let wait = async {
                tokio::select! {
                    () = sleep(pause) => false,
                    _ = hangup.recv() => true,
                }
            };
            let Some(asked) = stop.run_until_cancelled(wait).await else {
                return Ok(());
            };
            if asked {
                tracing::info!("looking at the definitions: told to by SIGHUP");
                self.read_at = None;
                if let Some(settings) = &mut self.settings {
                    settings.forget();
                }
            }
            pause = self.turn().await;
        }
    }

    /// Looks once, and says after how long to look again.
    async fn turn(&mut self) -> Duration {
        let files = self.files.clone();
        let is_old = self.read_at.is_none_or(|at| at.elapsed() >= READ);
        let is_due = is_old || self.candidate.is_some();
        let before = self.look.clone();
        let seen = spawn_blocking(move || {
            let paths = files.present();
            let look = Look::at(&paths);
            (is_due || look != before).then(|| {
                let settings = files.settings.as_deref().and_then(settings::digest);
                (look, Texts::read(&paths), settings)
            })
        });
        let Ok(Some((look, texts, settings))) = seen.await else {
            return LOOK;
        };
        (self.look, self.read_at) = (look, Some(Instant::now()));
        if let Some(changed) = self.settings.as_mut().and_then(|it| it.look(settings)) {
            tracing::warn!("{changed}");
        }
        let revision = texts.revision();
        if revision == self.judged {
            self.candidate = None;
            return LOOK;
        }
        if self.candidate.as_ref() != Some(&revision) {
            self.candidate = Some(revision);
            return QUIET;
        }
        self.candidate = None;
        self.judged = revision;
        let options = self.files.options.clone();
        if let Ok(loaded) = spawn_blocking(move || definitions::lower(texts, &options)).await {
            self.judge(loaded);
        }
        LOOK
    }

    fn judge(&mut self, loaded: Loaded) {
        let Loaded {
            catalog,
            diagnostics,
            revision,
            ..
        } = loaded;
        let catalog = match catalog {
            None => return self.refuse(revision, diagnostics),
            Some(catalog) if catalog.slos.is_empty() && !self.catalog.slos.is_empty() => {
                let fault = Diagnostic::error(codes::NO_OBJECTIVES, "no objective is defined")
                    .help("stop the daemon if nothing is to be watched any more");
                return self.refuse(revision, [fault].into_iter().chain(diagnostics).collect());
            }
            Some(catalog) => Arc::new(catalog),
        };
        if revision != self.status.revision {
            if let Err(why) = (self.hand_on)(&catalog) {
                let fault = Diagnostic::error(codes::UNUSABLE, why);
                return self.refuse(revision, [fault].into_iter().chain(diagnostics).collect());
            }
            self.status.reloads += 1;
            self.status.since = self.clock.now().into();
        }
        let difference = difference::between(&self.catalog, &catalog);
        tracing::info!(%revision, "changed definitions are in force from the next tick on: {difference}");
        for warning in diagnostics.render_lines().lines() {
            tracing::warn!("{warning}");
        }
        self.status = DefinitionsStatus {
            revision,
            objectives: count(catalog.slos.len()),
            warnings: diagnostics,
            last_success: self.clock.now().into(),
            refused: None,
            ..self.status.clone()
        };
        self.catalog = catalog;
        self.files.need_what_is_there();
        self.board.publish_definitions(self.status.clone());
    }

    fn refuse(&mut self, revision: String, faults: Diagnostics) {
        let errors = match faults.count(Severity::Error) {
            1 => "1 error".to_owned(),
            many => format!("{many} errors"),
        };
        let since = self.status.since;
        let reason = format!(
            "the changed definitions have {errors} and are not used: what was in force since {since} stays in force; mend them, `sloburn check` shows what is wrong"
        );
        tracing::error!(%revision, "{reason}");
        for fault in faults.iter() {
            match fault.severity {
                Severity::Error => tracing::error!("{}", fault.line()),
                Severity::Warning => tracing::warn!("{}", fault.line()),
            }
        }
        self.status.failures += 1;
        self.status.refused = Some(Refusal {
            revision,
            at: self.clock.now().into(),
            reason,
            faults,
        });
        self.board.publish_definitions(self.status.clone());
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
