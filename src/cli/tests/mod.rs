//! The command line as someone types it, and all that it prints.

mod config;
pub(super) mod fake_prometheus;
mod help;
mod sources;

use std::fmt;
use std::path::Path;

use super::*;

/// What a command printed, and its exit code.
pub(super) struct Ran {
    pub(super) out: String,
    pub(super) err: String,
    pub(super) code: u8,
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = |text: &str| {
            text.lines()
                .map(str::trim_end)
                .collect::<Vec<_>>()
                .join("\n")
        };
        let (out, err) = (lines(&self.out), lines(&self.err));
        let part = |name, text: &str| {
            if text.is_empty() {
                String::new()
            } else {
                format!("{name}:\n{text}\n")
            }
        };
        write!(
            f,
            "{}{}exit {}",
            part("out", &out),
            part("err", &err),
            self.code
        )
    }
}

/// Runs `sloburn` with `arguments` and nothing in the environment but `variables`.
pub(super) async fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut streams = Streams {
        out: &mut out,
        err: &mut err,
        paint: Paint::Plain,
        progress: Progress::Silent,
    };
    let arguments = std::iter::once(&"sloburn")
        .chain(arguments)
        .map(OsString::from);
    let environment = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()));
    let exit = dispatch(arguments, environment, &mut streams).await;
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran {
        code: exit as u8,
        out: text(out),
        err: text(err),
    }
}

/// The same with `FOLDER` where the path of a temporary folder would be.
async fn run_in(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let ran = run(arguments, variables).await;
    let shown = |text: String| text.replace(&*folder.to_string_lossy(), "FOLDER");
    Ran {
        out: shown(ran.out),
        err: shown(ran.err),
        ..ran
    }
}

#[test]
fn the_arguments_are_consistent() {
    use clap::CommandFactory as _;
    Cli::command().debug_assert();
}

#[tokio::test]
async fn what_is_not_understood_is_refused() {
    insta::assert_snapshot!(run(&["chekc"], &[]).await, @r"
    err:
    error: unrecognized subcommand 'chekc'

      tip: a similar subcommand exists: 'check'

    Usage: sloburn <COMMAND>

    For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(run(&["config", "print", "--listne", "x"], &[]).await, @r"
    err:
    error: unexpected argument '--listne' found

      tip: a similar argument exists: '--listen'

    Usage: sloburn config print --listen <ADDRESS>

    For more information, try '--help'.
    exit 2
    ");
}

#[tokio::test]
async fn a_closed_pipe_is_no_failure() {
    struct Closed;
    impl io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for format in ["yaml", "json"] {
        let (mut out, mut err) = (Closed, Vec::new());
        let mut streams = Streams {
            out: &mut out,
            err: &mut err,
            paint: Paint::Plain,
            progress: Progress::Silent,
        };
        let arguments = ["sloburn", "config", "print", "--format", format].map(OsString::from);
        let exit = dispatch(arguments, [], &mut streams).await;
        assert_eq!((exit, err.as_slice()), (Exit::Good, &b""[..]), "{format}");
    }
}
