//! How far the past is read, told to whoever waits for it.

use std::collections::BTreeMap;

use crate::cli::Progress;
use crate::status::snapshot::Backfill;

/// How far the past was said to be read.
#[derive(Debug, Default)]
pub(super) struct Told {
    tenths: BTreeMap<String, i64>,
}

impl Told {
    /// One line for each tenth, or one line that changes where a person watches.
    #[expect(clippy::cast_possible_truncation, reason = "a share is at most 1")]
    pub(super) fn tell(
        &mut self,
        err: &mut dyn std::io::Write,
        progress: Progress,
        source: &str,
        backfill: Option<Backfill>,
    ) {
        let share = backfill.map_or(1.0, |backfill| backfill.share);
        let percent = (share * 100.0) as i64;
        // Whoever cannot be told is not: the result counts.
        let told = match progress {
            Progress::Lines => {
                if self.tenths.insert(source.to_owned(), percent / 10) == Some(percent / 10) {
                    return;
                }
                writeln!(err, "reading the past of source `{source}`: {percent} %")
            }
            Progress::Bar => {
                let full = usize::try_from(percent / 4).unwrap_or_default();
                let end = if backfill.is_none() { "\r\u{1b}[K" } else { "" };
                let bar = format!(
                    "{}{}",
                    "█".repeat(full),
                    "░".repeat(25_usize.saturating_sub(full))
                );
                write!(
                    err,
                    "\rreading the past of source `{source}` {bar} {percent:3} %{end}"
                )
                .and_then(|()| err.flush())
            }
        };
        drop(told);
    }
}
