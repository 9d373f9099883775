//! Every form of indicator, budgeting and window over one simulated truth, against one slow and obvious oracle.
//!
//! The truth is a plain log of scrapes, two weeks long, in which processes begin, restart and end, series are born,
//! scrapes are missed, and clocks are set back. All objectives are defined as a user writes them. The daemon finds most
//! of the time as its past; then it looks on, while its source fails and samples come late, and is killed again and
//! again. At many ticks the window of every objective must hold what the oracle finds in the log between the window's
//! own ends, and these must be where they belong.

mod compare;
mod daemon;
mod log;
mod oracle;
mod source;
mod table;
mod words;
mod world;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use sloburn::clock::Clock;
use sloburn::definitions::{self, Options};
use sloburn::domain::slo::Catalog;
use sloburn::domain::time::{Span, Timestamp};
use sloburn::store::memory::MemoryStore;

use self::compare::{Begins, Comparison, Scene, Window};
use self::daemon::{Life, TICK};
use self::log::{DAY, HOUR, MINUTE, SCRAPE};
use self::source::Prometheus;
use self::table::Form;
use self::world::utc;

const DAY_AGO: Window = Window {
    text: "1d",
    begins: Begins::Ago(DAY),
};

/// So long that some of its slots are an hour wide.
const DAYS_AGO: Window = Window {
    text: "100h",
    begins: Begins::Ago(100 * HOUR),
};

/// Its Sunday has 25 hours.
const WEEK: Window = Window {
    text: "{calendar: week, timeZone: America/New_York}",
    begins: Begins::At(&[utc(10, 26, 4, 0, 0), utc(11, 2, 5, 0, 0)]),
};

/// So has its first day, and midnight is no whole hour.
const MONTH: Window = Window {
    text: "{calendar: month, timeZone: America/St_Johns}",
    begins: Begins::At(&[utc(11, 1, 2, 30, 0)]),
};

/// From when to when the daemon lives, and the ticks that are looked at.
const LIVES: [(i64, i64, &[i64]); 4] = [
    (
        utc(11, 1, 3, 0, 10),
        utc(11, 1, 10, 2, 0),
        &[
            utc(11, 1, 4, 0, 0),
            utc(11, 1, 5, 55, 0),
            utc(11, 1, 7, 0, 0),
            utc(11, 1, 10, 0, 0),
        ],
    ),
    (
        utc(11, 2, 4, 21, 30),
        utc(11, 2, 11, 31, 0),
        &[
            utc(11, 2, 5, 0, 0),
            utc(11, 2, 5, 5, 0),
            utc(11, 2, 6, 0, 0),
            utc(11, 2, 8, 10, 0),
            utc(11, 2, 9, 20, 0),
            utc(11, 2, 10, 5, 0),
            utc(11, 2, 11, 30, 0),
        ],
    ),
    (
        utc(11, 2, 11, 42, 0),
        utc(11, 2, 14, 0, 0),
        &[utc(11, 2, 11, 50, 0), utc(11, 2, 13, 55, 0)],
    ),
    (
        utc(11, 4, 12, 40, 20),
        utc(11, 4, 14, 31, 0),
        &[utc(11, 4, 13, 0, 0), utc(11, 4, 14, 30, 0)],
    ),
];

/// When the source fails in the second life, and when the samples come late.
const DOWN: (i64, i64) = (utc(11, 2, 7, 0, 0), utc(11, 2, 7, 51, 0));
const LATE: (i64, i64) = (utc(11, 2, 8, 20, 0), utc(11, 2, 9, 0, 0));

/// How late samples come, and may come; and until when some are counted elsewhere or not at all.
struct Lateness {
    delay: i64,
    settle: Span,
    amiss: i64,
}

/// Samples are looked at again minutes later.
const MINUTES: Lateness = Lateness {
    delay: 3 * MINUTE,
    settle: Span::from_mins(10),
    amiss: LATE.0,
};

/// They are looked at again when the hour is over.
const HOURS: Lateness = Lateness {
    delay: 20 * MINUTE,
    settle: Span::from_hours(2),
    amiss: utc(11, 2, 10, 0, 0),
};

static SCENE: LazyLock<Scene> = LazyLock::new(|| Scene::new(table::forms(), world::log()));

#[tokio::test(start_paused = true)]
async fn every_form_over_a_day_holds_what_the_scrape_log_says() {
    watch(DAY_AGO, MINUTES).await;
}

#[tokio::test(start_paused = true)]
async fn every_form_holds_what_the_scrape_log_says_when_samples_may_be_late_by_hours() {
    watch(DAY_AGO, HOURS).await;
}

#[tokio::test(start_paused = true)]
async fn every_form_over_several_days_holds_what_the_scrape_log_says() {
    watch(DAYS_AGO, MINUTES).await;
}

#[tokio::test(start_paused = true)]
async fn every_form_over_a_calendar_week_holds_what_the_scrape_log_says() {
    watch(WEEK, MINUTES).await;
}

#[tokio::test(start_paused = true)]
async fn every_form_over_a_calendar_month_holds_what_the_scrape_log_says() {
    watch(MONTH, MINUTES).await;
}

#[test]
fn every_form_is_bad_sometimes_and_good_sometimes() {
    // Nobody knows how much that pod may use.
    let unknown = "saturation of a limit, any, by pod [p3], timeslices: 0 of 0";
    assert_eq!(SCENE.untried(), [unknown]);
}

/// Lets the daemon look on, life after life, and compares what it shows.
async fn watch(window: Window, lateness: Lateness) {
    let catalog = Arc::new(catalog(&SCENE.forms, window.text));
    let source = Arc::new(Prometheus {
        log: &SCENE.log,
        clock: Clock::simulated(Timestamp::from_millis(LIVES[0].0).to_jiff()),
        down: DOWN.0..DOWN.1,
        late: (LATE.0..LATE.1, lateness.delay),
    });
    let mut comparison = Comparison::new(&SCENE, window);
    let mut left = MemoryStore::default();
    for (born, dies, looks) in LIVES {
        let born = Timestamp::from_millis(born).to_jiff();
        source.clock.sleep_until(born).await;
        let mut life = Life::start(&source, lateness.settle, &catalog, left).await;
        let is_amiss = |at: i64| (LATE.0..lateness.amiss).contains(&at);
        for at in looks.iter().filter(|at| !is_amiss(**at)) {
            let snapshot = life.at(*at).await;
            comparison.look(*at, &snapshot);
        }
        left = life.die(dies).await;
    }
    comparison.conclude();
}

/// All forms over a window, in the words of a user.
fn catalog(forms: &[Form], window: &str) -> Catalog {
    let mut text = format!(
        "apiVersion: sloburn.dev/v1\nkind: ServiceObjectives\nmetadata: {{name: shop}}\nspec:\n  \
         window: {window}\n  alertPolicy: none\n  objectives:\n"
    );
    for (number, form) in forms.iter().enumerate() {
        let name = compare::name(number);
        writeln!(text, "    - name: {name}\n      objective: 99%").unwrap();
        for line in form.definition.lines() {
            writeln!(text, "      {line}").unwrap();
        }
    }
    let options = Options {
        tick: TICK,
        scrape: Span::from_millis(SCRAPE),
        ..Options::default()
    };
    let (catalog, faults) = definitions::read(&[(PathBuf::from("shop.yaml"), text)], &options);
    catalog.unwrap_or_else(|| panic!("{}", faults.render_lines()))
}
