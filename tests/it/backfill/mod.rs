//! The past of a real Prometheus, written into it beforehand: every slot of it is counted, by whatever way it is read.

mod groups;
mod longer;
mod native;
mod pods;
mod probes;
mod shop;
mod slices;
mod truth;

use sloburn::domain::selector::Selector;
use sloburn::domain::time::{TimeRange, Timestamp};
use sloburn::series::batch::{Batch, Fetch};
use sloburn::source::Source as _;
use sloburn::status::names::Compliance;
use sloburn::status::view::scalar::Count;

use crate::support::past::{HOUR, Past, SCRAPE, recent, scraped, status};
use crate::support::remote_write::Written;

/// Whole numbers all along: what the counter of a code shows at a scrape. Both were reset half a
/// day before the end, and the exporter was away for half an hour, a quarter of a day before it.
fn value(code: &str, second: i64, end: i64) -> Option<f64> {
    let ago = end - second;
    if (6 * HOUR..6 * HOUR + 1_800).contains(&ago) {
        return None;
    }
    let since = if ago <= 12 * HOUR {
        second - (end - 12 * HOUR)
    } else {
        second - (end - 60 * HOUR)
    };
    let count = if code == "500" {
        since / 100
    } else {
        since * 3
    };
    i32::try_from(count).ok().map(f64::from)
}

fn written(end: i64, hours: i64) -> Vec<Written> {
    let series = |code: &str| {
        let labels = [
            ("__name__", "http_requests_total"),
            ("job", "api"),
            ("instance", "api-0"),
            ("code", code),
        ];
        let seconds = (end - hours * HOUR..=end).step_by(15);
        scraped(&labels, seconds, |second| value(code, second, end))
    };
    vec![series("200"), series("500")]
}

/// What `(from, to]` holds of a code, by the samples that were written.
fn growth(code: &str, from: i64, to: i64, end: i64) -> f64 {
    let mut seconds = (from / SCRAPE..=to / SCRAPE).map(|step| step * SCRAPE);
    let mut last = seconds.by_ref().find_map(|second| value(code, second, end));
    let mut sum = 0.0;
    for now in seconds.filter_map(|second| value(code, second, end)) {
        sum += last.map_or(0.0, |last| if now >= last { now - last } else { now });
        last = Some(now);
    }
    sum
}

const DEFINITION: &str = "\
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: api}
spec:
  window: 1d
  alertPolicy: none
  objectives:
    - name: availability
      objective: 99%
      errors: {total: 'http_requests_total{job=\"api\"}', badWhere: code=~\"5..\"}
";

#[tokio::test]
async fn status_without_a_daemon_tells_of_any_moment_of_the_past() {
    let end = recent(300);
    let Some(past) = Past::of(&written(end, 48)).await else {
        return;
    };

    for back in [0, 5 * HOUR, 20 * HOUR] {
        let at = end - back;
        let evaluated = past.status_at(DEFINITION, at);
        let slo = evaluated.slo("api/availability");
        let from = slo.window.from.0.as_millis() / 1_000;
        let expected = |code| growth(code, from, at, end);
        assert_eq!(slo.window.bad, Count(expected("500")), "{back} {slo:#?}");
        let total = expected("200") + expected("500");
        assert_eq!(slo.window.total, Count(total), "{back}");
        assert_eq!(slo.compliance, Compliance::Met);
        // How far the past is read is for who watches, and nobody does.
        assert_eq!((evaluated.code, evaluated.told.as_str()), (Some(0), ""));
    }
    let nobody = status("http://127.0.0.1:1", DEFINITION, &[]);
    assert_eq!(nobody.code, Some(2));
}

#[tokio::test]
async fn remote_read_and_queries_give_the_same_samples() {
    let end = recent(300);
    let Some(past) = Past::of(&written(end, 30)).await else {
        return;
    };
    let remote = past.source();
    // Parameters would be lost on the way of remote read, so these are read by queries.
    let queries = past.source_with(|it| it.params = vec![("dedup".into(), "true".into())]);
    let fetch = Fetch::Samples(Selector::new("http_requests_total", Vec::new()));
    for (from, to) in [(30, 0), (30, 24), (13, 11), (7, 5)] {
        let range = TimeRange {
            from: Timestamp::from_millis((end - from * HOUR) * 1_000),
            to: Timestamp::from_millis((end - to * HOUR) * 1_000),
        };
        let one = remote.read_past(&fetch, range).await.unwrap();
        let other = queries.read_past(&fetch, range).await.unwrap();
        // What is kept where series ended is no sample.
        assert_eq!(all(&one), all(&other), "{from}h to {to}h");
        assert!(all(&one).len() > 700);
    }
}

fn all(batch: &Batch) -> Vec<(String, i64, f64)> {
    let mut all = Vec::new();
    for series in batch.series() {
        let labels = series.labels.to_labels().to_string();
        let samples = series.samples.iter();
        all.extend(samples.map(|it| (labels.clone(), it.at.as_millis(), it.value)));
    }
    all.sort_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
    all
}
