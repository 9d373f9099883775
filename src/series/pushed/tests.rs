//! The forms in which sums are asked for.

use super::*;
use crate::domain::selector::Matcher;

#[test]
fn a_step_divides_the_slot_and_is_at_most_half_the_distance_of_samples() {
    let secs = Span::from_secs;
    for (slot, interval, step) in [
        (30, 15, 6),
        (30, 30, 15),
        (30, 60, 30),
        (30, 300, 30),
        (60, 15, 6),
        (10, 15, 5),
        (30, 10, 5),
        (30, 1, 1),
    ] {
        let form = Form::of(secs(slot), secs(interval));
        if interval > 1 {
            assert!(2 * form.step.as_millis() <= form.interval.as_millis());
            assert_eq!(form.step, secs(step), "{slot} {interval}");
        }
        assert_eq!(secs(slot).as_millis() % form.step.as_millis(), 0);
        // Two intervals are within the time that is looked back, three are not, wherever in its step a sample lies.
        let reached = form.valid().as_millis();
        assert!(reached >= 2 * form.interval.as_millis());
        assert!(reached + form.step.as_millis() < 3 * form.interval.as_millis());
    }
    assert_eq!(Form::of(secs(30), Span::ZERO).step, secs(15));
}

#[test]
fn what_is_asked_is_promql() {
    let matchers = vec![Matcher::equal("job", "api")];
    let selector = Selector::new("http_requests_total", matchers);
    let form = Form::of(Span::from_secs(30), Span::from_secs(30));
    let labels = || vec!["code".to_owned(), "my.label".to_owned()];
    let mut text = String::new();
    for what in [
        What::Increases(labels()),
        What::Increases(Vec::new()),
        What::Arrivals,
        What::Living(labels()),
        What::Last(Span::from_days(3)),
        What::Pace,
    ] {
        let selector = selector.clone();
        text += &Sums {
            selector,
            form,
            what,
        }
        .text();
        text.push('\n');
    }
    insta::assert_snapshot!(text, @r#"
    sum by (code,"my.label") ((((last_over_time(http_requests_total{job="api"}[15000ms]) >= 0) - (last_over_time(http_requests_total{job="api"}[67501ms] offset 15000ms) >= 0)) >= 0) or ((last_over_time(http_requests_total{job="api"}[15000ms]) >= 0) and (last_over_time(http_requests_total{job="api"}[67501ms] offset 15000ms) >= 0)))
    sum by () ((((last_over_time(http_requests_total{job="api"}[15000ms]) >= 0) - (last_over_time(http_requests_total{job="api"}[67501ms] offset 15000ms) >= 0)) >= 0) or ((last_over_time(http_requests_total{job="api"}[15000ms]) >= 0) and (last_over_time(http_requests_total{job="api"}[67501ms] offset 15000ms) >= 0)))
    count by (job,instance) ((last_over_time(http_requests_total{job="api"}[15000ms]) >= 0) unless (last_over_time(http_requests_total{job="api"}[67501ms] offset 15000ms) >= 0))
    count by (code,"my.label") (last_over_time(http_requests_total{job="api"}[67501ms]))
    last_over_time(http_requests_total{job="api"}[259200000ms])
    quantile(0.5, count_over_time(http_requests_total{job="api"}[600000ms]))
    "#);
}
