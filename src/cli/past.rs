//! How far the past is read, told to a person who waits for it.

use crate::cli::Progress;
use crate::domain::slo::SourceName;
use crate::status::snapshot::Backfill;

/// Tells of a source, on a line that changes.
#[expect(clippy::cast_possible_truncation, reason = "a share is at most 1")]
pub(super) fn tell(
    err: &mut dyn std::io::Write,
    progress: Progress,
    source: &SourceName,
    backfill: Option<Backfill>,
) {
    if progress == Progress::Silent {
        return;
    }
    let share = backfill.map_or(1.0, |backfill| backfill.share);
    let percent = (share * 100.0) as i64;
    let full = usize::try_from(percent / 4).unwrap_or_default();
    let (done, left) = ("█".repeat(full), "░".repeat(25_usize.saturating_sub(full)));
    let end = if backfill.is_none() { "\r\u{1b}[K" } else { "" };
    // Whoever cannot be told is not: the result counts.
    let told = write!(
        err,
        "\rreading the past of source `{source}` {done}{left} {percent:3} %{end}"
    );
    drop(told.and_then(|()| err.flush()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    #[test]
    fn a_person_sees_one_line_and_a_file_none() {
        let told = |progress, share: Option<f64>| {
            let (reached, goal) = (Timestamp::default(), Timestamp::default());
            let backfill = share.map(|share| Backfill {
                share,
                reached,
                goal,
            });
            let mut err = Vec::new();
            tell(&mut err, progress, &SourceName::new("default"), backfill);
            String::from_utf8(err).unwrap().escape_default().to_string()
        };
        let bars = [Some(0.0), Some(0.5), None].map(|share| told(Progress::Bar, share));
        insta::assert_snapshot!(bars.join("\n"), @r"
        \rreading the past of source `default` \u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}   0 %
        \rreading the past of source `default` \u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}\u{2591}  50 %
        \rreading the past of source `default` \u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588}\u{2588} 100 %\r\u{1b}[K
        ");
        assert_eq!(told(Progress::Silent, Some(0.5)), "");
    }
}
