//! The `sloburn` command.

use std::env;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use sloburn::cli::{self, Streams};
use sloburn::diagnostic::Paint;

#[tokio::main]
async fn main() -> ExitCode {
    let plain = env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
    let paint = if io::stdout().is_terminal() && !plain {
        Paint::Coloured
    } else {
        Paint::Plain
    };
    let (out, err) = (&mut io::stdout(), &mut io::stderr());
    cli::main(env::args_os(), env::vars_os(), Streams { out, err, paint }).await
}
