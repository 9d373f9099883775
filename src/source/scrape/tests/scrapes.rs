//! Real exporters are scraped: labels, failures, and what an objective over a failing target comes to.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::domain::slo::SourceName;
use crate::domain::time::{Span, TimeRange, Timestamp};
use crate::promql::parse_selector;
use crate::series::batch::Fetch;
use crate::source::Source as _;

use super::super::{ScrapeSettings, ScrapeSource, Target, kept};
use super::exporter::{Answer, Exporter};

fn target(exporter: &Exporter, labels: &[(&str, &str)]) -> Target {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Target {
        url: exporter.url(),
        labels: labels.iter().map(owned).collect(),
    }
}

fn source(targets: Vec<Target>) -> ScrapeSource {
    ScrapeSource::new(settings(targets)).unwrap()
}

fn settings(targets: Vec<Target>) -> ScrapeSettings {
    ScrapeSettings {
        name: SourceName::new("laptop"),
        interval: Span::from_secs(15),
        timeout: Duration::from_secs(30),
        max_body_bytes: 4_096,
        // Without slices, 10m are kept by these: 3 settle times, 6 ticks and the validity of 37.5s.
        settle: Span::from_millis(157_500),
        tick: Span::from_secs(15),
        targets,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

/// What a selector reads between two seconds, as `labels: second=value …`; the port of `exporter` is left out.
async fn read(source: &ScrapeSource, selector: &str, (from, to): (i64, i64)) -> String {
    let fetch = Fetch::Samples(parse_selector(selector).unwrap());
    let range = TimeRange {
        from: at(from),
        to: at(to),
    };
    let batch = source.read(&fetch, range).await.unwrap();
    let series = batch.series().map(|series| {
        let samples = series.samples.iter();
        let samples: Vec<String> = samples
            .map(|sample| format!("{}={}", sample.at.as_millis() / 1_000, sample.value))
            .collect();
        format!("{}: {}", series.labels, samples.join(" "))
    });
    series.collect::<Vec<_>>().join("\n")
}

fn without_ports(text: &str, exporters: &[&Exporter]) -> String {
    let mut text = text.to_owned();
    for (index, exporter) in exporters.iter().enumerate() {
        text = text.replace(&exporter.address.to_string(), &format!("host{index}"));
    }
    text
}

#[tokio::test]
async fn labels_are_attached_as_prometheus_does() {
    let plain = Exporter::start("a_total{code=\"200\"} 1\nprocess_start_time_seconds 1e9\n").await;
    let clashing =
        Exporter::start("a_total{job=\"mine\",exported_job=\"older\",zone=\"\"} 2\n").await;
    let source = source(vec![
        target(&plain, &[]),
        target(
            &clashing,
            &[("job", "shop"), ("zone", "eu"), ("instance", "one")],
        ),
    ]);
    source.scrape(at(60)).await;
    let all = [
        read(&source, "a_total", (0, 60)).await,
        read(&source, "up", (0, 60)).await,
        read(&source, "process_start_time_seconds", (0, 60)).await,
    ];
    insta::assert_snapshot!(without_ports(&all.join("\n"), &[&plain, &clashing]), @r#"
    __name__="a_total",code="200",instance="host0",job="laptop": 60=1
    __name__="a_total",exported_exported_job="mine",exported_job="older",instance="one",job="shop",zone="eu": 60=2
    __name__="up",instance="host0",job="laptop": 60=1
    __name__="up",instance="one",job="shop",zone="eu": 60=1
    __name__="process_start_time_seconds",instance="host0",job="laptop": 60=1000000000
    "#);
    assert!(
        plain
            .asked_for
            .lock()
            .unwrap()
            .starts_with("application/openmetrics-text;version=1.0.0")
    );
}

#[tokio::test]
async fn what_matches_is_found_and_ranges_are_left_open() {
    let exporter = Exporter::start("a{code=\"200\"} 0\na{code=\"500\"} 0\nab 0\n").await;
    let source = source(vec![target(&exporter, &[("job", "x"), ("instance", "i")])]);
    for second in [15, 30, 45] {
        exporter.shows(&format!(
            "a{{code=\"200\"}} {second}\na{{code=\"500\"}} 1\nab 0\n"
        ));
        source.scrape(at(second)).await;
    }
    let good = r#"__name__="a",code="200",instance="i",job="x""#;
    for (selector, range, expected) in [
        ("a{code!~\"5..\"}", (15, 45), format!("{good}: 30=30 45=45")),
        ("a{code=~\"2.+\"}", (0, 15), format!("{good}: 15=15")),
        ("a{code=\"200\"}", (45, 90), String::new()),
        ("a{code=\"404\"}", (0, 90), String::new()),
    ] {
        assert_eq!(read(&source, selector, range).await, expected, "{selector}");
    }
}

#[tokio::test]
async fn a_failing_target_is_down_and_the_others_are_not() {
    let (good, bad) = (
        Exporter::start("a 1\n").await,
        Exporter::start("a 2\n").await,
    );
    let source = source(vec![
        target(&good, &[("instance", "good")]),
        target(&bad, &[("instance", "bad")]),
    ]);
    let long = "a 1\n".repeat(2_000);
    let mut reasons = Vec::new();
    let answers = [
        Answer::Status(503),
        Answer::Page("text/plain", "a one\n".to_owned()),
        Answer::Page("application/openmetrics-text", "a 1\n".to_owned()),
        Answer::Page("text/plain", long),
    ];
    let mut second = 0;
    for answer in answers {
        second += 15;
        bad.answers(answer);
        source.scrape(at(second)).await;
        reasons.push(source.targets[1].lock().await.failure.clone().unwrap());
    }
    bad.shows("a 3\n");
    source.scrape(at(second + 15)).await;
    assert_eq!(source.targets[1].lock().await.failure, None);
    insta::assert_snapshot!(reasons.join("\n"), @r"
    it answers HTTP 503
    its page cannot be read: line 1: `one` is no number for a value
    its page cannot be read: line 1: the page ends without `# EOF`, so that a part of it may be missing
    its page is larger than 4096 bytes; raise `maxBodyBytes`
    ");
    let all = [
        read(&source, "a", (0, 90)).await,
        read(&source, "up", (0, 90)).await,
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    __name__="a",instance="bad",job="laptop": 75=3
    __name__="a",instance="good",job="laptop": 15=1 30=1 45=1 60=1 75=1
    __name__="up",instance="bad",job="laptop": 15=0 30=0 45=0 60=0 75=1
    __name__="up",instance="good",job="laptop": 15=1 30=1 45=1 60=1 75=1
    "#);
}

#[tokio::test]
async fn a_target_sends_us_nowhere_else() {
    let exporter = Exporter::start("").await;
    let elsewhere = Exporter::start("a 1\n").await;
    exporter.answers(Answer::RedirectTo(elsewhere.url()));
    let source = source(vec![target(&exporter, &[("job", "x"), ("instance", "i")])]);
    source.scrape(at(15)).await;
    let failure = source.targets[0].lock().await.failure.clone();
    insta::assert_snapshot!(failure.unwrap_or_default(), @"it redirects elsewhere (HTTP 302), which is not followed; write down its final address");
    assert_eq!(
        read(&source, "up", (0, 15)).await,
        r#"__name__="up",instance="i",job="x": 15=0"#
    );
    assert_eq!(
        *elsewhere.asked_for.lock().unwrap(),
        "",
        "nobody asked there"
    );
}

#[tokio::test]
async fn a_large_page_is_read_as_a_short_one() {
    let exporter = Exporter::start("").await;
    let lines = (0..20_000).map(|series| format!("a{{s=\"{series}\"}} 1\n"));
    exporter.shows(&lines.collect::<String>());
    let source = ScrapeSource::new(ScrapeSettings {
        max_body_bytes: 16 << 20,
        ..settings(vec![target(&exporter, &[("job", "x"), ("instance", "i")])])
    })
    .unwrap();
    for second in [15, 30] {
        source.scrape(at(second)).await;
    }
    assert_eq!(source.memory.len(), (20_001, 0), "with `up`");
    assert_eq!(
        read(&source, "a{s=\"19999\"}", (0, 30)).await,
        r#"__name__="a",instance="i",job="x",s="19999": 15=1 30=1"#
    );
}

#[tokio::test]
async fn no_connection_and_no_answer_are_told_apart() {
    let gone = TargetThatIsGone::new().await;
    let silent = Exporter::start("").await;
    silent.answers(Answer::Never);
    let source = ScrapeSource::new(ScrapeSettings {
        timeout: Duration::from_millis(300),
        ..settings(vec![gone.0, target(&silent, &[])])
    })
    .unwrap();
    source.scrape(at(15)).await;
    let mut reasons = Vec::new();
    for target in &source.targets {
        reasons.push(target.lock().await.failure.clone().unwrap_or_default());
    }
    insta::assert_snapshot!(reasons.join("\n"), @r"
    no connection (Connection refused (os error 111)); check its URL and that it is running
    it gives no whole page in time; raise `timeout`, or see what holds it up
    ");
}

/// An address where nobody listens any more.
struct TargetThatIsGone(Target);

impl TargetThatIsGone {
    async fn new() -> Self {
        let exporter = Exporter::start("").await;
        let target = target(&exporter, &[]);
        let address = exporter.address;
        drop(exporter);
        while tokio::net::TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self(target)
    }
}

#[tokio::test]
async fn times_of_the_page_count_once_and_those_far_ahead_never() {
    let exporter = Exporter::start("a 1 30000\nb 1 700000\nc 1 600000\n").await;
    let source = source(vec![target(&exporter, &[("job", "x"), ("instance", "i")])]);
    source.scrape(at(45)).await;
    source.scrape(at(60)).await;
    for (selector, expected) in [
        ("a", "__name__=\"a\",instance=\"i\",job=\"x\": 30=1"),
        ("b", ""),
        ("c", "__name__=\"c\",instance=\"i\",job=\"x\": 600=1"),
    ] {
        assert_eq!(read(&source, selector, (0, 900)).await, expected);
    }
}

#[tokio::test]
async fn samples_are_kept_as_long_as_said_and_no_longer() {
    let exporter = Exporter::start("a 1\ngone 1\n").await;
    let source = source(vec![target(&exporter, &[("job", "x"), ("instance", "i")])]);
    source.scrape(at(15)).await;
    exporter.shows("a 2\n");
    for second in [300, 600, 615] {
        source.scrape(at(second)).await;
    }
    assert_eq!(read(&source, "gone", (0, 900)).await, "");
    assert_eq!(
        read(&source, "a", (0, 900)).await,
        "__name__=\"a\",instance=\"i\",job=\"x\": 300=2 600=2 615=2"
    );
    assert_eq!(source.memory.len(), (2, 2), "only `a` and `up` are left");
    read(&source, "a", (900, 1_200)).await;
    source.scrape(at(1_500)).await;
    assert_eq!(
        source.memory.len(),
        (2, 1),
        "nobody asks for `gone` any more"
    );
}

#[tokio::test]
async fn longer_slices_keep_samples_longer_and_shorter_ones_forget_none() {
    let exporter = Exporter::start("a 1\n").await;
    let source = source(vec![target(&exporter, &[("job", "x"), ("instance", "i")])]);
    source.keep_for_slices(Span::from_hours(1));
    source.keep_for_slices(Span::from_mins(5));
    source.scrape(at(15)).await;
    let mut left = Vec::new();
    for second in [15 + 4_199, 15 + 4_200] {
        source.scrape(at(second)).await;
        left.push(read(&source, "a", (0, 15)).await);
    }
    assert_eq!(left, ["__name__=\"a\",instance=\"i\",job=\"x\": 15=1", ""]);
}

#[tokio::test]
async fn an_expression_needs_a_prometheus() {
    let source = source(Vec::new());
    let fetch = Fetch::Expression {
        text: "sum(a)".to_owned(),
        step: Span::from_secs(30),
    };
    let range = TimeRange {
        from: at(0),
        to: at(30),
    };
    insta::assert_snapshot!(source.read(&fetch, range).await.unwrap_err(), @"source `laptop` scrapes pages, and only a Prometheus can evaluate PromQL; give objectives with `query` a source of the kind `prometheus`");
}

#[tokio::test]
async fn targets_are_scraped_at_multiples_of_the_interval() {
    let exporter = Exporter::start("a 1\n").await;
    let source = Arc::new(source(vec![target(
        &exporter,
        &[("job", "x"), ("instance", "i")],
    )]));
    let (hand, clock) = Clock::driven(at(50).to_jiff());
    let stop = tokio_util::sync::CancellationToken::new();
    let mut loops = tokio::task::JoinSet::new();
    let (scraping, stopped) = (Arc::clone(&source), stop.clone());
    loops.spawn(async move { scraping.run(&clock, &stopped).await });
    for (moved_to, expected) in [(59, 0), (60, 1), (74, 1), (75, 2)] {
        // One thread runs all of this, so that the loop waits for the clock whenever it is our turn.
        tokio::task::yield_now().await;
        hand.move_to(at(moved_to).to_jiff());
        let seen = async {
            while read(&source, "up", (0, 900)).await.matches("=1").count() < expected {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), seen)
            .await
            .unwrap();
    }
    stop.cancel();
    loops.join_next().await.unwrap().unwrap();
    assert_eq!(
        read(&source, "a", (0, 900)).await,
        "__name__=\"a\",instance=\"i\",job=\"x\": 60=1 75=1"
    );
}

#[test]
fn what_is_kept_covers_the_longest_read() {
    let settings = ScrapeSettings {
        settle: Span::from_mins(5),
        tick: Span::from_secs(30),
        ..settings(Vec::new())
    };
    // 5m settle, twice 5m30s for blocks, 5m slice, 37.5s validity, 2m for ticks that were held up.
    assert_eq!(
        kept(&settings, Span::from_mins(5)),
        Span::from_millis(1_000 * (300 + 2 * 330 + 300 + 120) + 37_500)
    );
}
