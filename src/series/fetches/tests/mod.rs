//! Queries over a population of series: at every step they bring all that is wanted.

mod refused;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::domain::labels::Labels;
use crate::domain::time::Timestamp;
use crate::promql::{CompiledMatchers, parse_selector};
use crate::series::batch::Sample;

use super::super::batch::Batch;
use super::*;

fn selector(text: &str) -> Selector {
    parse_selector(text).unwrap()
}

/// What a query brings of a population, as far as it goes without a Prometheus.
fn answer(fetch: &Fetch, population: &[Labels]) -> Batch {
    let Fetch::Samples(selector) = fetch else {
        panic!("only selectors are asked for here");
    };
    let matchers = CompiledMatchers::of_selector(selector).unwrap();
    let sample = Sample {
        at: Timestamp::from_millis(1),
        value: 1.0,
    };
    let brought = population.iter().filter(|labels| matchers.matches(*labels));
    brought
        .map(|labels| (labels.clone(), vec![sample]))
        .collect()
}

/// Asks for `selectors` of a population until nothing changes any more, and writes the queries of
/// each step with the number of series that they brought. Every step must bring all that is wanted.
fn steps(
    fetches: Fetches,
    selectors: &[Selector],
    population: &[Labels],
    most: usize,
) -> (Fetches, String) {
    let wanted: Vec<CompiledMatchers> = selectors
        .iter()
        .map(|it| CompiledMatchers::of_selector(it).unwrap())
        .collect();
    let is_wanted = |labels: &Labels| wanted.iter().any(|matchers| matchers.matches(labels));
    let (mut fetches, mut told) = (fetches, Vec::new());
    for _ in 0..20 {
        let answers: Vec<Batch> = fetches
            .queries()
            .iter()
            .map(|fetch| answer(fetch, population))
            .collect();
        let queries = fetches.queries().into_iter().zip(&answers);
        let queries: Vec<String> = queries
            .map(|(fetch, batch)| format!("{} {}", batch.len(), fetch.text()))
            .collect();
        told.push(queries.join(" + "));
        let whole = Batch::joined(&answers);
        let brought = whole
            .series()
            .filter(|series| is_wanted(&series.labels.to_labels()))
            .count();
        assert_eq!(
            brought,
            population.iter().filter(|labels| is_wanted(labels)).count(),
            "{told:?}"
        );
        let measure = |batch: &Batch| Measured {
            fetched: batch.len(),
            wanted: Some(
                batch
                    .series()
                    .filter(|series| is_wanted(&series.labels.to_labels()))
                    .count(),
            ),
            division: (batch.len() > most).then(|| division(batch)).flatten(),
        };
        let measured: Vec<Measured> = answers.iter().map(measure).collect();
        match fetches.revised(&measured, most) {
            Some(revised) => fetches = revised,
            None => break,
        }
    }
    told.dedup();
    (fetches, told.join("\n"))
}

/// `jobs` × `envs` × `pods` series.
fn population(jobs: usize, envs: usize, pods: usize) -> Vec<Labels> {
    let mut all = Vec::new();
    for job in 0..jobs {
        for env in 0..envs {
            for pod in 0..pods {
                let labels = [
                    ("__name__", "m".to_owned()),
                    ("job", format!("j{job}")),
                    ("env", format!("e{env}")),
                    ("pod", format!("j{job}-{pod}-x")),
                ];
                all.push(labels.into_iter().collect());
            }
        }
    }
    all
}

fn shown(selectors: &[&str], population: &[Labels], most: usize) -> String {
    let selectors: Vec<Selector> = selectors.iter().map(|text| selector(text)).collect();
    steps(
        Fetches::union("m", &selectors),
        &selectors,
        population,
        most,
    )
    .1
}

#[test]
fn a_union_that_brings_far_more_than_is_wanted_is_divided_after_the_second_look() {
    let selectors = [
        r#"m{job="j0",env="e0"}"#,
        r#"m{job="j1",env="e1"}"#,
        r#"m{job="j2",env="e2"}"#,
    ];
    insta::assert_snapshot!(shown(&selectors, &population(3, 3, 200), 20_000), @r#"
    1800 m{env=~"e0|e1|e2",job=~"j0|j1|j2"}
    800 m{env=~"e0|e1",job=~"j0|j1"} + 200 m{env="e2",job="j2"}
    "#);
    // Twice as much is as it should be, and a few too many are cheaper than a query.
    insta::assert_snapshot!(shown(&selectors[..2], &population(2, 2, 200), 20_000), @r#"
    800 m{env=~"e0|e1",job=~"j0|j1"}
    "#);
    insta::assert_snapshot!(shown(&selectors, &population(3, 3, 20), 20_000), @r#"
    180 m{env=~"e0|e1|e2",job=~"j0|j1|j2"}
    "#);
}

#[test]
fn a_family_with_too_many_series_is_divided_by_its_parts_and_these_by_a_label() {
    let selectors = [
        r#"m{job="j0"}"#,
        r#"m{job="j1"}"#,
        r#"m{job="j1",env="e0"}"#,
    ];
    insta::assert_snapshot!(shown(&selectors, &population(2, 2, 50), 60), @r#"
    200 m{job=~"j0|j1"}
    100 m{job="j0"} + 100 m{job="j1"}
    50 m{job="j0",pod=~".*[01234].{2}"} + 50 m{job="j0",pod!~".*[01234].{2}"} + 50 m{job="j1",pod=~".*[01234].{2}"} + 50 m{job="j1",pod!~".*[01234].{2}"}
    "#);
    insta::assert_snapshot!(shown(&["m"], &population(1, 1, 40), 10), @r#"
    40 m
    20 m{pod=~".*[\\x{2D}1].{3}"} + 20 m{pod!~".*[\\x{2D}1].{3}"}
    10 m{pod=~".*[\\x{2D}1].{3}",pod=~".*[j].{6}"} + 10 m{pod=~".*[\\x{2D}1].{3}",pod!~".*[j].{6}"} + 10 m{pod=~".*[2].{3}",pod!~".*[\\x{2D}1].{3}"} + 10 m{pod!~".*[2].{3}",pod!~".*[\\x{2D}1].{3}"}
    "#);
}

#[test]
fn what_was_divided_is_joined_when_it_is_half_as_much_as_may_be() {
    let selectors = [selector("m")];
    let (divided, _) = steps(
        Fetches::union("m", &selectors),
        &selectors,
        &population(1, 1, 40),
        30,
    );
    assert_eq!(divided.queries().len(), 2);
    let (kept, _) = steps(divided.clone(), &selectors, &population(1, 1, 16), 30);
    assert_eq!(kept.queries().len(), 2);
    let (joined, _) = steps(divided, &selectors, &population(1, 1, 15), 30);
    assert_eq!(joined, Fetches::union("m", &selectors));
}

#[test]
fn a_source_that_brings_everything_is_not_asked_ever_more() {
    let batch = answer(&Fetch::Samples(selector("m")), &population(1, 1, 40));
    let mut fetches = Fetches::union("m", &[selector("m")]);
    for _ in 0..20 {
        let measured = Measured {
            fetched: batch.len(),
            wanted: None,
            division: division(&batch),
        };
        let measured = vec![measured; fetches.queries().len()];
        fetches = fetches.revised(&measured, 1).unwrap_or(fetches);
    }
    assert_eq!(fetches.queries().len(), MOST_QUERIES);
}

#[test]
fn an_expression_is_never_divided() {
    let fetches = Fetches::expression(Fetch::Expression {
        text: "sum(m)".to_owned(),
        step: crate::domain::time::Span::from_secs(30),
    });
    let measured = Measured {
        fetched: 100_000,
        wanted: Some(0),
        division: None,
    };
    assert_eq!(fetches.revised(&[measured], 10), None);
    let census = vec![("a:80".to_owned(), 50), ("b:80".to_owned(), 50)];
    assert_eq!(fetches.divided(&BTreeMap::from([(0, census)]), 10), None);
}

fn matcher() -> impl Strategy<Value = Matcher> {
    let op = prop_oneof![
        4 => Just(MatchOp::Equal),
        1 => Just(MatchOp::NotEqual),
        2 => Just(MatchOp::Matches),
        1 => Just(MatchOp::NotMatches),
    ];
    let value = prop_oneof![
        Just("x".to_owned()),
        Just("y".to_owned()),
        Just(String::new()),
        Just("x|z".to_owned()),
        Just("[yz]".to_owned())
    ];
    ("[abc]", op, value).prop_map(|(label, op, value)| Matcher { label, op, value })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn however_it_is_divided_all_that_is_wanted_comes(
        selectors in vec(vec(matcher(), 0..3), 1..12),
        series in vec(vec(("[abc]", "[xyz]{0,2}"), 0..4), 1..60),
        most in 1..30_usize,
    ) {
        let selectors: Vec<Selector> = selectors.into_iter().map(|matchers| Selector::new("m", matchers)).collect();
        let named = |pairs: Vec<(String, String)>| -> Labels {
            pairs.into_iter().chain([("__name__".to_owned(), "m".to_owned())]).collect()
        };
        let mut population: Vec<Labels> = series.into_iter().map(named).collect();
        population.sort();
        population.dedup();
        steps(Fetches::union("m", &selectors), &selectors, &population, most);
    }
}
