//! Each rule by a case of its own: what is known, who begins or returns, and what that is worth.

use super::*;
use crate::domain::labels::METRIC_NAME;
use crate::domain::time::TimeRange;
use crate::series::batch::Batch;
use crate::series::starts::METRIC;

fn labels(text: &str) -> Labels {
    text.split(',')
        .filter_map(|pair| pair.split_once('='))
        .collect()
}

fn samples(text: &str) -> Vec<Sample> {
    let sample = |text: &str| {
        let (second, value) = text.split_once(':').unwrap();
        Sample {
            at: Timestamp::from_millis(second.parse::<i64>().unwrap() * 1_000),
            value: value.parse().unwrap(),
        }
    };
    text.split(' ')
        .filter(|text| !text.is_empty())
        .map(sample)
        .collect()
}

fn cursor(text: &str) -> Option<Cursor> {
    let first = samples(text).pop()?;
    Some(Cursor {
        interval: Span::from_secs(15),
        ..Cursor::at_first(first)
    })
}

/// Series as (labels, where they stood before the batch, samples in it).
type Known<'a> = &'a [(&'a str, &'a str, &'a str)];

/// What the sample `now` of a series is worth that stood at `own`, or that is new; `starts` are
/// samples of `second:start` that the target gave.
fn judged(known: Known, starts: &str, series: (&str, &str, &str)) -> String {
    let target = [(METRIC_NAME, METRIC), ("job", "a"), ("instance", "1")];
    let told = (target.into_iter().collect(), samples(starts));
    let told: Batch = std::iter::once(told).collect();
    let mut processes = Starts::default();
    processes.note(&told, TimeRange::ALL);
    let fell = HashMap::new();
    let processes = (!starts.is_empty()).then_some(&processes);
    let mut around = Surroundings::new(&fell, processes);
    let mut scrapes = Vec::new();
    for (known, before, within) in known {
        around.note(&labels(known), cursor(before), &samples(within));
        scrapes.extend(samples(before).iter().map(|sample| sample.at));
        scrapes.extend(samples(within).iter().map(|sample| sample.at));
    }
    around.note_scrapes(scrapes, Span::from_secs(15));
    let (name, own, now) = series;
    let now = samples(now).pop().unwrap();
    match around.judge(&labels(name), cursor(own).as_ref(), now) {
        Verdict::From(base, _) => format!("from {}:{}", base.at.as_millis() / 1_000, base.value),
        verdict => format!("{verdict:?}").to_lowercase(),
    }
}

const OK: (&str, &str, &str) = ("job=a,instance=1,code=200", "0:50", "15:60 30:70");
const BAD: &str = "job=a,instance=1,code=500";

#[test]
fn births_are_counted_from_what_the_surroundings_show() {
    for (known, born, worth) in [
        // The target was there and had no errors: they are new.
        (&[OK][..], (BAD, "", "30:3"), "from 15:0"),
        (&[OK], (BAD, "", "15:3"), "from 0:0"),
        // A target that was never scraped shows nothing.
        (&[OK], ("job=a,instance=2,code=200", "", "30:3"), "unclear"),
        (&[OK], ("job=a,code=500", "", "30:3"), "unclear"),
        (&[], (BAD, "", "30:3"), "unclear"),
        // A label was added to a living series.
        (
            &[("job=a,instance=1", "0:50", "15:60")],
            ("job=a,instance=1,zone=x", "", "30:65"),
            "from 15:60",
        ),
        // … or removed, be it while nothing was scraped.
        (
            &[("job=a,instance=1,zone=x", "0:50", "")],
            ("job=a,instance=1", "", "900:65"),
            "from 0:50",
        ),
        // Not when the old one lives on, was higher, or had ended before.
        (
            &[("job=a,instance=1", "0:50", "15:60 30:70")],
            ("job=a,instance=1,zone=x", "", "30:65"),
            "from 15:0",
        ),
        (
            &[("job=a,instance=1", "0:50", "15:60"), OK],
            ("job=a,instance=1,zone=x", "", "30:5"),
            "from 15:0",
        ),
        (
            &[("job=a,instance=1", "0:50", ""), OK],
            ("job=a,instance=1,zone=x", "", "30:65"),
            "from 15:0",
        ),
        // All series of the target gone, two labels changed: nobody knows.
        (
            &[("job=a,instance=1", "0:50", "15:60")],
            ("job=a,instance=1,zone=x,az=y", "", "30:65"),
            "unclear",
        ),
    ] {
        assert_eq!(judged(known, "", born), worth, "{born:?}");
    }
}

#[test]
fn what_is_no_count_does_not_fall() {
    for odd in ["-1", "inf", "NaN"] {
        let own = format!("30:{odd} 45:{odd}");
        let known = [OK, (BAD, "15:50", own.as_str())];
        let worth = judged(&known, "", (BAD, "15:50", "60:55"));
        assert_eq!(worth, "continues", "{odd}");
    }
}

#[test]
fn start_times_tell_new_processes_from_those_that_are_scraped_for_the_first_time() {
    let other = ("job=a,instance=2,code=200", "15:1", "1000:2 1015:3");
    let steady = ("job=a,instance=2,code=200", "700:1", "800:2 1015:3");
    let gone = ("job=a,instance=1,version=1", "1000:50", "");
    let next = "job=a,instance=1,version=2,commit=b";
    for (known, starts, born, worth) in [
        // Young, however many events it brings.
        (
            &[steady][..],
            "1015:1005",
            (BAD, "", "1015:5000"),
            "from 1005:0",
        ),
        (&[steady], "1015:720", (BAD, "", "1015:5000"), "from 720:0"),
        (&[steady], "1015:1020", (BAD, "", "1015:50"), "from 1015:0"),
        // Old.
        (&[steady], "1015:10", (BAD, "", "1015:5"), "lifetime"),
        (&[steady], "1015:710", (BAD, "", "1015:5"), "lifetime"),
        // It began while Prometheus was away.
        (&[other], "1015:20", (BAD, "", "1015:5"), "from 20:0"),
        // No process counts so many in ten seconds.
        (
            &[steady],
            "1015:1005",
            (BAD, "", "1015:5000000"),
            "lifetime",
        ),
        // It answered before, without the series.
        (&[steady], "1000:10 1015:10", (BAD, "", "1015:5"), "unclear"),
        // All series are others than before: of another process, or of the same.
        (
            &[gone],
            "1000:10 1015:1010",
            (next, "", "1015:9"),
            "from 1000:0",
        ),
        (
            &[gone],
            "1000:10 1015:10",
            (next, "", "1015:99"),
            "lifetime",
        ),
    ] {
        assert_eq!(judged(known, starts, born), worth, "{starts} {born:?}");
    }
}

#[test]
fn a_series_that_was_away_returns_as_it_was_or_anew() {
    let reset = ("job=a,instance=1,code=200", "0:50", "15:3 30:4 45:5");
    for (known, starts, back, worth) in [
        // Nobody of its target was scraped meanwhile.
        (
            &[("job=a,instance=1,code=200", "0:50", "60:70")][..],
            "",
            (BAD, "0:9", "60:12"),
            "continues",
        ),
        // It fell, or others did: it was made anew after the scrape that lacked it.
        (&[OK], "", (BAD, "0:9", "30:2"), "from 15:0"),
        (&[reset], "", (BAD, "0:9", "45:12"), "from 30:0"),
        // It was hidden for a while.
        (&[OK], "", (BAD, "0:9", "30:12"), "continues"),
        // It was renamed, and is again what it was.
        (
            &[("job=a,instance=1,code=500,zone=x", "0:40", "15:44")],
            "",
            (BAD, "-90:9", "30:50"),
            "from 15:44",
        ),
    ] {
        assert_eq!(judged(known, starts, back), worth, "{starts} {back:?}");
    }
}

#[test]
fn a_counter_that_passed_its_old_value_was_reset_when_neighbours_and_start_time_say_so() {
    let reset = ("job=a,instance=1,code=200", "100:50", "115:3 130:4");
    let rising = ("job=a,instance=1,code=200", "100:50", "115:53 130:54");
    for (known, starts, worth) in [
        (&[reset][..], "100:1 115:109", "from 100:0"),
        (&[reset], "100:1 115:1", "continues"),
        (&[reset], "", "continues"),
        (&[rising], "100:1 115:109", "continues"),
    ] {
        let passed = (BAD, "100:9", "115:12");
        assert_eq!(judged(known, starts, passed), worth, "{starts} {known:?}");
    }
}
