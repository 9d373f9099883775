//! What the service has answered, as Prometheus would tell it.

use std::fmt::Write as _;

use reqwest::Url;
use sloburn::domain::time::{Span, Timestamp};

use super::Shared;

/// What the service answers each second with 200, and as many times with 500.
const EACH_PER_SECOND: i64 = 50;

/// The parts of a query that matter here.
pub(super) struct Question {
    query: String,
    time: f64,
}

impl Question {
    pub(super) fn of(form: &str) -> Self {
        let url = Url::parse(&format!("http://form/?{form}")).expect("a form");
        let field = |wanted| {
            let mut fields = url.query_pairs();
            let found = fields.find(|(name, _)| name == wanted);
            found.expect("every query has it").1.into_owned()
        };
        Self {
            query: field("query"),
            time: field("time").parse().expect("seconds"),
        }
    }

    /// The metric that is asked for.
    pub(super) fn metric(&self) -> &str {
        let ends = self.query.find(['{', '[', '(']);
        ends.map_or(&*self.query, |end| self.query.split_at(end).0)
    }

    /// Whether the service has it: it answers all kinds of requests alike.
    fn is_known(&self) -> bool {
        self.metric().ends_with("_requests_total")
    }
}

impl Shared {
    /// The second since the service began at which a question is asked.
    #[expect(clippy::cast_possible_truncation, reason = "it is a time of ours")]
    pub(super) fn second(&self, question: &Question) -> i64 {
        question.time.round() as i64 - self.born.as_millis() / 1_000
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a test is over long before 2^53"
    )]
    pub(super) fn value(&self, at: Timestamp) -> f64 {
        (at.since(self.born).as_millis() / 1_000 * EACH_PER_SECOND) as f64
    }

    /// `selector[…ms]` at a time: the samples of the series with these codes.
    pub(super) fn truth(&self, question: &Question, codes: &[&str]) -> String {
        self.told(question, codes, |_, value| Some(value.to_string()))
    }

    /// The same, with what `value` makes of each value at its second since the service began.
    pub(super) fn told(
        &self,
        question: &Question,
        codes: &[&str],
        value: impl Fn(i64, f64) -> Option<String>,
    ) -> String {
        let labels = codes.iter().map(|code| format!(r#""code":"{code}""#));
        self.matrix(question, &labels.collect::<Vec<_>>(), value)
    }

    /// The same of so many routes, each of which answers a tenth of what the service does.
    pub(super) fn routes(&self, question: &Question, routes: i64) -> String {
        let labels = (0..routes).flat_map(|route| {
            ["200", "500"].map(|code| format!(r#""code":"{code}","route":"/{route}""#))
        });
        let labels: Vec<String> = labels.collect();
        self.matrix(question, &labels, |_, value| {
            Some((value / 10.0).to_string())
        })
    }

    /// Series with these labels, all with the same values.
    fn matrix(
        &self,
        question: &Question,
        labels: &[String],
        value: impl Fn(i64, f64) -> Option<String>,
    ) -> String {
        // It cannot count its series, which is asked when answers are too large.
        if question.query.starts_with("count by") || question.query.starts_with("quantile") {
            return r#"{"status":"error","errorType":"bad_data","error":"no such function"}"#
                .to_owned();
        }
        let range = question
            .query
            .rsplit_once('[')
            .and_then(|(_, rest)| rest.strip_suffix("ms]"));
        let length = range
            .and_then(|text| text.parse().ok())
            .expect("only raw samples are asked for");
        #[expect(clippy::cast_possible_truncation, reason = "it is a time of ours")]
        let to = Timestamp::from_millis((question.time * 1_000.0).round() as i64);
        let from =
            (to - Span::from_millis(length)).floor_to(Span::from_secs(1)) + Span::from_secs(1);
        let mut points = String::new();
        let mut at = from.max(self.born);
        while at <= to {
            let second = at.since(self.born).as_millis() / 1_000;
            if let Some(value) = value(second, self.value(at)) {
                let comma = if points.is_empty() { "" } else { "," };
                let at = at.as_millis() / 1_000;
                write!(points, "{comma}[{at}, \"{value}\"]").expect("a string takes it");
            }
            at = at + Span::from_secs(1);
        }
        let metric = question.metric();
        let known = labels
            .iter()
            .filter(|_| question.is_known() && !points.is_empty());
        let series = known.map(|labels| format!(
            r#"{{"metric":{{"__name__":"{metric}","job":"shop","instance":"shop:80",{labels}}},"values":[{points}]}}"#
        ));
        format!(
            r#"{{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}}"#,
            series.collect::<Vec<_>>().join(",")
        )
    }
}
