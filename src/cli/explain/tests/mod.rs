//! What `explain` tells of a Prometheus whose series are known, and whether it can be counted again.

mod daemon;
mod each;
mod prometheus;
mod recounted;
mod slices;
mod strict;
mod uncounted;

use std::path::Path;

use crate::cli::tests::{Ran, run};

const OBJECTIVES: &str = r#"
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: shop}
spec:
  window: 30d
  objectives:
    - name: availability
      objective: 99.9%
      errors: {total: 'http_requests_total{job="shop",code!="404"}', badWhere: 'code=~"5.."'}
    - name: strict
      objective: 100%
      errors: {total: 'http_requests_total{job="shop",code!="404"}', badWhere: 'code=~"5.."'}
    - name: found
      objective: 99%
      errors: {total: 'http_requests_total{job="shop"}', good: 'http_requests_total{job="shop",code="200"}'}
    - name: latency
      objective: 90%
      latency: {histogram: 'http_request_duration_seconds{job="shop"}', atMost: 300ms}
    - name: coarse
      objective: 90%
      latency: {histogram: 'http_request_duration_seconds{job="shop"}', atMost: 250ms}
    - name: codes
      objective: 99%
      groupBy: [code]
      errors: {total: 'http_requests_total{job="shop"}', badWhere: 'code=~"5.."'}
    - name: throughput
      objective: 99%
      traffic: {total: 'http_requests_total{job="shop"}', atLeast: 5.5/s}
    - name: memory
      objective: 99.5%
      saturation: {used: 'memory_bytes{job="shop"}', limit: 'memory_limit_bytes{job="shop"}', by: [instance], atMost: 90%}
    - name: served
      objective: 99.9%
      errors: {good: 'http_requests_total{job="shop",code=~"2.."}', bad: ['http_requests_total{job="shop",code="500"}', 'http_requests_total{job="shop",code="404"}']}
    - name: usual
      objective: 99%
      traffic: {total: 'http_requests_total{job="shop",instance="b"}', dropAtMost: 40%, comparedTo: [12h]}
    - name: queue
      objective: 99%
      saturation: {gauge: 'queue_length{job="shop"}', atMost: 80, withinSlice: max}
    - name: orders
      objective: 99%
      freshness: {timestamp: 'orders_last_success_timestamp_seconds{job="shop"}', atMost: 10m}
    - name: checkout
      objective: 99%
      latency: {quantile: 'checkout_duration_seconds{job="shop",quantile="0.99"}', atMost: 500ms}
    - name: depth
      objective: 99%
      query: {value: 'max(depth)', atMost: 50}
    - name: share
      objective: 99%
      query: {ratio: 'failed_ratio'}
    - name: memories
      objective: 99.5%
      saturation: {used: 'memory_bytes{job="shop"}', limit: 'memory_limit_bytes{job="shop"}', by: [instance], atMost: 90%, badWhen: {count: 2}}
    - name: answered
      objective: 99%
      budgeting: timeslices
      sliceObjective: 97%
      errors: {total: 'http_requests_total{job="shop"}', badWhere: 'code=~"5.."'}
    - name: calls
      objective: 99%
      budgeting: timeslices
      sliceObjective: 95%
      errors: {total: 'calls_total{job="shop"}', bad: 'calls_failed_total{job="shop"}'}
    - name: calls-owed
      objective: 99%
      budgeting: timeslices
      sliceObjective: 95%
      missingData: bad
      errors: {total: 'calls_total{job="shop"}', bad: 'calls_failed_total{job="shop"}'}
    - name: probes
      objective: 99%
      errors: {probe: 'probe_success{job="shop"}'}
    - name: quorum
      objective: 99%
      errors: {probe: 'probe_success{job="shop"}', badWhen: {count: 2}}
    - name: probed
      objective: 99%
      budgeting: timeslices
      sliceObjective: 60%
      errors: {probe: 'probe_success{job="shop"}'}
    - name: voted
      objective: 99%
      budgeting: timeslices
      sliceObjective: 40%
      errors: {probe: 'probe_success{job="shop"}', badWhen: any}
    - name: jobs
      objective: 99.9%
      query:
        bad: 'sum(increase(jobs_total{result="error"}[$window]))'
        total: 'sum(increase(jobs_total[$window]))'
"#;

const POLICY: &str = r"
apiVersion: sloburn.dev/v1
kind: AlertPolicy
metadata: {name: default}
spec:
  tiers:
    - {name: fast, severity: page, long: 1h, short: 5m, budgetSpent: 2%}
    - {name: slow, severity: page, long: 6h, short: 30m, budgetSpent: 5%}
    - {name: chronic, severity: ticket, long: 72h, short: 6h, burn: 1}
";

/// Explains an objective of the shop; `URL` and `FOLDER` stand for where they are.
async fn explained(slo: &str, more: &[&str]) -> Ran {
    explained_at("2026-03-01T12:00:00Z", slo, more).await
}

async fn explained_at(at: &str, slo: &str, more: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let (objectives, policy) = (file("shop.yaml", OBJECTIVES), file("policy.yaml", POLICY));
    let (url, server) = prometheus::serve().await;
    let usual = [
        "explain",
        slo,
        "--prometheus",
        &url,
        "--definitions",
        &objectives,
        "--alerts",
        &policy,
        "--at",
        at,
    ];
    let ran = run(&[&usual, more].concat(), &[]).await;
    drop(server);
    shown(ran, folder.path(), &url)
}

fn shown(ran: Ran, folder: &Path, url: &str) -> Ran {
    let told = |text: String| {
        let text = text.replace(url, "URL");
        text.replace(&*folder.to_string_lossy(), "FOLDER")
    };
    Ran {
        out: told(ran.out),
        err: told(ran.err),
        ..ran
    }
}
