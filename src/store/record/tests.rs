//! Everything that is kept as JSON comes back as it went, and older and newer JSON is understood.

use proptest::prelude::*;

use crate::domain::incident::{AlertState, Incident};
use crate::domain::indicator::Signal;
use crate::domain::labels::Labels;
use crate::domain::measurement::Outcome;
use crate::domain::notice::{Facts, Notice};
use crate::domain::objective::Objective;
use crate::domain::policy::Severity;
use crate::domain::refusal::Refusal;
use crate::domain::slot::Counts;

use super::super::commit::{Episode, GroupRecord};
use super::super::fixtures::{
    alert, at, burn, changes, episode, groups, incident, labels, refused, refused_episode,
    unmeasured,
};
use super::*;

fn back<T: Record>(value: &T) -> T {
    read(&write(value).unwrap()).unwrap()
}

#[test]
fn notices_of_every_kind_come_back() {
    for change in changes() {
        for number in [
            0.0,
            -0.5,
            0.1 + 0.2,
            1e300,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ] {
            let notice = burn("a", 1, change, number);
            assert_eq!(back(&notice), notice);
        }
        for notice in [unmeasured("a", 1, change), refused("a", 1, change)] {
            assert_eq!(back(&notice), notice);
        }
    }
    let mut bare = burn("a", 1, changes()[0], 1.0);
    if let Facts::Burn(facts) = &mut bare.facts {
        (facts.budget, facts.before, facts.stopped, facts.paged) = (None, None, None, None);
        facts.trend.clear();
    }
    assert_eq!(back(&bare), bare);
    assert!(back(&f64::NAN).is_nan());
}

#[test]
fn incidents_alert_states_and_episodes_come_back() {
    for closed in [None, Some(at(7))] {
        let incident = incident("a", closed);
        assert_eq!(back(&incident), incident);
        assert_eq!(back(&alert(incident.clone())), alert(incident));
    }
    assert_eq!(back(&AlertState::default()), AlertState::default());
    assert_eq!(back(&episode("a")), episode("a"));
    assert_eq!(back(&refused_episode("a")), refused_episode("a"));
    let (since, clear) = (at(1), at(2));
    for refusal in [
        None,
        Some(Refusal::Waiting { since }),
        Some(Refusal::Told { since }),
        Some(Refusal::Holding { since, clear }),
    ] {
        let record = GroupRecord {
            refusal,
            ..groups(&["500"])
        };
        assert_eq!(back(&record), record);
    }
    assert_eq!(back(&labels("500")), labels("500"));
}

#[test]
fn names_come_back() {
    for severity in [Severity::Ticket, Severity::Page] {
        assert_eq!(back(&severity), severity);
    }
    for signal in [
        Signal::Latency,
        Signal::Traffic,
        Signal::Errors,
        Signal::Saturation,
    ] {
        assert_eq!(back(&signal), signal);
    }
    for outcome in [
        Outcome::Measured,
        Outcome::NoTraffic,
        Outcome::NoData,
        Outcome::Partial,
        Outcome::Failed,
    ] {
        assert_eq!(back(&outcome), outcome);
    }
    for objective in ["100%", "99.9%", "0.5%", "99.9999999%"] {
        let objective: Objective = objective.parse().unwrap();
        assert_eq!(back(&objective), objective);
    }
}

proptest! {
    #[test]
    fn floats_and_texts_come_back_bit_for_bit(bad in any::<f64>(), total in any::<f64>(), name in ".*", value in ".*") {
        let counts = Counts { bad, total };
        let same = |a: f64, b: f64| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
        let again = back(&counts);
        prop_assert!(same(again.bad, bad) && same(again.total, total), "{again:?} {counts:?}");
        let labels: Labels = [(name, value)].into_iter().collect();
        prop_assert_eq!(back(&labels), labels);
    }
}

/// What a file holds must not change by accident.
#[test]
fn the_shape_is_that_of_files_out_there() {
    insta::assert_snapshot!(write(&alert(incident("a", None))).unwrap(), @r#"{"tiers":{"fast":{"since":30000,"clear":null},"slow":{"since":30000,"clear":60000}},"incident":{"id":"a","slo":"checkout/availability","opened":30000,"onset":10000,"severity":"ticket","peak":"page","paged":60000,"closed":null,"history":[{"sequence":1,"at":1000,"change":{"kind":"opened"},"severity":"page"},{"sequence":2,"at":2000,"change":{"kind":"rose","from":"ticket"},"severity":"page"},{"sequence":3,"at":3000,"change":{"kind":"fell","from":"page"},"severity":"page"},{"sequence":4,"at":4000,"change":{"kind":"reminded"},"severity":"page"},{"sequence":5,"at":5000,"change":{"kind":"closed","reason":"recovered"},"severity":"page"},{"sequence":6,"at":6000,"change":{"kind":"closed","reason":"noTraffic"},"severity":"page"},{"sequence":7,"at":7000,"change":{"kind":"closed","reason":"removed"},"severity":"page"}],"told":["payments"]},"unmeasured":{"noData":45000}}"#);
    insta::assert_snapshot!(write(&burn("a", 1, changes()[1], f64::INFINITY)).unwrap(), @r#"{"incident":"a","sequence":1,"at":30000,"opened":30000,"change":{"kind":"rose","from":"ticket"},"severity":"page","labels":{"team":"päyments \"1\""},"facts":{"burn":{"slo":{"uid":"checkout/availability","group":{"route":"/pay","zone":""},"service":"checkout","name":"availability","target":"sla","signal":"errors","threshold":"300ms","breach":"above","objective":"99.95%","window":2592000000,"calendar":"month","slices":true,"description":null,"owner":"payments","runbook":null},"now":{"bad":954.0,"total":4769.0},"tiers":[{"name":"fast","severity":"ticket","threshold":"inf","bad":3,"firing":true,"heldUntil":7200000,"long":{"length":300000,"counts":{"bad":3.0,"total":"inf"},"burn":"inf"},"short":{"length":300000,"counts":{"bad":3.0,"total":"inf"},"burn":null}}],"budget":{"remaining":"inf","before":0.71,"cost":"inf","allowed":"inf","emptyIn":[7200000,300000]},"onset":1000,"stopped":2000,"paged":3000,"before":["ticket",4000],"trend":["inf",null,0.30000000000000004],"cost":{"bad":"inf","total":17167.0},"coverage":0.998,"origins":[{"label":"route","value":["/pay","inf"],"values":7},{"label":"pod","value":null,"values":12}],"details":"https://slo.example.com/slos/checkout","graph":null}}}"#);
    insta::assert_snapshot!(write(&episode("a")).unwrap(), @r#"{"incident":"a","since":1000,"opened":2000,"told":["payments"],"notice":{"incident":"a","sequence":1,"at":30000,"opened":30000,"change":{"kind":"opened"},"severity":"page","labels":{"team":"päyments \"1\""},"facts":{"unmeasured":{"source":"default","reason":"HTTP 503","lastGood":5000,"failedReads":24,"blind":["checkout/availability"],"held":[["checkout/availability","page",null],["cart/latency","ticket",16.7]]}}}}"#);
    insta::assert_snapshot!(write(&refused("a", 1, changes()[0])).unwrap(), @r#"{"incident":"a","sequence":1,"at":30000,"opened":30000,"change":{"kind":"opened"},"severity":"page","labels":{"team":"päyments \"1\""},"facts":{"refused":{"slo":"checkout/availability","service":"checkout","name":"availability","by":["cluster","route"],"hasWhole":true,"known":200,"most":200,"refused":1000,"more":true,"some":["{cluster=\"\",route=\"/pay\"}"],"details":"https://slo.example.com/slos/checkout"}}}"#);
    insta::assert_snapshot!(write(&groups(&["500"])).unwrap(), @r#"{"by":["code"],"groups":[[["code","500"]]],"refusal":{"kind":"told","since":30000}}"#);
}

#[test]
fn fields_of_newer_versions_are_passed_over_and_missing_ones_are_empty() {
    let text = write(&incident("a", None)).unwrap();
    let newer = text.replacen('{', r#"{"assignee":{"name":"ana"},"#, 1);
    assert_eq!(read::<Incident>(&newer).unwrap(), incident("a", None));
    let older = r#"{"id":"a","slo":"a/b","opened":1,"onset":1,"severity":"page","peak":"page"}"#;
    let older: Incident = read(older).unwrap();
    assert!(older.history.is_empty() && older.paged.is_none());
    let older: GroupRecord = read(r#"{"by":["code"],"groups":[]}"#).unwrap();
    assert!(older.groups.is_empty() && older.refusal.is_none());
    let quiet: AlertState = read("{}").unwrap();
    assert_eq!(quiet, AlertState::default());
}

#[test]
fn what_means_nothing_is_refused_by_name() {
    let text = write(&incident("a", None)).unwrap();
    let refusal = |from: &str, to: &str| match read::<Incident>(&text.replace(from, to)) {
        Ok(read) => panic!("{read:?}"),
        Err(error) => error.to_string(),
    };
    insta::assert_snapshot!(refusal("\"peak\":\"page\"", "\"peak\":\"loud\""), @"the record holds `loud`, which is not known");
    insta::assert_snapshot!(refusal("reminded", "sung"), @"the record has an unknown shape");
    assert!(read::<Notice>("{").is_err() && read::<Episode>("[]").is_err());
}
