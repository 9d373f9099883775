//! One objective of each kind, and what cannot be explained.

use super::explained;

#[tokio::test]
async fn errors_by_the_bad() {
    insta::assert_snapshot!(explained("shop/availability", &[]).await, @r#"
    out:
    shop/availability: 99.9% over 30d (errors, source default)
    The 1h window that ended at 2026-03-01T12:00:00Z:

      241 of 22,414 events bad = 1.07522 %
      from 2026-03-01T11:00:00Z to 2026-03-01T12:00:00Z, 99.778 % of it measured

    Arithmetic
      total       = Σtotal                 = 22,414
      bad         = Σbad                   = 241
      ratio       = bad / total            = 241 / 22,414 = 1.07522 %
      allowance   = 1 − objective          = 1 − 99.9 % = 0.1 %
      burn        = ratio / allowance      = 1.07522 % / 0.1 % = 10.7522×
      budgetSpent = burn × window / period = 10.7522 × 1h / 30d = 1.49336 %

    Tiers
      fast (page) quiet: above 14.4× in 1h and in 5m
        threshold = budgetSpent × period / long = 2 % × 30d / 1h = 14.4×
        limit     = threshold × allowance       = 14.4 × 0.1 % = 1.44 %
          1h: 241 / 22,414 = 1.07522 % ≤ 1.44 %, not above (10.8×)
          5m: 60 / 2,160 = 2.77778 % > 1.44 %, above (27.8×)
        low traffic: 241 bad seen, 39 needed to rule out chance: enough
      not looked at, since their windows are longer: chronic (72h), slow (6h)

    Σtotal = 22,414 events of 4 series
      http_requests_total{code!="404",job="shop"}
      each event adds 1 to total
      http_requests_total{code!="404",job="shop"}[3608001ms] at 2026-03-01T12:00:00Z
          14,388  {code="200",instance="a"}  241 samples, 10:59:52 385,568 → 11:59:52 7,968
           7,200  {code="200",instance="b"}  221 samples, 10:59:52 142,784 → 11:59:52 149,984
             585  {code="200",instance="c"}  40 samples, 11:50:07 999,407 → 11:59:52 999,992
             241  {code="500",instance="a"}  80 samples, 11:40:07 4 → 11:59:52 241

    Σbad = 241 events of 1 series
      http_requests_total{code!="404",code=~"5..",job="shop"}
      each event adds 1 to bad
      http_requests_total{code!="404",code=~"5..",job="shop"}[3600000ms] at 2026-03-01T12:00:00Z
             241  {code="500",instance="a",job="shop"}  80 samples, 11:40:07 4 → 11:59:52 241

    Of note
      11:14:52 – 11:20:07  gap: 630 events over 12 slots  {code="200",instance="b",job="shop"}
          nothing was scraped for more than 2.5 usual intervals, so the events are spread over all slots between
      11:26:52  reset from 391,988 to 48: 48 counted  {code="200",instance="a",job="shop"}
          the counter fell: it began anew at zero, and all of the newer value is new
      11:40:07  first value 4: 4 counted from 0  {code="500",instance="a",job="shop"}
          its target was scraped before without it: it was at zero then
      11:50:07  first value 999,407: not counted  {code="200",instance="c",job="shop"}
          nothing shows when these happened, and at its pace they took more than ten scrapes

    120 slots
      to 11:05:00         0 of      1,800 bad
      to 11:10:00         0 of      1,800 bad
      to 11:15:00         0 of      1,852 bad    partly spread over a gap
      to 11:20:00         0 of      1,725 bad    partly spread over a gap
      to 11:25:00         0 of      1,823 bad    partly spread over a gap
      to 11:30:00         0 of      1,788 bad
      to 11:35:00         0 of      1,800 bad
      to 11:40:00         0 of      1,800 bad
      to 11:45:00        61 of      1,861 bad  ████████████████████
      to 11:50:00        60 of      1,860 bad  ████████████████████
      to 11:55:00        60 of      2,145 bad  ████████████████████
      to 12:00:00        60 of      2,160 bad  ████████████████████

    Asked of the source
      http_requests_total{code!="404",job="shop"}[600000ms] at 2026-03-01T12:00:00Z: 5 series, 200 samples
      process_start_time_seconds{job="shop"}[900000ms] at 2026-03-01T12:00:00Z: 3 series, 180 samples
      http_requests_total{code!="404",job="shop"}[4200000ms] at 2026-03-01T11:55:00Z: 5 series, 880 samples
      process_start_time_seconds{job="shop"}[4200000ms] at 2026-03-01T11:55:00Z: 3 series, 840 samples
    exit 0
    "#);
}

#[tokio::test]
async fn errors_by_the_good() {
    insta::assert_snapshot!(explained("shop/found", &[]).await, @r#"
    out:
    shop/found: 99% over 30d (errors, source default)
    The 1h window that ended at 2026-03-01T12:00:00Z:

      277 of 22,450 events bad = 1.23385 %
      from 2026-03-01T11:00:00Z to 2026-03-01T12:00:00Z, 99.778 % of it measured

    Arithmetic
      total       = Σtotal                 = 22,450
      bad         = Σtotal − Σgood         = 22,450 − 22,173 = 277
      ratio       = bad / total            = 277 / 22,450 = 1.23385 %
      allowance   = 1 − objective          = 1 − 99 % = 1 %
      burn        = ratio / allowance      = 1.23385 % / 1 % = 1.23385×
      budgetSpent = burn × window / period = 1.23385 × 1h / 30d = 0.17137 %

    Tiers
      fast (page) quiet: above 14.4× in 1h and in 5m
        threshold = budgetSpent × period / long = 2 % × 30d / 1h = 14.4×
        limit     = threshold × allowance       = 14.4 × 1 % = 14.4 %
          1h: 277 / 22,450 = 1.23385 % ≤ 14.4 %, not above (1.2×)
          5m: 63 / 2,163 = 2.91262 % ≤ 14.4 %, not above (2.9×)
        low traffic: 277 bad seen, 273 needed to rule out chance: enough
      not looked at, since their windows are longer: chronic (72h), slow (6h)

    Σtotal = 22,450 events of 5 series
      http_requests_total{job="shop"}
      each event adds 1 to total and 1 to bad
      http_requests_total{job="shop"}[3608001ms] at 2026-03-01T12:00:00Z
          14,388  {code="200",instance="a"}  241 samples, 10:59:52 385,568 → 11:59:52 7,968
           7,200  {code="200",instance="b"}  221 samples, 10:59:52 142,784 → 11:59:52 149,984
             585  {code="200",instance="c"}  40 samples, 11:50:07 999,407 → 11:59:52 999,992
             241  {code="500",instance="a"}  80 samples, 11:40:07 4 → 11:59:52 241
              36  {code="404",instance="b"}  221 samples, 10:59:52 864 → 11:59:52 900

    Σgood = 22,173 events of 3 series
      http_requests_total{code="200",job="shop"}
      each event adds −1 to bad
      http_requests_total{code="200",job="shop"}[3608001ms] at 2026-03-01T12:00:00Z
          14,388  {instance="a"}  241 samples, 10:59:52 385,568 → 11:59:52 7,968
           7,200  {instance="b"}  221 samples, 10:59:52 142,784 → 11:59:52 149,984
             585  {instance="c"}  40 samples, 11:50:07 999,407 → 11:59:52 999,992

    Of note
      11:14:52 – 11:20:07  gap: 630 events over 12 slots  {code="200",instance="b",job="shop"}
          nothing was scraped for more than 2.5 usual intervals, so the events are spread over all slots between
      11:14:52 – 11:20:07  gap: 4 events over 12 slots  {code="404",instance="b",job="shop"}
          nothing was scraped for more than 2.5 usual intervals, so the events are spread over all slots between
      11:26:52  reset from 391,988 to 48: 48 counted  {code="200",instance="a",job="shop"}
          the counter fell: it began anew at zero, and all of the newer value is new
      11:40:07  first value 4: 4 counted from 0  {code="500",instance="a",job="shop"}
          its target was scraped before without it: it was at zero then
      11:50:07  first value 999,407: not counted  {code="200",instance="c",job="shop"}
          nothing shows when these happened, and at its pace they took more than ten scrapes

    120 slots
      to 11:05:00         3 of      1,803 bad  █
      to 11:10:00         3 of      1,803 bad  █
      to 11:15:00         3 of      1,855 bad  █  partly spread over a gap
      to 11:20:00         3 of      1,728 bad  █  partly spread over a gap
      to 11:25:00         3 of      1,826 bad  █  partly spread over a gap
      to 11:30:00         3 of      1,791 bad  █
      to 11:35:00         3 of      1,803 bad  █
      to 11:40:00         3 of      1,803 bad  █
      to 11:45:00        64 of      1,864 bad  ████████████████████
      to 11:50:00        63 of      1,863 bad  ████████████████████
      to 11:55:00        63 of      2,148 bad  ████████████████████
      to 12:00:00        63 of      2,163 bad  ████████████████████

    Asked of the source
      http_requests_total{job="shop"}[600000ms] at 2026-03-01T12:00:00Z: 5 series, 200 samples
      process_start_time_seconds{job="shop"}[900000ms] at 2026-03-01T12:00:00Z: 3 series, 180 samples
      http_requests_total{job="shop"}[4200000ms] at 2026-03-01T11:55:00Z: 5 series, 880 samples
      process_start_time_seconds{job="shop"}[4200000ms] at 2026-03-01T11:55:00Z: 3 series, 840 samples
    exit 0
    "#);
}

#[tokio::test]
async fn latency_of_a_classic_histogram() {
    insta::assert_snapshot!(explained("shop/latency", &[]).await, @r#"
    out:
    shop/latency: 90% over 30d (latency, source default)
    The 1h window that ended at 2026-03-01T12:00:00Z:

      1,800 of 14,400 events bad = 12.5 %
      from 2026-03-01T11:00:00Z to 2026-03-01T12:00:00Z, 99.778 % of it measured

    Arithmetic
      total       = Σtotal                 = 14,400
      bad         = Σtotal − Σgood         = 14,400 − 12,600 = 1,800
      ratio       = bad / total            = 1,800 / 14,400 = 12.5 %
      allowance   = 1 − objective          = 1 − 90 % = 10 %
      burn        = ratio / allowance      = 12.5 % / 10 % = 1.25×
      budgetSpent = burn × window / period = 1.25 × 1h / 30d = 0.17361 %

    Tiers
      fast (page) quiet: above 14.4× in 1h and in 5m
        threshold = budgetSpent × period / long = 2 % × 30d / 1h = 14.4×
        limit     = threshold × allowance       = 14.4 × 10 % = 144 %
          1h: 1,800 / 14,400 = 12.5 % ≤ 144 %, not above (1.2×)
          5m: 150 / 1,200 = 12.5 % ≤ 144 %, not above (1.2×)
        low traffic: 1,800 bad seen, 1,560 needed to rule out chance: enough
      not looked at, since their windows are longer: chronic (72h), slow (6h)

    Σtotal = 14,400 events of 1 series
      http_request_duration_seconds_bucket{job="shop",le="+Inf"}
      each event adds 1 to total and 1 to bad
      http_request_duration_seconds_bucket{job="shop",le="+Inf"}[3608001ms] at 2026-03-01T12:00:00Z
          14,400  {instance="a",job="shop",le="+Inf"}  241 samples, 10:59:52 185,568 → 11:59:52 199,968

    Σgood = 12,600 events of 1 series
      http_request_duration_seconds_bucket{job="shop",le=~"0\\.3|3(?:\\.0)?[eE]-0*1"}
      each event adds −1 to bad
      http_request_duration_seconds_bucket{job="shop",le=~"0\\.3|3(?:\\.0)?[eE]-0*1"}[3608001ms] at 2026-03-01T12:00:00Z
          12,600  {instance="a",job="shop",le="0.3"}  241 samples, 10:59:52 177,372 → 11:59:52 189,972

    120 slots
      to 11:05:00       150 of      1,200 bad  ████████████████████
      to 11:10:00       150 of      1,200 bad  ████████████████████
      to 11:15:00       150 of      1,200 bad  ████████████████████
      to 11:20:00       150 of      1,200 bad  ████████████████████
      to 11:25:00       150 of      1,200 bad  ████████████████████
      to 11:30:00       150 of      1,200 bad  ████████████████████
      to 11:35:00       150 of      1,200 bad  ████████████████████
      to 11:40:00       150 of      1,200 bad  ████████████████████
      to 11:45:00       150 of      1,200 bad  ████████████████████
      to 11:50:00       150 of      1,200 bad  ████████████████████
      to 11:55:00       150 of      1,200 bad  ████████████████████
      to 12:00:00       150 of      1,200 bad  ████████████████████

    Asked of the source
      http_request_duration_seconds_bucket{job="shop",le=~"(?:0\\.3|3(?:\\.0)?[eE]-0*1)|\\+Inf"}[600000ms] at 2026-03-01T12:00:00Z: 3 series, 120 samples
      process_start_time_seconds{job="shop"}[900000ms] at 2026-03-01T12:00:00Z: 3 series, 180 samples
      http_request_duration_seconds_bucket{job="shop",le=~"(?:0\\.3|3(?:\\.0)?[eE]-0*1)|\\+Inf"}[4200000ms] at 2026-03-01T11:55:00Z: 3 series, 840 samples
      process_start_time_seconds{job="shop"}[4200000ms] at 2026-03-01T11:55:00Z: 3 series, 840 samples
    exit 0
    "#);
}

#[tokio::test]
async fn traffic() {
    insta::assert_snapshot!(explained("shop/throughput", &[]).await, @r#"
    out:
    shop/throughput: 99% over 30d (traffic, source default)
    The 1h window that ended at 2026-03-01T12:00:00Z:

      5 of 60 slices bad = 8.33333 %
      from 2026-03-01T11:00:00Z to 2026-03-01T12:00:00Z, 100 % of it measured

    Arithmetic
      total       = slices that were good or bad = 60
      bad         = slices that were bad         = 5
      ratio       = bad / total                  = 5 / 60 = 8.33333 %
      allowance   = 1 − objective                = 1 − 99 % = 1 %
      burn        = ratio / allowance            = 8.33333 % / 1 % = 8.33333×
      budgetSpent = burn × window / period       = 8.33333 × 1h / 30d = 1.15741 %

    Tiers
      fast (ticket) quiet: above 14.4× in 1h and in 5m
        threshold = budgetSpent × period / long = 2 % × 30d / 1h = 14.4×
        limit     = threshold × allowance       = 14.4 × 1 % = 14.4 %
          1h: 5 / 60 = 8.33333 % ≤ 14.4 %, not above (8.3×)
          5m: 0 / 5 = 0 % ≤ 14.4 %, not above (0×)
      not looked at, since their windows are longer: chronic (72h), slow (6h)

    Total: 5 series
      http_requests_total{job="shop"}
      http_requests_total{job="shop"}[3608001ms] at 2026-03-01T12:00:00Z
      {code="200",instance="a"}  241 samples, 10:59:52 385,568 → 11:59:52 7,968
      {code="200",instance="b"}  221 samples, 10:59:52 142,784 → 11:59:52 149,984
      {code="200",instance="c"}  40 samples, 11:50:07 999,407 → 11:59:52 999,992
      {code="404",instance="b"}  221 samples, 10:59:52 864 → 11:59:52 900
      {code="500",instance="a"}  80 samples, 11:40:07 4 → 11:59:52 241

    60 slices of 1m, bad when the rate is below 5.5/s
      5 bad, 55 good
      11:20:00 – 11:21:00  good    6/s ≥ 5.5/s
      11:19:00 – 11:20:00  bad     4/s < 5.5/s
      11:18:00 – 11:19:00  bad     4/s < 5.5/s
      11:17:00 – 11:18:00  bad     4/s < 5.5/s
      11:16:00 – 11:17:00  bad     4/s < 5.5/s
      11:15:00 – 11:16:00  bad     4/s < 5.5/s
      11:14:00 – 11:15:00  good    6/s ≥ 5.5/s
      … and 53 more good

    120 slots
      to 11:05:00         0 of          5 bad
      to 11:10:00         0 of          5 bad
      to 11:15:00         0 of          5 bad
      to 11:20:00         5 of          5 bad  ████████████████████
      to 11:25:00         0 of          5 bad
      to 11:30:00         0 of          5 bad
      to 11:35:00         0 of          5 bad
      to 11:40:00         0 of          5 bad
      to 11:45:00         0 of          5 bad
      to 11:50:00         0 of          5 bad
      to 11:55:00         0 of          5 bad
      to 12:00:00         0 of          5 bad

    Asked of the source
      http_requests_total{job="shop"}[900000ms] at 2026-03-01T12:00:00Z: 5 series, 280 samples
      http_requests_total{job="shop"}[4200000ms] at 2026-03-01T11:55:00Z: 5 series, 880 samples
    exit 0
    "#);
}

#[tokio::test]
async fn saturation() {
    insta::assert_snapshot!(explained("shop/memory", &[]).await, @r#"
    out:
    shop/memory: 99.5% over 30d (saturation, source default)
    The 1h window that ended at 2026-03-01T12:00:00Z:

      15 of 60 slices bad = 25 %
      from 2026-03-01T11:00:00Z to 2026-03-01T12:00:00Z, 100 % of it measured

    Arithmetic
      total       = slices that were good or bad = 60
      bad         = slices that were bad         = 15
      ratio       = bad / total                  = 15 / 60 = 25 %
      allowance   = 1 − objective                = 1 − 99.5 % = 0.5 %
      burn        = ratio / allowance            = 25 % / 0.5 % = 50×
      budgetSpent = burn × window / period       = 50 × 1h / 30d = 6.94444 %

    Tiers
      fast (ticket) BURNS: above 14.4× in 1h and in 5m
        threshold = budgetSpent × period / long = 2 % × 30d / 1h = 14.4×
        limit     = threshold × allowance       = 14.4 × 0.5 % = 7.2 %
          1h: 15 / 60 = 25 % > 7.2 %, above (50.0×)
          5m: 5 / 5 = 100 % > 7.2 %, above (200×)
      not looked at, since their windows are longer: chronic (72h), slow (6h)

    Used: 2 series
      memory_bytes{job="shop"}
      memory_bytes{job="shop"}[3608001ms] at 2026-03-01T12:00:00Z
      {instance="a"}  241 samples, 10:59:52 60 → 11:59:52 95
      {instance="b"}  241 samples, 10:59:52 50 → 11:59:52 50

    Limit: 2 series
      memory_limit_bytes{job="shop"}
      memory_limit_bytes{job="shop"}[3608001ms] at 2026-03-01T12:00:00Z
      {instance="a"}  241 samples, 10:59:52 100 → 11:59:52 100
      {instance="b"}  241 samples, 10:59:52 100 → 11:59:52 100

    60 slices of 1m, bad when any group uses more than 90 % of its limit
      15 bad, 45 good
      11:59:00 – 12:00:00  bad     1 of 2 groups bad: 95 of 100 = 95 % > 90 %  {instance="a"}
      11:58:00 – 11:59:00  bad     1 of 2 groups bad: 95 of 100 = 95 % > 90 %  {instance="a"}
      11:57:00 – 11:58:00  bad     1 of 2 groups bad: 95 of 100 = 95 % > 90 %  {instance="a"}
      11:56:00 – 11:57:00  bad     1 of 2 groups bad: 95 of 100 = 95 % > 90 %  {instance="a"}
      11:55:00 – 11:56:00  bad     1 of 2 groups bad: 95 of 100 = 95 % > 90 %  {instance="a"}
      11:54:00 – 11:55:00  bad     1 of 2 groups bad: 95 of 100 = 95 % > 90 %  {instance="a"}
      11:53:00 – 11:54:00  bad     1 of 2 groups bad: 95 of 100 = 95 % > 90 %  {instance="a"}
      11:52:00 – 11:53:00  bad     1 of 2 groups bad: 95 of 100 = 95 % > 90 %  {instance="a"}
      11:51:00 – 11:52:00  bad     1 of 2 groups bad: 95 of 100 = 95 % > 90 %  {instance="a"}
      11:50:00 – 11:51:00  bad     1 of 2 groups bad: 95 of 100 = 95 % > 90 %  {instance="a"}
      11:49:00 – 11:50:00  bad     1 of 2 groups bad: 95 of 100 = 95 % > 90 %  {instance="a"}
      11:48:00 – 11:49:00  bad     1 of 2 groups bad: 95 of 100 = 95 % > 90 %  {instance="a"}
      … and 3 more bad, 45 more good

    120 slots
      to 11:05:00         0 of          5 bad
      to 11:10:00         0 of          5 bad
      to 11:15:00         0 of          5 bad
      to 11:20:00         0 of          5 bad
      to 11:25:00         0 of          5 bad
      to 11:30:00         0 of          5 bad
      to 11:35:00         0 of          5 bad
      to 11:40:00         0 of          5 bad
      to 11:45:00         0 of          5 bad
      to 11:50:00         5 of          5 bad  ████████████████████
      to 11:55:00         5 of          5 bad  ████████████████████
      to 12:00:00         5 of          5 bad  ████████████████████

    Asked of the source
      memory_bytes{job="shop"}[900000ms] at 2026-03-01T12:00:00Z: 2 series, 120 samples
      memory_limit_bytes{job="shop"}[900000ms] at 2026-03-01T12:00:00Z: 2 series, 120 samples
      memory_bytes{job="shop"}[4200000ms] at 2026-03-01T11:55:00Z: 2 series, 560 samples
      memory_limit_bytes{job="shop"}[4200000ms] at 2026-03-01T11:55:00Z: 2 series, 560 samples
    exit 0
    "#);
}

#[tokio::test]
async fn errors_by_the_good_and_several_bad() {
    let ran = explained("shop/served", &["--window", "20m"]).await;
    let arithmetic = ran.out.lines().take(11).collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(arithmetic, @"
    shop/served: 99.9% over 30d (errors, source default)
    The 20m window that ended at 2026-03-01T12:00:00Z:

      253 of 8,038 events bad = 3.14755 %
      from 2026-03-01T11:40:00Z to 2026-03-01T12:00:00Z, 99.3333 % of it measured

    Arithmetic
      total       = Σgood + Σbad + Σbad2   = 7,785 + 241 + 12 = 8,038
      bad         = Σbad + Σbad2           = 241 + 12 = 253
      ratio       = bad / total            = 253 / 8,038 = 3.14755 %
      allowance   = 1 − objective          = 1 − 99.9 % = 0.1 %
    ");
}

#[tokio::test]
async fn a_query() {
    insta::assert_snapshot!(explained("shop/jobs", &["--window", "budget"]).await, @r#"
    out:
    shop/jobs: 99.9% over 30d (errors, source default)
    The window of 30d that ended at 2026-03-01T12:00:00Z:

      36 of 5,184,000 events bad = 0.00069444 %, estimated
      from 2026-01-30T12:00:00Z to 2026-03-01T12:00:00Z, 100 % of it measured

    Arithmetic
      total     = sum of values × slot / $window = 5,184,000
      bad       = sum of values × slot / $window = 36
      ratio     = bad / total                    = 36 / 5,184,000 = 0.00069444 %
      allowance = 1 − objective                  = 1 − 99.9 % = 0.1 %
      burn      = ratio / allowance              = 0.00069444 % / 0.1 % = 0.0069444×
      allowed   = total × allowance              = 5,184,000 × 0.1 % = 5,184
      spent     = bad / allowed                  = 36 / 5,184 = 0.69444 %
      remaining = 1 − spent                      = 1 − 0.69444 % = 99.3056 %

    Tiers
      fast (page) quiet: above 14.4× in 1h and in 5m
        threshold = budgetSpent × period / long = 2 % × 30d / 1h = 14.4×
        limit     = threshold × allowance       = 14.4 × 0.1 % = 1.44 %
          1h: 36 / 7,200 = 0.5 % ≤ 1.44 %, not above (5.0×)
          5m: 6 / 600 = 1 % ≤ 1.44 %, not above (10.0×)
        low traffic: 36 bad seen, 18 needed to rule out chance: enough
      slow (page) quiet: above 6× in 6h and in 30m
        threshold = budgetSpent × period / long = 5 % × 30d / 6h = 6×
        limit     = threshold × allowance       = 6 × 0.1 % = 0.6 %
          6h: 36 / 43,200 = 0.083333 % ≤ 0.6 %, not above (0.83×)
         30m: 36 / 3,600 = 1 % > 0.6 %, above (10.0×)
        low traffic: 36 bad seen, 66 needed to rule out chance: too few
      chronic (ticket) quiet: above 1× in 72h and in 6h
        limit = threshold × allowance = 1 × 0.1 % = 0.1 %
         72h: 36 / 518,400 = 0.0069444 % ≤ 0.1 %, not above (0.069×)
          6h: 36 / 43,200 = 0.083333 % ≤ 0.1 %, not above (0.83×)
        low traffic: 36 bad seen, 591 needed to rule out chance: too few

    Total: 1 series
      sum(increase(jobs_total[5m]))
      {}  86,400 samples, 2026-01-30T12:00:30Z 600 → 12:00:00 600

    Bad: 1 series
      sum(increase(jobs_total{result="error"}[5m]))
      {}  86,400 samples, 2026-01-30T12:00:30Z 0 → 12:00:00 6

    2,279 slots
      to 2026-02-07T10:00:00Z         0 of  1,368,000 bad
      to 2026-02-15T08:00:00Z         0 of  1,368,000 bad
      to 2026-02-23T06:00:00Z         0 of  1,368,000 bad
      to 2026-02-26T20:25:00Z         0 of    622,200 bad
      to 2026-02-27T12:15:00Z         0 of    114,000 bad
      to 2026-02-28T04:05:00Z         0 of    114,000 bad
      to 2026-02-28T19:55:00Z         0 of    114,000 bad
      to 05:40:30         0 of     70,260 bad
      to 07:15:30         0 of     11,400 bad
      to 08:50:30         0 of     11,400 bad
      to 10:25:30         0 of     11,400 bad
      to 12:00:00        36 of     11,340 bad  ████████████████████

    Asked of the source
      sum(increase(jobs_total[5m])) from 2026-03-01T05:40:30Z to 2026-03-01T12:00:00Z every 30s: 1 series, 760 samples
      sum(increase(jobs_total[5m])) from 2026-03-01T11:50:30Z to 2026-03-01T12:00:00Z every 30s: 1 series, 20 samples
      sum(increase(jobs_total{result="error"}[5m])) from 2026-03-01T05:40:30Z to 2026-03-01T12:00:00Z every 30s: 1 series, 760 samples
      sum(increase(jobs_total{result="error"}[5m])) from 2026-03-01T11:50:30Z to 2026-03-01T12:00:00Z every 30s: 1 series, 20 samples
      sum(increase(jobs_total[5m])) from 2026-02-28T17:40:30Z to 2026-03-01T06:00:00Z every 30s: 1 series, 1,480 samples
      sum(increase(jobs_total{result="error"}[5m])) from 2026-02-28T17:40:30Z to 2026-03-01T06:00:00Z every 30s: 1 series, 1,480 samples
      … and 60 older ones
    exit 0
    "#);
}

#[tokio::test]
async fn what_cannot_be_explained_is_said() {
    insta::assert_snapshot!(explained("shop/availabilty", &[]).await, @"
    err:
    error: no objective is named `shop/availabilty`; did you mean `shop/availability`?
    exit 2
    ");
    insta::assert_snapshot!(explained("cart", &[]).await, @r"
    err:
    error: no objective is named `cart`; there are shop/answered, shop/availability, shop/calls, shop/calls-owed, shop/checkout, shop/coarse, shop/codes, shop/depth, shop/found, shop/jobs and 14 more
    exit 2
    ");
    insta::assert_snapshot!(explained("shop/latency", &["--window", "60d"]).await, @"
    err:
    error: `shop/latency` cannot be explained
      caused by: a window of 60d is longer than that of `shop/latency`, which is 30d; ask for at most that
    exit 2
    ");
    insta::assert_snapshot!(explained("shop/latency", &["--window", "1M"]).await, @"
    err:
    error: invalid value '1M' for '--window <LENGTH>': `1M`: a month has no fixed length; write 30d, or `budget` for the objective's own window

    For more information, try '--help'.
    exit 2
    ");
}
