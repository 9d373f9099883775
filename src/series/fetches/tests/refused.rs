//! Queries that a source refuses as too much, divided by what is known of them: all series stay asked for.

use super::super::super::batch::Batch;
use super::super::*;
use super::{answer, selector, steps};

/// Targets with so many series each.
fn targets(series: &[(&str, usize)]) -> Vec<Labels> {
    let of = |(instance, series): &(&str, usize)| {
        let instance = (*instance).to_owned();
        (0..*series).map(move |number| {
            let labels = [
                ("__name__", "m".to_owned()),
                (CENSUS_LABEL, instance.clone()),
                ("job", format!("j{}", number % 2)),
                ("number", number.to_string()),
            ];
            labels.into_iter().collect()
        })
    };
    series.iter().flat_map(of).collect()
}

/// Asks a source that refuses to bring more than `most` series, and counts those that it would bring by their targets:
/// the queries of each step. However it is divided, all series are asked for.
fn refusals(selectors: &[&str], population: &[Labels], most: usize) -> (Fetches, String) {
    let selectors: Vec<Selector> = selectors.iter().map(|text| selector(text)).collect();
    let (mut fetches, mut told) = (Fetches::union("m", &selectors), Vec::new());
    loop {
        let queries = fetches.queries();
        let answers: Vec<Batch> = queries.iter().map(|it| answer(it, population)).collect();
        let lines = queries.iter().zip(&answers);
        let lines = lines.map(|(fetch, batch)| format!("{} {}", batch.len(), fetch.text()));
        told.push(lines.collect::<Vec<_>>().join(" + "));
        assert_eq!(Batch::joined(&answers).len(), population.len(), "{told:?}");
        let census = |batch: &Batch| -> Census {
            let mut counted: BTreeMap<String, usize> = BTreeMap::new();
            for series in batch.series() {
                let target = series.labels.get(CENSUS_LABEL).to_owned();
                *counted.entry(target).or_default() += 1;
            }
            counted.into_iter().collect()
        };
        let refused = answers.iter().enumerate();
        let refused = refused.filter(|(_, batch)| batch.len() > most);
        let refused = refused.map(|(part, batch)| (part, census(batch)));
        match fetches.divided(&refused.collect(), most) {
            Some(divided) => fetches = divided,
            None => return (fetches, told.join("\n")),
        }
    }
}

#[test]
fn what_is_refused_as_too_much_is_divided_by_selectors_and_else_by_targets() {
    let even = targets(&[("a:80", 20), ("b:80", 20), ("c:80", 20), ("d:80", 20)]);
    let both = [r#"m{job="j0"}"#, r#"m{job="j1"}"#];
    insta::assert_snapshot!(refusals(&both, &even, 40).1, @r#"
    80 m{job=~"j0|j1"}
    40 m{job="j0"} + 40 m{job="j1"}
    "#);
    insta::assert_snapshot!(refusals(&["m"], &even, 20).1, @r#"
    80 m
    20 m{instance=~".*[a].{3}",instance=~".*[ab].{3}"} + 20 m{instance=~".*[ab].{3}",instance!~".*[a].{3}"} + 20 m{instance=~".*[c].{3}",instance!~".*[ab].{3}"} + 20 m{instance!~".*[ab].{3}",instance!~".*[c].{3}"}
    "#);
    // A target alone cannot be divided: it is asked for as before, and the others no longer fail with it.
    let uneven = targets(&[("big:80", 100), ("c:80", 5), ("d:80", 5)]);
    insta::assert_snapshot!(refusals(&["m"], &uneven, 20).1, @r#"
    110 m
    10 m{instance=~".*[cd].{3}"} + 100 m{instance!~".*[cd].{3}"}
    "#);
}

#[test]
fn what_was_refused_is_asked_for_in_one_query_again_when_half_of_it_is_left() {
    let before = targets(&[("a:80", 20), ("b:80", 20)]);
    let (divided, _) = refusals(&["m"], &before, 30);
    assert_eq!(divided.queries().len(), 2);
    for (left, queries) in [(11, 2), (10, 1)] {
        let population = targets(&[("a:80", left), ("b:80", 10)]);
        let (kept, _) = steps(divided.clone(), &[selector("m")], &population, 1_000);
        assert_eq!(kept.queries().len(), queries, "{left}");
    }
}

#[test]
fn what_is_refused_is_divided_into_so_many_queries_and_no_more() {
    let names: Vec<String> = (0..500)
        .map(|target| format!("pod-{target:03}:80"))
        .collect();
    let series: Vec<_> = names.iter().map(|name| (name.as_str(), 3)).collect();
    let (fetches, _) = refusals(&["m"], &targets(&series), 3);
    assert_eq!(fetches.queries().len(), MOST_QUERIES);
}

#[test]
fn only_what_has_several_selectors_is_divided_without_a_census() {
    let union = |selectors: &[&str]| {
        let selectors: Vec<Selector> = selectors.iter().map(|text| selector(text)).collect();
        Fetches::union("m", &selectors)
    };
    for (fetches, position, halved) in [
        (union(&["m"]), 0, false),
        (union(&[r#"m{a="x"}"#, r#"m{a="y"}"#]), 0, true),
        (union(&[r#"m{a="x"}"#, r#"m{a="y"}"#]), 1, false),
        (union(&["m", r#"m{a="y"}"#]), 0, false),
    ] {
        assert_eq!(fetches.may_be_halved(position), halved, "{fetches:?}");
        let refused = BTreeMap::from([(position, Census::new())]);
        let divided = fetches.divided(&refused, 10).is_some();
        assert_eq!(divided, halved, "{fetches:?}");
    }
}
