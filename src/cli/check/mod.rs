//! `sloburn check`: everything that is wrong with definitions and alerts, without running anything; and,
//! where that is asked for, what does not fit between them and what the sources hold.

mod live;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;
use serde_json::json;

use crate::config::{Config, Flags};
use crate::definitions::{self, Loaded, codes};
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};

use super::files::files;
use super::{Exit, Streams};

/// What `--help` says.
pub(super) const LONG: &str = "\
Check definitions, alert policies, receivers and routes without running anything.

All faults of all files are told in one run, each with its place and what to do. Without paths, what the configuration \
names is checked: `definitions` and `alerts`.

With --live the sources are asked, too, those of the configuration or the one of --prometheus: whether the series exist, \
whether buckets and labels fit, whether bad events are a part of all, and what the numbers are now. Whole windows are read \
for that; how far that is shows on a terminal. What is probably not meant is a warning, and does not fail.";

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files or folders; folders are searched for *.yaml and *.yml
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// For people, for programs, or as annotations of a GitHub workflow
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Ask the sources, too: what exists, what fits, and what the numbers are now
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
    Github,
}

pub(super) async fn run(
    args: &Args,
    environment: &BTreeMap<String, String>,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Exit> {
    let config = Config::load(&args.flags, environment)?;
    let loaded = load(args, &config);
    let mut faults = loaded.diagnostics.clone();
    if let Some(catalog) = &loaded.catalog
        && catalog.slos.is_empty()
    {
        faults.extend([no_objectives(args, &config)]);
    }
    let (mut live, mut table) = (None, String::new());
    if let (Some(catalog), true) = (&loaded.catalog, args.live) {
        let looked = live::look(&config, (catalog, &loaded.written), streams).await?;
        table = looked.table();
        faults.extend(looked.faults);
        live = looked.list;
    }
    let faults = &faults;
    let out = &mut *streams.out;
    match args.format {
        Format::Text => {
            write!(
                out,
                "{}",
                faults.render_text(&loaded.sources, streams.paint)
            )?;
            writeln!(out, "{table}{}", summary(&loaded, faults))?;
        }
        Format::Json => {
            let objectives = loaded.catalog.as_ref().map(|catalog| catalog.slos.len());
            let mut object = json!({
                "files": loaded.sources.len(),
                "objectives": objectives,
                "builtInPolicy": loaded.has_built_in_policy,
                "faults": faults.to_json(),
            });
            if args.live {
                object["live"] = json!(live);
            }
            writeln!(out, "{object:#}")?;
        }
        Format::Github => {
            write!(out, "{}", faults.render_annotations())?;
            writeln!(out, "{table}{}", summary(&loaded, faults))?;
        }
    }
    Ok(if faults.has_errors() {
        Exit::Faulty
    } else {
        Exit::Good
    })
}

/// Reads what the arguments name, else what the configuration does. Without a configuration nobody
/// knows which sources the daemon will have.
fn load(args: &Args, config: &Config) -> Loaded {
    let mut files = files(config);
    if !args.live && !config.says_sources() {
        files.options.sources = None;
    }
    if args.paths.is_empty() {
        return files.load();
    }
    definitions::load(&args.paths, &files.options)
}

/// Files of alerts may be checked alone; what the configuration names is what `run` would refuse.
fn no_objectives(args: &Args, config: &Config) -> Diagnostic {
    if args.paths.is_empty() {
        return super::files::no_objectives(config);
    }
    Diagnostic::warning(codes::NO_OBJECTIVES, "no objective is defined here")
}

/// `3 files, 11 objectives: no faults` or `12 faults in 3 files; nothing was loaded`.
fn summary(loaded: &Loaded, faults: &Diagnostics) -> String {
    let files = counted(loaded.sources.len(), "file");
    let Some(catalog) = &loaded.catalog else {
        let place = if loaded.sources.is_empty() {
            String::new()
        } else {
            format!(" in {files}")
        };
        return format!(
            "{}{place}; nothing was loaded",
            counted(faults.count(Severity::Error), "fault")
        );
    };
    let objectives = counted(catalog.slos.len(), "objective");
    let verdict = if faults.is_empty() {
        "no faults".to_owned()
    } else {
        faults.summary()
    };
    let policy = if loaded.has_built_in_policy {
        "\nNo alert policy is defined, so the built-in one is used."
    } else {
        ""
    };
    format!("{files}, {objectives}: {verdict}{policy}")
}

fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use crate::cli::tests::run;

    const SOUND: &str = "tests/fixtures/definitions/sound";
    const FAULTY: &str = "tests/fixtures/definitions/faulty";

    #[tokio::test]
    async fn sound_files_are_counted() {
        insta::assert_snapshot!(run(&["check", SOUND], &[]).await, @r"
        out:
        2 files, 5 objectives: no faults
        exit 0
        ");
        insta::assert_snapshot!(run(&["check", "--format", "json", SOUND], &[]).await, @r#"
        out:
        {
          "builtInPolicy": false,
          "faults": [],
          "files": 2,
          "objectives": 5
        }
        exit 0
        "#);
        // Without paths, what the configuration names.
        let configured = [
            (
                "SLOBURN_DEFINITIONS",
                "tests/fixtures/definitions/sound/api.yaml",
            ),
            (
                "SLOBURN_ALERTS",
                "tests/fixtures/definitions/sound/alerts.yaml",
            ),
        ];
        insta::assert_snapshot!(run(&["check"], &configured).await, @r"
        out:
        2 files, 5 objectives: no faults
        exit 0
        ");
    }

    #[tokio::test]
    async fn all_faults_of_all_files_are_told_in_one_run() {
        let ran = run(&["check", FAULTY], &[]).await;
        assert!(ran.out.contains("\n  | "), "no line of a file is shown");
        let last = ran.out.lines().next_back().unwrap_or_default();
        insta::assert_snapshot!(format!("{last}\nexit {}", ran.code), @r"
        12 faults in 3 files; nothing was loaded
        exit 2
        ");
        let json = run(&["check", "--format", "json", FAULTY], &[]).await;
        let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
        assert_eq!(json["faults"].as_array().unwrap().len(), 12);
        let github = run(&["check", "--format", "github", FAULTY], &[]).await;
        assert_eq!(github.out.matches("::error file=").count(), 12);
    }

    #[tokio::test]
    async fn without_objectives_nothing_would_be_watched() {
        insta::assert_snapshot!(run(&["check", "alerts"], &[]).await, @r"
        out:
        warning[SB0005]: no objective is defined here

        1 file, 0 objectives: 1 warning
        exit 0
        ");
        // What `run` refuses is an error.
        let places = [("SLOBURN_DEFINITIONS", "alerts")];
        insta::assert_snapshot!(run(&["check"], &places).await, @r"
        out:
        error[SB0005]: no objective is defined in `alerts`
         |
         = help: write one, or say where they are with `--definitions`

        1 file, 0 objectives: 1 error
        exit 2
        ");
        insta::assert_snapshot!(run(&["status", "--definitions", "alerts"], &[]).await, @r"
        err:
        error[SB0005]: no objective is defined in `alerts`
         |
         = help: write one, or say where they are with `--definitions`

        exit 2
        ");
    }

    #[tokio::test]
    async fn who_has_no_policy_is_told_which_is_used() {
        let service = "tests/fixtures/definitions/sound/api.yaml";
        insta::assert_snapshot!(run(&["check", service], &[]).await, @r"
        out:
        1 file, 5 objectives: no faults
        No alert policy is defined, so the built-in one is used.
        exit 0
        ");
    }

    #[tokio::test]
    async fn files_that_are_not_there_are_named() {
        insta::assert_snapshot!(run(&["check", "no-such-folder"], &[]).await, @r"
        out:
        error[SB0001]: cannot read `no-such-folder`: No such file or directory (os error 2)
         |
         = help: look at the path

        1 fault; nothing was loaded
        exit 2
        ");
        insta::assert_snapshot!(run(&["check", "Cargo.toml"], &[]).await, @r#"
        out:
        error[SB0101]: this line does not fit the lines above it
         --> Cargo.toml:2:1
          |
        2 | name = "sloburn"
          | ^
          |
          = help: look at its indentation, and at a missing colon or space after one; a value with `: ` in it needs quotes

        1 fault in 1 file; nothing was loaded
        exit 2
        "#);
    }
}
