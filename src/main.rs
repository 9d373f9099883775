//! The `sloburn` command.

use std::env;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use sloburn::cli::{self, Progress, Streams};
use sloburn::diagnostic::Paint;

#[tokio::main]
async fn main() -> ExitCode {
    let plain = env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
    let paint = if io::stdout().is_terminal() && !plain {
        Paint::Coloured
    } else {
        Paint::Plain
    };
    let progress = if io::stderr().is_terminal() {
        Progress::Bar
    } else {
        Progress::Silent
    };
    let (out, err) = (&mut io::stdout(), &mut io::stderr());
    let streams = Streams {
        out,
        err,
        paint,
        progress,
    };
    cli::main(env::args_os(), env::vars_os(), streams).await
}
