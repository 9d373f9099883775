//! What is measured: ten counters with many series each, in closed form, and the objectives over them.

use std::fmt::Write as _;

use sloburn::domain::time::{Span, TimeRange, Timestamp};

/// Metric families, each one query a tick.
pub(crate) const FAMILIES: usize = 10;

/// The distance of scrapes; a tick follows each.
pub(crate) const SCRAPE: Span = Span::from_secs(30);

/// How long after a multiple of [`SCRAPE`] targets are scraped.
const PHASE: Span = Span::from_millis(7_123);

/// Before the first tick; a multiple of every tick, window and chunk.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_772_323_200_000);

/// How much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    /// Instances of objectives, over all families.
    pub(crate) instances: usize,
    /// Series of each instance; a fifth of them count failures.
    pub(crate) series: usize,
}

impl Size {
    /// Series of one family.
    pub(crate) const fn in_family(self) -> usize {
        self.instances / FAMILIES * self.series
    }

    /// Series of all families.
    pub(crate) const fn all_series(self) -> usize {
        self.in_family() * FAMILIES
    }

    /// The series of one instance, by their positions in the family.
    pub(crate) fn of_instance(self, instance: usize) -> impl Iterator<Item = usize> {
        let first = instance / FAMILIES * self.series;
        first..first + self.series
    }

    pub(crate) const fn is_bad(self, series: usize) -> bool {
        series % self.series % 5 == 4
    }

    /// What a counter shows when it is scraped for the `step`th time: a failure now and then, or,
    /// for one service in a hundred, with every scrape.
    pub(crate) const fn value(self, series: usize, step: i64) -> i64 {
        let step = step - START.as_millis() / SCRAPE.as_millis() + 1_000_000;
        if !self.is_bad(series) {
            return (series % 97 + 100).cast_signed() as i64 * step;
        }
        if (series / self.series).is_multiple_of(100) {
            5 * step
        } else {
            (step + (series % 20).cast_signed() as i64) / 20
        }
    }

    /// The labels of a series as JSON, about 170 bytes.
    pub(crate) fn labels(self, family: usize, series: usize) -> String {
        let code = if self.is_bad(series) { "503" } else { "200" };
        let (service, replica) = (series / self.series, series % self.series);
        format!(
            r#"{{"__name__":"{}","code":"{code}","instance":"10.{family}.{}.{}:8080","job":"kubernetes-pods","route":"/api/v1/items/{replica}","service":"service-{service:04}"}}"#,
            metric(family),
            series / 250,
            series % 250,
        )
    }

    /// What a Prometheus answers about a family's counters over a range, by what each shows at a scrape.
    pub(crate) fn answer(
        self,
        family: usize,
        range: TimeRange,
        value: impl Fn(usize, i64) -> i64,
    ) -> Vec<u8> {
        let mut body = r#"{"status":"success","data":{"resultType":"matrix","result":["#.to_owned();
        for series in 0..self.in_family() {
            let comma = if series == 0 { "" } else { "," };
            let labels = self.labels(family, series);
            write!(body, r#"{comma}{{"metric":{labels},"values":["#).expect("a string takes it");
            for (position, (at, step)) in scrapes(range.from, range.to).enumerate() {
                let comma = if position == 0 { "" } else { "," };
                let (second, millis) = (at.as_millis() / 1_000, at.as_millis() % 1_000);
                let value = value(series, step);
                write!(body, r#"{comma}[{second}.{millis:03},"{value}"]"#)
                    .expect("a string takes it");
            }
            body.push_str("]}");
        }
        body.push_str("]}}");
        body.into_bytes()
    }

    /// Definitions of all instances.
    pub(crate) fn definitions(self) -> String {
        let mut text = String::new();
        for service in 0..self.instances / FAMILIES {
            writeln!(
                text,
                "---\napiVersion: sloburn.dev/v1\nkind: ServiceObjectives\nmetadata: {{name: service-{service:04}}}\nspec:\n  window: 30d\n  objectives:"
            )
            .expect("a string takes it");
            for family in 0..FAMILIES {
                writeln!(
                    text,
                    "    - {{name: family-{family}, objective: 99.9%, errors: {{total: '{}{{service=\"service-{service:04}\"}}', badWhere: 'code=~\"5..\"'}}}}",
                    metric(family),
                )
                .expect("a string takes it");
            }
        }
        text
    }
}

/// The metric of a family.
pub(crate) fn metric(family: usize) -> String {
    format!("http_server_{family}_requests_total")
}

/// The family of a metric.
pub(crate) fn family(metric: &str) -> Option<usize> {
    (0..FAMILIES).find(|family| *metric == self::metric(*family))
}

/// The scrapes in `(from, to]`, as times and their numbers.
pub(crate) fn scrapes(from: Timestamp, to: Timestamp) -> impl Iterator<Item = (Timestamp, i64)> {
    let number = |at: Timestamp| (at - PHASE).as_millis().div_euclid(SCRAPE.as_millis());
    (number(from) + 1..=number(to)).map(|step| {
        let at = Timestamp::from_millis(step * SCRAPE.as_millis()) + PHASE;
        (at, step)
    })
}
