//! What the service has answered, as Prometheus would tell it.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use reqwest::Url;
use sloburn::domain::time::Timestamp;

use super::Shared;

/// What the service answers each second with 200, and as many times with 500.
const EACH_PER_SECOND: i64 = 50;

/// All codes with which it answers.
pub(super) const CODES: [&str; 2] = ["200", "500"];

/// The parts of a query that matter here.
pub(super) struct Question {
    query: String,
    /// What is asked for, in seconds since the service began.
    seconds: RangeInclusive<i64>,
    /// Whether PromQL is to be evaluated, once in so many seconds; samples are asked for otherwise.
    step: Option<usize>,
}

impl Question {
    /// Reads a form that was sent to the query API, or to that for ranges.
    pub(super) fn of(form: &str, born: Timestamp) -> Self {
        let url = Url::parse(&format!("http://form/?{form}")).expect("a form");
        let field = |wanted| {
            let mut fields = url.query_pairs();
            Some(fields.find(|(name, _)| name == wanted)?.1.into_owned())
        };
        let since_born = |name| Some(millis(&field(name)?) - born.as_millis());
        let query = field("query").expect("every question has one");
        let step = field("step").map(|step| {
            let step = millis(step.trim_end_matches('s')) / 1_000;
            usize::try_from(step).expect("time goes on")
        });
        let (from, to) = match since_born("time") {
            Some(to) => ((to - length(&query)).div_euclid(1_000) + 1, to),
            None => (
                since_born("start").expect("where it begins") / 1_000,
                since_born("end").expect("where it ends"),
            ),
        };
        Self {
            query,
            seconds: from.max(0)..=to.div_euclid(1_000),
            step,
        }
    }

    /// The metric that is asked for.
    pub(super) fn metric(&self) -> &str {
        let ends = self.query.find(['{', '[', '(']);
        ends.map_or(&*self.query, |end| self.query.split_at(end).0)
    }

    /// The second since the service began at which it is asked, or the last of them.
    pub(super) const fn second(&self) -> i64 {
        *self.seconds.end()
    }

    /// Whether it is an expression that tells of failures, alone or as a share.
    pub(super) fn is_of_failures(&self) -> bool {
        self.step.is_some() && self.query.contains("code=~")
    }

    /// Whether the service has it: it answers all kinds of requests alike.
    fn is_known(&self) -> bool {
        self.metric().ends_with("_requests_total")
    }

    /// Whether it counts series, which is asked when answers are too large.
    fn counts_series(&self) -> bool {
        self.query.starts_with("count by") || self.query.starts_with("quantile")
    }

    /// The value of its expression at a second: failures as a share of all where it divides, failures or all
    /// requests within its window otherwise.
    fn evaluated(&self, second: i64, counter: impl Fn(&str, i64) -> Option<f64>) -> f64 {
        let (_, window) = self.query.split_once('[').expect("a window");
        let (window, _) = window.split_once("s]").expect("a window in seconds");
        let window: i64 = window.parse().expect("whole seconds");
        let increase = |code| {
            let [older, newer] =
                [second - window, second].map(|at| counter(code, at.max(0)).unwrap_or(0.0));
            newer - older
        };
        let [good, bad] = CODES.map(increase);
        if self.query.contains('/') {
            bad / (good + bad)
        } else if self.is_of_failures() {
            bad
        } else {
            good + bad
        }
    }

    /// `[second,"value"]` of all that are there, as the API lists them.
    fn points(&self, born: Timestamp, value: impl Fn(i64) -> Option<f64>) -> String {
        let mut points = String::new();
        for second in self.seconds.clone().step_by(self.step.unwrap_or(1)) {
            let Some(value) = value(second) else { continue };
            let comma = if points.is_empty() { "" } else { "," };
            let at = born.as_millis() / 1_000 + second;
            write!(points, "{comma}[{at}, \"{}\"]", written(value)).expect("a string takes it");
        }
        points
    }
}

/// The length of the range of raw samples that is asked for, in milliseconds.
fn length(query: &str) -> i64 {
    let range = query.rsplit_once('[').map_or("", |(_, range)| range);
    let millis = range.strip_suffix("ms]").and_then(|text| text.parse().ok());
    millis.unwrap_or_default()
}

#[expect(clippy::cast_possible_truncation, reason = "it is a time of ours")]
fn millis(seconds: &str) -> i64 {
    let seconds: f64 = seconds.parse().expect("seconds");
    (seconds * 1_000.0).round() as i64
}

/// A number as Prometheus writes it.
fn written(value: f64) -> String {
    if value.is_infinite() {
        let sign = if value > 0.0 { '+' } else { '-' };
        format!("{sign}Inf")
    } else {
        value.to_string()
    }
}

/// What each counter shows at a second since the service began.
#[expect(
    clippy::cast_precision_loss,
    reason = "a test is over long before 2^53"
)]
pub(super) fn value(second: i64) -> f64 {
    (second * EACH_PER_SECOND) as f64
}

impl Shared {
    /// What is asked for, of counters with these codes.
    pub(super) fn truth(&self, question: &Question, codes: &[&str]) -> String {
        self.told(question, codes, |_, second| Some(value(second)))
    }

    /// The same, where counters show what `counter` makes of their code and a second.
    pub(super) fn told(
        &self,
        question: &Question,
        codes: &[&str],
        counter: impl Fn(&str, i64) -> Option<f64>,
    ) -> String {
        if question.counts_series() {
            return r#"{"status":"error","errorType":"bad_data","error":"no such function"}"#
                .to_owned();
        }
        if question.step.is_some() {
            return evaluations(self.born, question, |second| {
                question.evaluated(second, &counter)
            });
        }
        let row = |code: &&str| {
            let points = question.points(self.born, |second| counter(code, second));
            row(question, &format!(r#""code":"{code}""#), &points)
        };
        matrix(codes.iter().filter_map(row))
    }

    /// The values of an expression, which are another one from behind a second on where that is said.
    pub(super) fn evaluated(&self, question: &Question, lie: Option<(f64, i64)>) -> String {
        evaluations(self.born, question, |second| match lie {
            Some((value, since)) if second > since => value,
            _ => question.evaluated(second, |_, second| Some(value(second))),
        })
    }

    /// What is asked for of so many routes, each of which answers a tenth of what the service does.
    pub(super) fn routes(&self, question: &Question, routes: i64) -> String {
        let points = question.points(self.born, |second| Some(value(second) / 10.0));
        let labels = (0..routes)
            .flat_map(|route| CODES.map(|code| format!(r#""code":"{code}","route":"/{route}""#)));
        matrix(labels.filter_map(|labels| row(question, &labels, &points)))
    }
}

/// A series with its samples, where the service has it.
fn row(question: &Question, labels: &str, points: &str) -> Option<String> {
    let metric = question.metric();
    (question.is_known() && !points.is_empty()).then(|| {
        format!(
            r#"{{"metric":{{"__name__":"{metric}","job":"shop","instance":"shop:80",{labels}}},"values":[{points}]}}"#
        )
    })
}

/// One series without labels, as expressions that sum up give.
fn evaluations(born: Timestamp, question: &Question, value: impl Fn(i64) -> f64) -> String {
    let points = question.points(born, |second| Some(value(second)));
    matrix([format!(r#"{{"metric":{{}},"values":[{points}]}}"#)])
}

fn matrix(rows: impl IntoIterator<Item = String>) -> String {
    let rows: Vec<String> = rows.into_iter().collect();
    format!(
        r#"{{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}}"#,
        rows.join(",")
    )
}
