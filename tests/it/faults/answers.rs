//! A source that answers, but not with what was asked.

use std::fmt::Write as _;

use sloburn::engine::settings::Partial;

use super::{Lie, READS, Scene, Setup, live_through};

/// What comes of each lie, which is told once a tick and asked for once a tick.
async fn table(lies: &[(&str, Lie)]) -> String {
    let mut text = String::new();
    for (name, lie) in lies {
        let shown = live_through(Setup::default(), *lie).await;
        writeln!(text, "{name}: {}: {}", shown.outcome, shown.reason).expect("a string takes it");
        // Where an answer is too large, its series are counted to divide it: a question more for each read.
        let counted = matches!(lie, Lie::Bomb(_) | Lie::Status(422, _));
        let asked = if counted { 2 * READS } else { READS };
        assert_eq!(shown.asked, asked, "{name}");
        assert!(
            shown.told.contains("CANNOT MEASURE"),
            "{name}: {}",
            shown.told
        );
    }
    text
}

#[tokio::test]
async fn row_05_a_query_that_is_at_fault_is_told_as_such_and_not_repeated() {
    let error = [
        r#"{"status":"error","errorType":"bad_data","error":"parse error: unexpected }"}"#,
        r#"{"status":"error","errorType":"execution","error":"too many samples"}"#,
        r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#,
    ];
    insta::assert_snapshot!(table(&[
        ("400", Lie::Status(400, error[0])),
        ("422", Lie::Status(422, error[1])),
        ("503 timeout", Lie::Status(503, error[2])),
    ]).await, @r"
    400: failed: the Prometheus of source `default` at http://prom:9090 refuses the query (bad_data): parse error: unexpected }; correct or narrow what is asked
    422: failed: the Prometheus of source `default` at http://prom:9090 refuses the query (execution): too many samples; correct or narrow what is asked
    503 timeout: failed: the Prometheus of source `default` at http://prom:9090 gave no whole answer within 10s; look at its load, or raise `sources.default.prometheus.timeout`
    ");
}

#[tokio::test]
async fn row_07_credentials_that_are_not_accepted_name_the_source_and_no_secret() {
    let shown = live_through(
        Setup::default(),
        Lie::Status(401, "Bearer hunter2 is wrong"),
    )
    .await;
    insta::assert_snapshot!(shown.words(), @r"
    failed: the Prometheus of source `default` at http://prom:9090 does not accept our credentials (HTTP 401); check `bearerTokenFile` or `basicAuthFile` under `sources.default.prometheus`
    told: 🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    ");
    // Two ticks of two reads; then one now and then.
    assert!((4..=7).contains(&shown.asked), "{}", shown.asked);
    let shown = live_through(Setup::default(), Lie::Status(403, "tenant hunter2")).await;
    insta::assert_snapshot!(shown.words(), @r"
    failed: the Prometheus of source `default` at http://prom:9090 does not let us query it (HTTP 403); check what our token may do, and `sources.default.prometheus.headers`
    told: 🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    ");
    assert_eq!(shown.asked, READS);
}

#[tokio::test]
async fn row_08_somebody_elses_page_is_no_answer_and_a_redirect_is_not_followed() {
    insta::assert_snapshot!(table(&[
        ("page", Lie::Page),
        ("redirect", Lie::Elsewhere),
        ("text", Lie::Says("OK")),
    ]).await, @r"
    page: failed: what answers for source `default` at http://prom:9090 is not the API of a Prometheus: a web page, not JSON; check `sources.default.prometheus.url`, and for a proxy or login page before it
    redirect: failed: what answers for source `default` at http://prom:9090 is not the API of a Prometheus: it redirects elsewhere (HTTP 303), which is not followed; check `sources.default.prometheus.url`, and for a proxy or login page before it
    text: failed: what answers for source `default` at http://prom:9090 is not the API of a Prometheus: not JSON; check `sources.default.prometheus.url`, and for a proxy or login page before it
    ");
}

#[tokio::test]
async fn row_11_a_partial_answer_holds_unless_it_is_to_be_accepted() {
    let shown = live_through(Setup::default(), Lie::Warning).await;
    insta::assert_snapshot!(shown.words(), @r"
    partial: source `default` answered with a part of the data, and nothing of it was used: store gateway-2 did not answer; see to what it warns of, or set `partial: accept`
    told: 🟠 CANNOT MEASURE 1 objective of source default since TIME UTC; not known to be failing
    ");
    let setup = Setup {
        partial: Partial::Accept,
        ..Setup::default()
    };
    let mut scene = Scene::start(setup).await;
    scene.ticks(super::WARM_UP).await;
    scene.prometheus.tell(Lie::Warning).await;
    let status = scene.ticks(super::TICKS).await;
    assert_eq!(status.measurement.outcome.name(), "measured");
    assert_eq!(scene.prometheus.asked(Lie::Warning).len(), READS);
}

#[tokio::test]
async fn row_17_an_answer_that_unpacks_to_too_much_is_not_taken_in() {
    insta::assert_snapshot!(table(&[("bomb", Lie::Bomb(64))]).await, @"bomb: failed: the answer of the Prometheus of source `default` at http://prom:9090 is larger than 1 MiB; narrow the selectors of its objectives");
}

#[tokio::test]
async fn row_18_answers_without_series_of_samples_are_told_apart() {
    let with = |body| Lie::Says(body);
    insta::assert_snapshot!(table(&[
        ("scalar", with(r#"{"status":"success","data":{"resultType":"scalar","result":[1700000000,"1"]}}"#)),
        ("string", with(r#"{"status":"success","data":{"resultType":"string","result":[1700000000,"a"]}}"#)),
        ("vector", with(r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#)),
    ]).await, @r"
    scalar: failed: the Prometheus of source `default` at http://prom:9090 answered with a scalar where series of numbers over time are due; correct the expression
    string: failed: the Prometheus of source `default` at http://prom:9090 answered with a string where series of numbers over time are due; correct the expression
    vector: failed: the Prometheus of source `default` at http://prom:9090 answered with a vector where series of numbers over time are due; correct the expression
    ");
}
