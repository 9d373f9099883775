//! What `explain` says of slices, for each way to judge them.

use super::explained;

/// What an objective over slices says of them: their rule, and the newest that were bad.
async fn slices(slo: &str) -> String {
    let ran = explained(slo, &["--window", "20m"]).await;
    let told = ran.out.lines().skip(3).take(2);
    let is_title = |line: &str| line.contains(" slices of ") || line.contains(" slots of ");
    let told: Vec<&str> = told
        .chain(ran.out.lines().skip_while(|it| !is_title(it)))
        .collect();
    let slices = told.split(|line| line.ends_with(" slots")).next();
    slices.unwrap_or_default().join("\n").trim_end().to_owned()
        + &ran
            .err
            .lines()
            .filter(|it| it.starts_with("error"))
            .collect::<String>()
}

/// A slice counts in the last of its slots: the others are no rows of nothing.
#[tokio::test]
async fn a_slice_of_several_slots_is_one_row() {
    let ran = explained("shop/queue", &["--window", "5m"]).await;
    let mut lines = ran.out.lines();
    let from = lines.find(|line| line.ends_with(" slots")).into_iter();
    let rows = from.chain(lines.take_while(|line| !line.is_empty()));
    insta::assert_snapshot!(rows.collect::<Vec<_>>().join("\n"), @r"
    10 slots
      to 11:56:00         0 of          1 bad
      to 11:57:00         0 of          1 bad
      to 11:58:00         0 of          1 bad
      to 11:59:00         0 of          1 bad
      to 12:00:00         0 of          1 bad
    ");
}

async fn all(slos: &[&str]) -> String {
    let mut told = Vec::new();
    for slo in slos {
        told.push(format!("{slo}\n{}", slices(&format!("shop/{slo}")).await));
    }
    told.join("\n\n")
}

#[tokio::test]
async fn rates_gauges_and_timestamps() {
    let told = all(&["usual", "queue", "orders", "checkout", "memories"]).await;
    insta::assert_snapshot!(told, @r#"
    usual
      0 of 20 slices bad = 0 %
      from 2026-03-01T11:40:00Z to 2026-03-01T12:00:00Z, 100 % of it measured
    20 slices of 1m, bad when the rate is more than 40 % below the usual
      20 good
      11:59:00 – 12:00:00  good    2/s of the usual 2/s = 100 % ≥ 60 %
      11:58:00 – 11:59:00  good    2.01667/s of the usual 2.01667/s = 100 % ≥ 60 %
      11:57:00 – 11:58:00  good    2/s of the usual 2/s = 100 % ≥ 60 %
      … and 17 more good

    queue
      2 of 20 slices bad = 10 %
      from 2026-03-01T11:40:00Z to 2026-03-01T12:00:00Z, 100 % of it measured
    20 slices of 1m, bad when any value is above 80
      2 bad, 18 good
      11:55:00 – 11:56:00  good    20 ≤ 80  {instance="a",job="shop"}
      11:54:00 – 11:55:00  bad     90 > 80  {instance="a",job="shop"}
      11:53:00 – 11:54:00  bad     90 > 80  {instance="a",job="shop"}
      11:52:00 – 11:53:00  good    20 ≤ 80  {instance="a",job="shop"}
      … and 16 more good

    orders
      0 of 20 slices bad = 0 %
      from 2026-03-01T11:40:00Z to 2026-03-01T12:00:00Z, 100 % of it measured
    20 slices of 1m, bad when any timestamp is more than 10m old
      20 good
      11:59:00 – 12:00:00  good    6m40s ≤ 10m  {instance="a",job="shop"}
      11:58:00 – 11:59:00  good    5m40s ≤ 10m  {instance="a",job="shop"}
      11:57:00 – 11:58:00  good    4m40s ≤ 10m  {instance="a",job="shop"}
      … and 17 more good

    checkout
      2 of 20 slices bad = 10 %
      from 2026-03-01T11:40:00Z to 2026-03-01T12:00:00Z, 100 % of it measured
    20 slices of 1m, bad when any value is above 500ms (0.5)
      2 bad, 18 good
      11:59:00 – 12:00:00  bad     1 > 0.5  {instance="a",job="shop",quantile="0.99"}
      11:58:00 – 11:59:00  bad     1 > 0.5  {instance="a",job="shop",quantile="0.99"}
      11:57:00 – 11:58:00  good    0 ≤ 0.5  {instance="a",job="shop",quantile="0.99"}
      … and 17 more good

    memories
      0 of 20 slices bad = 0 %
      from 2026-03-01T11:40:00Z to 2026-03-01T12:00:00Z, 100 % of it measured
    20 slices of 1m, bad when 2 or more groups use more than 90 % of their limits
      20 good
      11:59:00 – 12:00:00  good    1 of 2 groups bad: 95 of 100 = 95 % > 90 %  {instance="a"}
      11:58:00 – 11:59:00  good    1 of 2 groups bad: 95 of 100 = 95 % > 90 %  {instance="a"}
      11:57:00 – 11:58:00  good    1 of 2 groups bad: 95 of 100 = 95 % > 90 %  {instance="a"}
      … and 17 more good
    "#);
}

#[tokio::test]
async fn queries() {
    let told = all(&["depth", "share"]).await;
    insta::assert_snapshot!(told, @r"
    depth
      5 of 20 slices bad = 25 %, estimated
      from 2026-03-01T11:40:00Z to 2026-03-01T12:00:00Z, 100 % of it measured
    20 slices of 1m, bad when any value is above 50
      5 bad, 15 good
      11:59:00 – 12:00:00  bad     51 > 50
      11:58:00 – 11:59:00  bad     51 > 50
      11:57:00 – 11:58:00  bad     51 > 50
      11:56:00 – 11:57:00  bad     51 > 50
      11:55:00 – 11:56:00  bad     51 > 50
      11:54:00 – 11:55:00  good    50 ≤ 50
      … and 14 more good

    share
      0.4 of 20 slices bad = 2 %, estimated
      from 2026-03-01T11:40:00Z to 2026-03-01T12:00:00Z, 100 % of it measured
    20 slices of 1m, each as bad as the query's error ratio says
      20 bad in part
      11:59:00 – 12:00:00  partly  2 %
      11:58:00 – 11:59:00  partly  2 %
      11:57:00 – 11:58:00  partly  2 %
      11:56:00 – 11:57:00  partly  2 %
      11:55:00 – 11:56:00  partly  2 %
      11:54:00 – 11:55:00  partly  2 %
      11:53:00 – 11:54:00  partly  2 %
      11:52:00 – 11:53:00  partly  2 %
      11:51:00 – 11:52:00  partly  2 %
      11:50:00 – 11:51:00  partly  2 %
      11:49:00 – 11:50:00  partly  2 %
      11:48:00 – 11:49:00  partly  2 %
      … and 8 more bad in part
    ");
}

#[tokio::test]
async fn events() {
    let told = all(&["answered", "calls", "calls-owed"]).await;
    insta::assert_snapshot!(told, @r"
    answered
      10 of 20 slices bad = 50 %
      from 2026-03-01T11:40:00Z to 2026-03-01T12:00:00Z, 100 % of it measured
    20 slices of 1m, bad when more than 3 % of its events are bad
      10 bad, 10 good
      11:50:00 – 11:51:00  good    12 of 418 events bad = 2.87081 % ≤ 3 %
      11:49:00 – 11:50:00  bad     12 of 372 events bad = 3.22581 % > 3 %
      11:48:00 – 11:49:00  bad     12 of 373 events bad = 3.21716 % > 3 %
      11:47:00 – 11:48:00  bad     12 of 372 events bad = 3.22581 % > 3 %
      11:46:00 – 11:47:00  bad     12 of 373 events bad = 3.21716 % > 3 %
      11:45:00 – 11:46:00  bad     12 of 373 events bad = 3.21716 % > 3 %
      11:44:00 – 11:45:00  bad     12 of 372 events bad = 3.22581 % > 3 %
      11:43:00 – 11:44:00  bad     12 of 373 events bad = 3.21716 % > 3 %
      11:42:00 – 11:43:00  bad     12 of 372 events bad = 3.22581 % > 3 %
      11:41:00 – 11:42:00  bad     12 of 373 events bad = 3.21716 % > 3 %
      11:40:00 – 11:41:00  bad     13 of 374 events bad = 3.47594 % > 3 %
      … and 9 more good

    calls
      3 of 15 slices bad = 20 %
      from 2026-03-01T11:40:00Z to 2026-03-01T12:00:00Z, 85 % of it measured
    20 slices of 1m, bad when more than 5 % of its events are bad
      3 bad, 12 good, 2 without events (neither good nor bad), 3 not counted (less than half of each lies between samples)
      11:55:00 – 11:56:00  good    2 of 120 events bad = 1.66667 % ≤ 5 %
      11:54:00 – 11:55:00  bad     12 of 120 events bad = 10 % > 5 %
      11:53:00 – 11:54:00  bad     12 of 120 events bad = 10 % > 5 %
      11:52:00 – 11:53:00  bad     10 of 120 events bad = 8.33333 % > 5 %
      11:51:00 – 11:52:00  good    0 of 120 events bad = 0 % ≤ 5 %
      … and 10 more good, 2 more without events

    calls-owed
      6 of 18 slices bad = 33.3333 %
      from 2026-03-01T11:40:00Z to 2026-03-01T12:00:00Z, 100 % of it measured
    20 slices of 1m, bad when more than 5 % of its events are bad
      6 bad (3 of them without data: missingData is bad), 12 good, 2 without events (neither good nor bad)
      11:55:00 – 11:56:00  good    2 of 120 events bad = 1.66667 % ≤ 5 %
      11:54:00 – 11:55:00  bad     12 of 120 events bad = 10 % > 5 %
      11:53:00 – 11:54:00  bad     12 of 120 events bad = 10 % > 5 %
      11:52:00 – 11:53:00  bad     10 of 120 events bad = 8.33333 % > 5 %
      11:51:00 – 11:52:00  good    0 of 120 events bad = 0 % ≤ 5 %
      11:45:00 – 11:46:00  good    0 of 90 events bad = 0 % ≤ 5 %
      11:44:00 – 11:45:00  bad     no data
      11:43:00 – 11:44:00  bad     no data
      11:42:00 – 11:43:00  bad     no data
      11:41:00 – 11:42:00  good    0 of 120 events bad = 0 % ≤ 5 %
      … and 8 more good, 2 more without events
    ");
}

#[tokio::test]
async fn probes() {
    let told = all(&["probes", "quorum", "probed", "voted"]).await;
    insta::assert_snapshot!(told, @r#"
    probes
      14 of 152 events bad = 9.21053 %
      from 2026-03-01T11:40:00Z to 2026-03-01T12:00:00Z, 100 % of it measured
    40 slots of 30s, each sample an event, bad when below 1
      2 bad, 3 bad in part, 35 good
      11:55:00 – 11:55:30  good    0 of 4 samples bad
      11:54:30 – 11:55:00  partly  2 of 4 samples bad  {instance="a"}
      11:54:00 – 11:54:30  bad     4 of 4 samples bad  {instance="a"}  {instance="b"}
      11:53:30 – 11:54:00  bad     4 of 4 samples bad  {instance="a"}  {instance="b"}
      11:53:00 – 11:53:30  partly  2 of 4 samples bad  {instance="b"}
      11:52:30 – 11:53:00  partly  2 of 4 samples bad  {instance="b"}
      11:52:00 – 11:52:30  good    0 of 4 samples bad
      … and 33 more good

    quorum
      2 of 40 events bad = 5 %
      from 2026-03-01T11:40:00Z to 2026-03-01T12:00:00Z, 100 % of it measured
    40 slots of 30s, bad when 2 or more probers are below 1
      2 bad, 38 good
      11:54:30 – 11:55:00  good    1 of 2 probers bad  {instance="a"}
      11:54:00 – 11:54:30  bad     2 of 2 probers bad  {instance="a"}  {instance="b"}
      11:53:30 – 11:54:00  bad     2 of 2 probers bad  {instance="a"}  {instance="b"}
      11:53:00 – 11:53:30  good    1 of 2 probers bad  {instance="b"}
      … and 36 more good

    probed
      2 of 20 slices bad = 10 %
      from 2026-03-01T11:40:00Z to 2026-03-01T12:00:00Z, 100 % of it measured
    20 slices of 1m, bad when more than 40 % of its samples are below 1
      2 bad, 18 good
      11:55:00 – 11:56:00  good    0 of 8 samples bad = 0 % ≤ 40 %
      11:54:00 – 11:55:00  bad     6 of 8 samples bad = 75 % > 40 %
      11:53:00 – 11:54:00  bad     6 of 8 samples bad = 75 % > 40 %
      11:52:00 – 11:53:00  good    2 of 8 samples bad = 25 % ≤ 40 %
      … and 16 more good

    voted
      2 of 20 slices bad = 10 %
      from 2026-03-01T11:40:00Z to 2026-03-01T12:00:00Z, 100 % of it measured
    20 slices of 1m, bad when more than 60 % of its slots are, and a slot when any prober is below 1
      2 bad, 18 good
      11:55:00 – 11:56:00  good    0 of 2 slots bad = 0 % ≤ 60 %
      11:54:00 – 11:55:00  bad     2 of 2 slots bad = 100 % > 60 %
      11:53:00 – 11:54:00  bad     2 of 2 slots bad = 100 % > 60 %
      11:52:00 – 11:53:00  good    1 of 2 slots bad = 50 % ≤ 60 %
      … and 16 more good
    "#);
}
