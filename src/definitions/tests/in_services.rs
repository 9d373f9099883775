//! Mistakes in the definition of a service.

use super::mistakes::{Mistake, each_is_told};

const MISTAKES: &[Mistake] = &[
    (
        "apiVersion: sloburn.dev/v1\nkind: ServiceObjectives",
        "kind: ServiceObjectives",
        &[
            "api.yaml:1:1: error[SB0104]: a document needs `apiVersion`; start it with apiVersion: sloburn.dev/v1 and kind: one of ServiceObjectives, ObjectiveTemplate, AlertPolicy, Receiver, Routing",
        ],
    ),
    (
        "apiVersion: sloburn.dev/v1\nkind: ServiceObjectives",
        "apiVersion: sloburn.dev/v2\nkind: ServiceObjectives",
        &[
            "api.yaml:1:13: error[SB0107]: `sloburn.dev/v2` is no apiVersion that is known; did you mean `sloburn.dev/v1`?",
        ],
    ),
    (
        "ServiceObjectives",
        "ServiceObjective",
        &[
            "api.yaml:2:7: error[SB0107]: `ServiceObjective` is no kind that is known; did you mean `ServiceObjectives`?",
        ],
    ),
    (
        "ServiceObjectives",
        "ServiceLevel",
        &[
            "api.yaml:2:7: error[SB0107]: `ServiceLevel` is no kind that is known; write one of ServiceObjectives, ObjectiveTemplate, AlertPolicy, Receiver, Routing",
        ],
    ),
    (
        "apiVersion: sloburn.dev/v1\nkind: ServiceObjectives",
        "version: prometheus/v1",
        &[
            "api.yaml:1:1: error[SB0107]: the document does not say what it is; start it with apiVersion: sloburn.dev/v1 and kind: one of ServiceObjectives, ObjectiveTemplate, AlertPolicy, Receiver, Routing",
        ],
    ),
    (
        "  name: api\n",
        "",
        &["api.yaml:4:3: error[SB0104]: `metadata` needs `name`; write name: checkout"],
    ),
    (
        "name: api",
        "name: my api",
        &[
            "api.yaml:4:9: error[SB0204]: `my api` is not a name; write at most 100 letters, digits, dots, dashes and underscores, as in checkout-api",
        ],
    ),
    (
        "team: shop",
        "my-team: shop",
        &[
            "api.yaml:5:12: error[SB0204]: `my-team` is not a label's name; write letters, digits and underscores, as in team",
        ],
    ),
    (
        "team: shop",
        "severity: shop",
        &[
            "api.yaml:5:12: error[SB0204]: the label `severity` is set by Sloburn itself; give yours another name",
        ],
    ),
    (
        "window: 30d\n",
        "\n",
        &[
            "api.yaml:8:3: error[SB0104]: the objectives need `window`; write window: 30d here, or in each of the objectives",
        ],
    ),
    (
        "window: 30d",
        "window: 30 days",
        &[
            "api.yaml:7:11: error[SB0202]: `30 days` is no window; write it as 30d, or as {calendar: month}",
        ],
    ),
    (
        "window: 30d",
        "window: month",
        &[
            "api.yaml:7:11: error[SB0202]: `month` is a period of the calendar; write window: {calendar: month}",
        ],
    ),
    (
        "window: 30d\n  objectives:\n    - name: availability\n      objective: 99.9%",
        "window: 1y\n  objectives:\n    - name: availability\n      objective: 99%",
        &[
            "api.yaml:10:18: warning[SB0503]: the tier `fast` of the policy `default` can never fire at 99% over 1y: more than everything would have to fail; use a policy with a lower budgetSpent for windows this long",
            "api.yaml:15:18: warning[SB0503]: the tier `fast` of the policy `default` can never fire at 99% over 1y: more than everything would have to fail; use a policy with a lower budgetSpent for windows this long",
            "api.yaml:20:18: warning[SB0503]: the tier `fast` of the policy `default` can never fire at 99% over 1y: more than everything would have to fail; use a policy with a lower budgetSpent for windows this long",
            "api.yaml:26:18: warning[SB0503]: the tier `fast` of the policy `default` can never fire at 99% over 1y: more than everything would have to fail; use a policy with a lower budgetSpent for windows this long",
            "api.yaml:33:18: warning[SB0503]: the tier `fast` of the policy `default` can never fire at 99% over 1y: more than everything would have to fail; use a policy with a lower budgetSpent for windows this long",
        ],
    ),
    (
        "window: 30d",
        "window: {rolling: 28d}",
        &[
            "api.yaml:7:12: error[SB0105]: a window has no key `rolling`; for a rolling window write window: 28d",
        ],
    ),
    (
        "window: 30d",
        "window: 1M",
        &["api.yaml:7:11: error[SB0202]: `1M`: a month has no fixed length; write 30d"],
    ),
    (
        "window: 30d",
        "window: {calendar: month, timeZone: Europe/Berlin}",
        &[],
    ),
    ("window: 30d", "window: {calendar: week}", &[]),
    (
        "window: 30d",
        "window: {calendar: monht}",
        &[
            "api.yaml:7:22: error[SB0205]: `monht` is no period of the calendar; did you mean `month`?",
        ],
    ),
    (
        "window: 30d",
        "window: {calendar: fortnight, zone: UTC}",
        &[
            "api.yaml:7:22: error[SB0205]: `fortnight` is no period of the calendar; write one of week, month, quarter, year",
            "api.yaml:7:33: error[SB0105]: a calendar window has no key `zone`; it has the keys calendar, timeZone",
        ],
    ),
    (
        "window: 30d",
        "window: {calendar: month, timeZone: Berlin}",
        &[
            "api.yaml:7:39: error[SB0208]: `Berlin` is not a time zone; write its IANA name, as in Europe/Berlin",
        ],
    ),
    (
        "window: 30d",
        "window: {}",
        &[
            "api.yaml:7:11: error[SB0104]: a calendar window needs `calendar`; write calendar: month",
        ],
    ),
    (
        "window: 30d",
        "window: 4h",
        &[
            "api.yaml:7:11: error[SB0502]: a window of 4h is too short for the tier `slow` of the policy `default`, which looks back 6h; use a policy whose tiers fit into the window, or alertPolicy: none",
        ],
    ),
    (
        "window: 30d",
        "window: 720h10s",
        &[
            "api.yaml:7:11: error[SB0202]: `window` of 30d10s is no multiple of the tick, 30s; write a multiple of the tick, or change the daemon's `tick`",
        ],
    ),
    (
        "window: 30d",
        "window:",
        &[
            "api.yaml:7:3: error[SB0108]: `window` has no value; write one, or remove the key; a value that starts with # needs quotes",
        ],
    ),
    (
        "window: 30d",
        "window: 30d\n  source: defualt",
        &["api.yaml:8:11: error[SB0405]: there is no source `defualt`; did you mean `default`?"],
    ),
    (
        "window: 30d",
        "window: 30d\n  source: elsewhere",
        &[
            "api.yaml:8:11: error[SB0405]: there is no source `elsewhere`; write one of default, laptop, or add it under `sources` in the daemon's configuration",
        ],
    ),
    (
        "window: 30d",
        "window: 30d\n  alertPolicy: loud",
        &[
            "api.yaml:8:16: error[SB0403]: there is no alert policy `loud`; write default, or define it as a document of kind AlertPolicy, or write alertPolicy: none",
        ],
    ),
    (
        "window: 30d",
        "window: 30d\n  groupBy: [route]",
        &[
            "api.yaml:8:3: error[SB0105]: the spec of a service has no key `groupBy`; it has the keys description, owner, runbook, source, window, alertPolicy, slice, objectives, use",
        ],
    ),
    (
        "name: availability",
        "nmae: availability",
        &["api.yaml:9:7: error[SB0105]: an objective has no key `nmae`; did you mean `name`?"],
    ),
    (
        "name: availability",
        "name: latency",
        &[
            "api.yaml:14:13: error[SB0401]: two objectives of this service have the name `latency`; give one of them another name",
        ],
    ),
    (
        "name: availability",
        "name: availability\n      uid: api/latency",
        &[
            "api.yaml:15:13: error[SB0402]: two objectives have the uid `api/latency`; give one of them another uid; history hangs on it",
        ],
    ),
    (
        "objective: 99.9%",
        "objective: 0.999",
        &["api.yaml:10:18: error[SB0201]: an objective of 0.999 is below 1 %; did you mean 99.9%?"],
    ),
    (
        "objective: 99.9%",
        "objective: 99,9%",
        &["api.yaml:10:18: error[SB0201]: `99,9%` is not a percentage; write it as 99.9%"],
    ),
    (
        "objective: 99.9%",
        "objective: 100.1%",
        &[
            "api.yaml:10:18: error[SB0201]: an objective of 100.1% promises more than everything; write one over 0% and up to 100%",
        ],
    ),
    (
        "objective: 99.9%",
        "objective: [99.9%]",
        &[
            "api.yaml:10:18: error[SB0106]: `objective` is a single value, and this is a list; write objective: 99.9%",
        ],
    ),
    (
        "objective: 99.9%",
        "target: 99.9%",
        &[
            "api.yaml:10:7: error[SB0105]: an objective has no key `target`; did you mean `objective`?",
        ],
    ),
    (
        "objective: 99.9%",
        "target: [{name: slo, objective: 99.9%}]",
        &[
            "api.yaml:10:7: error[SB0105]: an objective has no key `target`; did you mean `targets`?",
        ],
    ),
    (
        "objective: 99.9%",
        "objective: 5%",
        &[
            "api.yaml:10:18: error[SB0503]: the tiers `fast`, `slow` of the policy `default` can never fire at 5%: more than everything would have to fail; use a policy with a lower burn or budgetSpent for objectives this low",
        ],
    ),
    (
        "objective: 99.9%\n",
        "objective: 99.9%\n      weight: 3\n",
        &[
            "api.yaml:11:7: error[SB0105]: an objective has no key `weight`; it has the keys name, objective, targets, errors, latency, traffic, saturation, freshness, query, window, alertPolicy, labels, description, owner, runbook, uid, slice, budgeting, sliceObjective, missingData, source, groupBy, alsoWhole, maxGroups, overrides, expect",
        ],
    ),
    (
        "      errors:",
        "      error:",
        &["api.yaml:11:7: error[SB0105]: an objective has no key `error`; did you mean `errors`?"],
    ),
    (
        "      errors:",
        "      durability:",
        &[
            "api.yaml:11:7: error[SB0105]: an objective has no key `durability`; it has the keys name, objective, targets, errors, latency, traffic, saturation, freshness, query, window, alertPolicy, labels, description, owner, runbook, uid, slice, budgeting, sliceObjective, missingData, source, groupBy, alsoWhole, maxGroups, overrides, expect",
        ],
    ),
    (
        "        badWhere: code=~\"5..\"\n",
        "",
        &[
            "api.yaml:12:9: error[SB0109]: `errors` needs to know which events are bad; write one of badWhere, goodWhere, bad, good",
        ],
    ),
    (
        "badWhere: code=~\"5..\"",
        "badWhere: code=~5..",
        &[
            r#"api.yaml:13:25: error[SB0301]: `badWhere`: the value of `code` is due in quotes, as in code="…""#,
        ],
    ),
    (
        "badWhere: code=~\"5..\"",
        "badWhere: code=~\"5**\"",
        &[
            "api.yaml:13:25: error[SB0301]: `badWhere`: `5**` is not a regular expression in RE2: `*` repeats a repetition",
        ],
    ),
    (
        "badWhere: code=~\"5..\"",
        "badWhere: job=\"web\"",
        &[
            r#"api.yaml:13:19: error[SB0303]: `badWhere` never matches, since `total` has only job="api"; remove job from `total`, or compare another label"#,
        ],
    ),
    (
        "badWhere: code=~\"5..\"",
        "badWhere: [a, b]",
        &[
            "api.yaml:13:19: error[SB0106]: `badWhere` is a single value, and this is a list; write one value, without brackets or dashes",
        ],
    ),
    (
        "badWhere: code=~\"5..\"",
        "badWhere: {code=~\"4..\", method=\"GET\"}",
        &[
            r#"api.yaml:13:19: error[SB0106]: `badWhere` is a single value, and this is a map; put it into quotes, without braces: 'code=~"4..",method="GET"'"#,
        ],
    ),
    (
        "badWhere: code=~\"5..\"",
        "badWhere: code=~\"5..\"\n        goodWhere: code=~\"2..\"",
        &[
            "api.yaml:14:9: error[SB0109]: `badWhere` and `goodWhere` exclude each other; keep one of badWhere, goodWhere, bad, good",
        ],
    ),
    (
        "total: http_requests_total{job=\"api\"}",
        "total: rate(http_requests_total[5m])",
        &[
            r#"api.yaml:12:16: error[SB0301]: `total`: functions do not belong here: write the series alone, as in http_requests_total{job="api"}; for any other PromQL there is `query`"#,
        ],
    ),
    (
        "total: http_requests_total{job=\"api\"}",
        "total: {job=\"api\"}",
        &[
            r#"api.yaml:12:16: error[SB0106]: `total` is a single value, and this is a map; write the metric's name before the brace, as in http_requests_total{job="api"}"#,
        ],
    ),
    (
        "total: http_requests_total{job=\"api\"}",
        "total: '{job=\"api\"}'",
        &[
            r#"api.yaml:12:16: error[SB0301]: `total`: a selector needs a metric's name, as in http_requests_total{job="api"}"#,
        ],
    ),
    (
        "histogram: http_request_duration_seconds",
        "histogram: http_request_duration_seconds_bucket",
        &[
            "api.yaml:17:20: error[SB0302]: a histogram is named without `_bucket`; write http_request_duration_seconds",
        ],
    ),
    (
        "histogram: http_request_duration_seconds",
        "histogram: http_request_duration",
        &[
            "api.yaml:17:20: error[SB0302]: the unit of `http_request_duration` is unknown; write unit: ms or unit: s; only names that end in _seconds tell their unit",
        ],
    ),
    (
        "{job=\"api\"}\n        atMost: 300ms",
        "{job=\"api\",le=\"0.3\"}\n        atMost: 300ms",
        &["api.yaml:17:20: error[SB0302]: `le` is chosen by `atMost`; remove the condition on le"],
    ),
    (
        "badWhere: code=~\"5..\"",
        "badWhere: code=\"5..\"",
        &[
            "api.yaml:13:19: warning[SB0304]: `badWhere`: code=\"5..\" is compared letter by letter; write code=~\"5..\" if it is a pattern",
        ],
    ),
    (
        "total: http_requests_total{job=\"api\"}\n        badWhere",
        "total: http_requests_total{job=\"api\",path!=\"/a|/b\"}\n        badWhere",
        &[
            "api.yaml:12:16: warning[SB0304]: `total`: path!=\"/a|/b\" is compared letter by letter; write path!~\"/a|/b\" if it is a pattern",
        ],
    ),
    (
        "      traffic:\n        total: http_requests_total{job=\"api\"}\n        atLeast: 5/s",
        "      traffic:\n      total: http_requests_total{job=\"api\"}\n      atLeast: 5/s",
        &[
            "api.yaml:21:7: error[SB0108]: `traffic` has no value; write one, or remove the key; a value that starts with # needs quotes",
            "api.yaml:22:7: error[SB0105]: an objective has no key `total`; `traffic` above it has no value: indent what belongs to it",
            "api.yaml:23:7: error[SB0105]: an objective has no key `atLeast`; `traffic` above it has no value: indent what belongs to it",
        ],
    ),
    ("atMost: 300ms", "atMost: 0.3", &[]),
    (
        "atMost: 300ms",
        "atMost: 300",
        &["api.yaml:18:17: error[SB0202]: `300` has no unit; write 300ms or 300s"],
    ),
    (
        "atMost: 300ms",
        "atMost: 300 ms",
        &["api.yaml:18:17: error[SB0202]: `300 ms` is not a length of time; write it as 300ms"],
    ),
    (
        "atMost: 300ms",
        "atMost: 300ms\n        unit: ms",
        &[
            "api.yaml:17:20: error[SB0302]: the name says seconds, and the unit milliseconds; remove `unit`",
        ],
    ),
    (
        "atMost: 300ms",
        "atMost: 300ms\n        percentile: 99",
        &[
            "api.yaml:19:9: error[SB0105]: `latency` has no key `percentile`; it has the keys quantile, histogram, atMost, unit, native, overrides, total, bad, good, badWhere, goodWhere",
        ],
    ),
    (
        "atMost: 300ms",
        "atMost: 300ms\n      slice: 1m",
        &[
            "api.yaml:19:14: error[SB0105]: `slice` has no meaning where `latency` counts events; remove it, or write budgeting: timeslices with a sliceObjective; slices of time are also judged by traffic, saturation, freshness, a latency's quantile, and a query's ratio or value",
        ],
    ),
    (
        "atLeast: 5/s",
        "atLeast: 5",
        &["api.yaml:23:18: error[SB0203]: `5` is not a rate; write it as 5/s, 300/m or 1/h"],
    ),
    ("atLeast: 5/s", "atMost: 5/s", &[]),
    (
        "slice: 1m",
        "slice: 10s",
        &[
            "api.yaml:24:14: error[SB0202]: `slice` of 10s is no multiple of the tick, 30s; write a multiple of the tick, or change the daemon's `tick`",
        ],
    ),
    (
        "slice: 1m",
        "slice: 10m",
        &[
            "api.yaml:20:18: warning[SB0504]: the policy `default` looks at 5m, and a slice is 10m long; write a shorter `slice`, or use a policy with longer windows",
        ],
    ),
    (
        "aggregate: min",
        "aggregate: median",
        &[
            "api.yaml:29:66: error[SB0205]: `median` puts nothing together; write sum, max, min or avg",
        ],
    ),
    (
        "by: [instance]",
        "by: []",
        &[
            "api.yaml:30:13: error[SB0108]: the list `by` is empty; write at least one item, or remove the key",
        ],
    ),
    (
        "by: [instance]",
        "by: instance",
        &[
            "api.yaml:30:13: error[SB0106]: `by` is a list, and this is a single value; write by: [instance]",
        ],
    ),
    (
        "atMost: 90%",
        "atMost: 0.9",
        &["api.yaml:31:17: error[SB0203]: `0.9` looks like a share; did you mean 90%?"],
    ),
    (
        "atMost: 90%",
        "atMost: 110%",
        &[
            "api.yaml:31:17: error[SB0203]: `110%` is out of range; write a percentage over 0% and up to 100%",
        ],
    ),
    (
        "total: sum(increase(jobs_total[$window]))",
        "total: sum(increase(jobs_total[5m]))",
        &[
            "api.yaml:35:16: error[SB0301]: `total`: the range must be written as [$window], as in sum(increase(jobs_total[$window]))",
        ],
    ),
    (
        "total: sum(increase(jobs_total[$window]))",
        "total: sum(increase(jobs_total[$window])",
        &["api.yaml:35:16: error[SB0301]: `total`: this is not PromQL: unclosed left parenthesis"],
    ),
    (
        "window: 5m",
        "window: 1m",
        &[
            "api.yaml:37:17: warning[SB0202]: a `window` of 1m is shorter than 4 ticks of 30s; write at least 2m, or shorten the daemon's `tick` if the source is scraped more often",
        ],
    ),
    (
        "objective: 99.9%\n",
        "objective: 99.9%\n      alsoWhole: true\n",
        &[
            "api.yaml:11:7: error[SB0411]: `alsoWhole` has no meaning without `groupBy`; write groupBy: [route] beside it, with the labels that tell groups apart, or remove it",
        ],
    ),
    (
        "objective: 99.9%\n",
        "objective: 99.9%\n      groupBy: [route, 0x]\n",
        &[
            "api.yaml:11:24: error[SB0204]: `0x` is not a label's name; write one as in groupBy: [route]",
        ],
    ),
    (
        "objective: 99.9%\n",
        "objective: 99.9%\n      groupBy: route\n      maxGroups: 0\n",
        &[
            "api.yaml:12:18: error[SB0203]: `0` is not a number of groups; write a whole number from 1 to 10000",
        ],
    ),
    (
        "objective: 99.9%\n",
        "objective: 99.9%\n      groupBy: [route]\n      expect: {route: [/a], pod: [b]}\n",
        &[
            "api.yaml:12:29: error[SB0411]: the objective is not grouped by `pod`; `groupBy` names route",
        ],
    ),
    (
        "objective: 99.9%\n",
        "objective: 99.9%\n      groupBy: [route]\n      overrides: [{where: 'pod=\"a\"', objective: 99%}]\n",
        &[
            "api.yaml:12:27: error[SB0411]: the objective is not grouped by `pod`; `groupBy` names route",
        ],
    ),
    // Whoever misspells a label is not told that it is missing, too.
    (
        "objective: 99.9%\n",
        "objective: 99.9%\n      groupBy: [route, pod]\n      expect: {rout: [/a], pod: [b]}\n",
        &[
            "api.yaml:12:16: error[SB0411]: the objective is not grouped by `rout`; did you mean `route`?",
        ],
    ),
    (
        "objective: 99.9%\n",
        "objective: 99.9%\n      groupBy: [route, pod]\n      expect: {route: [/a]}\n",
        &[
            "api.yaml:12:15: error[SB0412]: `expect` says nothing of `pod`, and a group has a value of each label; write pod: [VALUE, VALUE] too, or expect groups in an objective that is not grouped by `pod`",
        ],
    ),
    (
        "objective: 99.9%\n",
        "objective: 99.9%\n      groupBy: [route]\n      maxGroups: 1\n      expect: {route: [/a, /b]}\n",
        &[
            "api.yaml:13:15: error[SB0412]: 2 groups are expected, and 1 are allowed; raise `maxGroups`, or expect fewer",
        ],
    ),
    (
        "objective: 99.9%\n",
        "objective: 99.9%\n      groupBy: [route]\n      expect: {route: [/a]}\n      overrides: [{where: 'route=\"/b\"', objective: 99%}]\n",
        &[
            "api.yaml:13:27: warning[SB0413]: this `where` matches none of the groups that `expect` names; correct the value, or add the group to `expect`",
        ],
    ),
    (
        "objective: 99.9%\n",
        "objective: 99.9%\n      groupBy: [job, route]\n",
        &[
            "api.yaml:11:17: warning[SB0414]: `job` tells no groups apart: all series have job=\"api\"; remove the condition on job from the selectors, or group by another label",
        ],
    ),
    // Tiers are judged by what is promised of groups, too.
    (
        "objective: 99.9%\n",
        "objective: 99.9%\n      groupBy: [route]\n      overrides: [{where: 'route=\"/a\"', objective: 90%}, {where: 'route=\"/b\"', objective: 80%}]\n",
        &[
            "api.yaml:12:52: warning[SB0503]: the tier `fast` of the policy `default` can never fire at 90%: more than everything would have to fail; use a policy with a lower burn or budgetSpent for objectives this low",
            "api.yaml:12:91: error[SB0503]: the tiers `fast`, `slow` of the policy `default` can never fire at 80%: more than everything would have to fail; use a policy with a lower burn or budgetSpent for objectives this low",
        ],
    ),
];

#[test]
fn mistakes_in_a_service_are_told_one_by_one() {
    each_is_told(MISTAKES);
}
