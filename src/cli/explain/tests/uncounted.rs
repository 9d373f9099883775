//! Windows of which nothing was counted, and wholes that nobody judges.

use serde_json::{Value, json};

use super::{explained, explained_at};

/// A window before all samples is no selector that matches nothing.
#[tokio::test]
async fn a_time_of_which_nothing_is_known_is_said() {
    let early = explained_at("1990-01-01T00:00:00Z", "shop/availability", &[]).await;
    insta::assert_snapshot!(early, @r"
    err:
    error: `shop/availability` cannot be explained
      caused by: source `default` has no samples of what `shop/availability` selects from 1989-12-31T23:00:00Z to 1990-01-01T00:00:00Z: it does not keep them that long, or the selectors match nothing (`sloburn check --live` shows what they match now)
    exit 2
    ");
    let late = explained_at("9999-01-01T00:00:00Z", "shop/availability", &[]).await;
    let late = late.to_string();
    let (told, now) = late.split_once("now is ").unwrap();
    assert!(now.ends_with("Z)\nexit 2"), "{late}");
    insta::assert_snapshot!(told, @r"
    err:
    error: `--at` lies in the future (
    ");
}

/// Samples that cannot be used are no numbers of an arithmetic.
#[tokio::test]
async fn nothing_is_computed_where_nothing_was_counted() {
    let ran = explained("shop/coarse", &[]).await;
    let (told, _) = ran.out.split_once("\nAsked").unwrap();
    insta::assert_snapshot!(told, @r#"
    shop/coarse: 90% over 30d (latency, source default)
    The 1h window that ended at 2026-03-01T12:00:00Z:

      no events were counted
      from 2026-03-01T11:00:00Z to 2026-03-01T12:00:00Z, 0 % of it measured

    Arithmetic
      not counted, because `http_request_duration_seconds_bucket` has no bucket that ends at 250ms; set `atMost` to one of its boundaries

    Tiers
      fast (page) quiet: above 14.4× in 1h and in 5m
        threshold = budgetSpent × period / long = 2 % × 30d / 1h = 14.4×
        limit     = threshold × allowance       = 14.4 × 10 % = 144 %
          1h: nothing was counted, so nothing is exceeded
          5m: nothing was counted, so nothing is exceeded
        low traffic: 0 bad seen, 1 needed to rule out chance: too few
      not looked at, since their windows are longer: chronic (72h), slow (6h)

    Σtotal = 0 events of 1 series
      http_request_duration_seconds_bucket{job="shop",le="+Inf"}
      each event adds 1 to total and 1 to bad
      http_request_duration_seconds_bucket{job="shop",le="+Inf"}[3608001ms] at 2026-03-01T12:00:00Z
               0  {instance="a",job="shop",le="+Inf"}  241 samples, 10:59:52 185,568 → 11:59:52 199,968

    Σgood = 0 events of no series
      http_request_duration_seconds_bucket{job="shop",le=~"0\\.25|2\\.5[eE]-0*1"}
      each event adds −1 to bad
      http_request_duration_seconds_bucket{job="shop",le=~"0\\.25|2\\.5[eE]-0*1"}[3600000ms] at 2026-03-01T12:00:00Z
    "#);
    let json = explained("shop/coarse", &["--format", "json"]).await;
    let json: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&json["steps"], &json["total"]), (&json!([]), &json!(0)));
}

#[tokio::test]
async fn a_whole_that_nobody_watches_is_not_judged() {
    let tiers = async |slo: &str| {
        let ran = explained(slo, &[]).await;
        let (_, tiers) = ran.out.split_once("\nTiers\n").unwrap();
        tiers.lines().next().unwrap().trim().to_owned()
    };
    let whole = tiers("shop/codes").await;
    let group = tiers("shop/codes{code=\"500\"}").await;
    insta::assert_snapshot!([whole, group].join("\n"), @r"
    the whole is not watched (no `alsoWhole`); each group is
    fast (page) BURNS: above 14.4× in 1h and in 5m
    ");
}
