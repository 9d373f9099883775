//! Mistakes in policies, receivers and routes.

use super::mistakes::{Mistake, each_is_told};

const MISTAKES: &[Mistake] = &[
    (
        "kind: AlertPolicy",
        "kind: AlertPolcy",
        &[
            "alerts.yaml:2:7: error[SB0107]: `AlertPolcy` is no kind that is known; did you mean `AlertPolicy`?",
        ],
    ),
    (
        "metadata: {name: default}",
        "metadata: {name: loud}",
        &[
            "api.yaml:4:9: error[SB0403]: there is no alert policy `default`; write loud, or define it as a document of kind AlertPolicy, or write alertPolicy: none",
        ],
    ),
    (
        "severity: page,",
        "severity: critical,",
        &["alerts.yaml:6:30: error[SB0205]: `critical` is not a severity; write page or ticket"],
    ),
    (
        "long: 1h, short: 5m",
        "long: 5m, short: 1h",
        &[
            "alerts.yaml:6:53: error[SB0501]: the short window, 1h, is not shorter than the long one, 5m; write a twelfth of the long window",
        ],
    ),
    (
        "short: 5m",
        "short: 1m",
        &[
            "alerts.yaml:6:53: warning[SB0504]: a short window of 1m is shorter than 4 ticks of 30s; write at least 2m, or shorten the daemon's `tick` if the source is scraped more often",
        ],
    ),
    (
        "short: 5m",
        "short: 45s",
        &[
            "alerts.yaml:6:53: error[SB0202]: `short` of 45s is no multiple of the tick, 30s; write a multiple of the tick, or change the daemon's `tick`",
        ],
    ),
    (
        "budgetSpent: 2%",
        "budgetSpent: 0.02",
        &["alerts.yaml:6:70: error[SB0203]: `0.02` looks like a share; did you mean 2%?"],
    ),
    (
        "budgetSpent: 2%",
        "bad: 61",
        &[
            "api.yaml:20:18: warning[SB0503]: the tier `fast` of the policy `default` can never fire at slices of 1m: its long window holds fewer than it counts to; write a shorter `slice`, or use a policy that counts to fewer bad slices, or has longer windows",
            "api.yaml:26:18: warning[SB0503]: the tier `fast` of the policy `default` can never fire at slices of 1m: its long window holds fewer than it counts to; write a shorter `slice`, or use a policy that counts to fewer bad slices, or has longer windows",
        ],
    ),
    (
        "budgetSpent: 2%",
        "bad: 0",
        &[
            "alerts.yaml:6:62: error[SB0203]: `0` is not a number of bad events; write a whole number, as in bad: 3",
        ],
    ),
    (
        "budgetSpent: 2%",
        "burn: 14,4",
        &[
            "alerts.yaml:6:66: error[SB0105]: a tier has no key `4`; a comma parts keys here; write a point in numbers, as in 14.4",
        ],
    ),
    (
        "budgetSpent: 2%",
        "burn: 14.4, budgetSpent: 2%",
        &[
            "alerts.yaml:6:69: error[SB0109]: `burn` and `budgetSpent` exclude each other; keep one of budgetSpent, burn, bad",
        ],
    ),
    (
        ", budgetSpent: 2%",
        "",
        &[
            "alerts.yaml:6:7: error[SB0109]: a tier needs a limit; write one of budgetSpent, burn, bad",
        ],
    ),
    (
        "budgetSpent: 2%",
        "burn: 0",
        &["alerts.yaml:6:63: error[SB0203]: `0` is not a number above 0; write it as 14.4"],
    ),
    (
        "budgetSpent: 2%",
        "burn: 150",
        &[
            "api.yaml:15:18: warning[SB0503]: the tier `fast` of the policy `default` can never fire at 99%: more than everything would have to fail; use a policy with a lower burn or budgetSpent for objectives this low",
            "api.yaml:20:18: warning[SB0503]: the tier `fast` of the policy `default` can never fire at 99%: more than everything would have to fail; use a policy with a lower burn or budgetSpent for objectives this low",
            "api.yaml:26:18: warning[SB0503]: the tier `fast` of the policy `default` can never fire at 99%: more than everything would have to fail; use a policy with a lower burn or budgetSpent for objectives this low",
            "api.yaml:33:18: warning[SB0503]: the tier `fast` of the policy `default` can never fire at 99%: more than everything would have to fail; use a policy with a lower burn or budgetSpent for objectives this low",
        ],
    ),
    (
        "name: slow",
        "name: fast",
        &[
            "alerts.yaml:7:14: error[SB0401]: two tiers have the name `fast`; give one of them another name",
        ],
    ),
    (
        "{saturation: ticket}",
        "{saturation: off}",
        &["alerts.yaml:8:32: error[SB0205]: `off` is not a severity; write page or ticket"],
    ),
    (
        "lowTraffic: {confidence: 99.9%}",
        "lowTraffic: of",
        &[
            "alerts.yaml:9:15: error[SB0205]: `of` is unknown here; write off, or a map with confidence",
        ],
    ),
    (
        "lowTraffic: {confidence: 99.9%}",
        "lowTraffic: {confidence: 100%}",
        &[
            "alerts.yaml:9:28: error[SB0203]: a confidence of 100% is out of range; write one from 50% and below 100%",
        ],
    ),
    (
        "lowTraffic: {confidence: 99.9%}",
        "budget: {notifyAt: [100%]}",
        &[
            "alerts.yaml:9:3: error[SB0105]: the spec of an alert policy has no key `budget`; it has the keys tiers, signalSeverity, lowTraffic, resolveAfter, remind, unmeasured",
        ],
    ),
    (
        "resolveAfter: {min: 5m, ofShort: 50%}",
        "resolveAfter: 5m",
        &[
            "alerts.yaml:10:17: error[SB0106]: `resolveAfter` is a map, and this is a single value; it has the keys min, ofShort",
        ],
    ),
    (
        "tokenFile: /run/secrets/slack-token",
        "token: xoxb-12-34",
        &[
            "alerts.yaml:18:31: error[SB0207]: `token` is a secret and must not stand in this file; put it into a file of its own and write that file's path as `tokenFile`",
        ],
    ),
    (
        "tokenFile: /run/secrets/slack-token",
        "tokenFile: xoxb-12-34",
        &[
            "alerts.yaml:18:42: error[SB0207]: `tokenFile` holds a secret instead of a file's path; put the secret into a file of its own, write that file's path here, and replace the secret, which others may have seen",
        ],
    ),
    (
        "tokenFile: /run/secrets/slack-token",
        "tokenFile: /run/secrets/slack-token, apiUrl: http://chat.example/api",
        &[
            "alerts.yaml:18:76: warning[SB0209]: the token goes to `apiUrl` in the clear; write https://",
        ],
    ),
    (
        "tokenFile: /run/secrets/slack-token",
        "webhookUrl: https://hooks.slack.com/services/T/B/x",
        &[
            "alerts.yaml:18:31: error[SB0207]: `webhookUrl` is a secret and must not stand in this file; put it into a file of its own and write that file's path as `webhookUrlFile`",
        ],
    ),
    (
        "tokenFile: /run/secrets/slack-token",
        "webhookUrlFile: /run/secrets/hook",
        &[
            "alerts.yaml:18:20: error[SB0109]: `channel` has no meaning beside `webhookUrlFile`; remove it, or use `tokenFile`: an incoming webhook posts where it was made for",
        ],
    ),
    (
        "channel: \"#alerts\"",
        "channel: alerts",
        &[
            r##"alerts.yaml:18:20: error[SB0204]: `alerts` is not a channel; write "#alerts", in quotes, or its id, as in C0123456789"##,
        ],
    ),
    (
        "{channel: \"#alerts\", tokenFile: /run/secrets/slack-token, mention: \"<!here>\"}",
        "\n    channel: #alerts\n    tokenFile: /run/t",
        &[
            "alerts.yaml:19:5: error[SB0108]: `channel` has no value; write one, or remove the key; a value that starts with # needs quotes",
        ],
    ),
    (
        "\"<!here>\"",
        "@here",
        &[
            "alerts.yaml:18:77: error[SB0101]: a value cannot start with '@'; put the value into quotes",
        ],
    ),
    (
        "Europe/Berlin",
        "Berlin",
        &[
            "alerts.yaml:19:13: error[SB0208]: `Berlin` is not a time zone; write its IANA name, as in Europe/Berlin",
        ],
    ),
    (
        "  webhook: {url: https://example.com/hooks, secretFile: /run/secrets/key}",
        "  pagerduty: {}",
        &[
            "alerts.yaml:25:3: error[SB0105]: the spec of a receiver has no key `pagerduty`; it has the keys slack, webhook, alertmanager, timeZone",
        ],
    ),
    (
        "url: https://example.com/hooks",
        "url: example.com/hooks",
        &[
            "alerts.yaml:25:18: error[SB0206]: `example.com/hooks` is not a usable address: it begins without https://; write it as https://host/path",
        ],
    ),
    (
        "url: https://example.com/hooks",
        "url: https://hooks.slack.com/services/T/B/x",
        &[
            "alerts.yaml:25:18: error[SB0207]: the address in `url` is a secret and must not stand in this file; for an incoming webhook of Slack write slack: {webhookUrlFile: …} with the path of a file that holds it; remove a user or a password",
        ],
    ),
    (
        "url: https://example.com/hooks",
        "url: https://s3cr3t@example.com/hooks",
        &[
            "alerts.yaml:25:18: error[SB0207]: the address in `url` is a secret and must not stand in this file; for an incoming webhook of Slack write slack: {webhookUrlFile: …} with the path of a file that holds it; remove a user or a password",
        ],
    ),
    (
        "secretFile: /run/secrets/key",
        "secret: abc",
        &[
            "alerts.yaml:25:45: error[SB0207]: `secret` is a secret and must not stand in this file; put it into a file of its own and write that file's path as `secretFile`",
        ],
    ),
    (
        "urls: [http://alertmanager:9093]",
        "urls: []",
        &[
            "alerts.yaml:31:24: error[SB0108]: the list `urls` is empty; write at least one item, or remove the key",
        ],
    ),
    (
        "default: bot",
        "default: bto",
        &["alerts.yaml:37:12: error[SB0404]: there is no receiver `bto`; did you mean `bot`?"],
    ),
    (
        "  default: bot\n",
        "",
        &[
            "alerts.yaml:37:3: error[SB0104]: the spec of a routing needs `default`; write default: NAME-OF-A-RECEIVER",
        ],
    ),
    (
        "to: hook",
        "to: [hook, pager]",
        &[
            "alerts.yaml:40:44: error[SB0404]: there is no receiver `pager`; write one of am, bot, hook, or define it as a document of kind Receiver",
        ],
    ),
    (
        "severity: page, team",
        "severity: critical, team",
        &["alerts.yaml:39:16: error[SB0205]: `critical` is not a severity; write page or ticket"],
    ),
    (
        "severity: page, team",
        "serverity: page, team",
        &[
            "alerts.yaml:39:16: warning[SB0415]: no objective has the label `serverity`; did you mean `severity`?",
        ],
    ),
    (
        "signal: errors}",
        "teams: shop, region: eu}",
        &[
            "alerts.yaml:40:16: warning[SB0415]: no objective has the label `teams`; did you mean `team`?",
            "alerts.yaml:40:29: warning[SB0415]: no objective has the label `region`; there are service, severity, signal, slo, team",
        ],
    ),
    (
        "signal: errors}",
        "service: aip}",
        &["alerts.yaml:40:16: warning[SB0415]: no service is named `aip`; did you mean `api`?"],
    ),
    (
        "signal: errors}",
        "team: payments}",
        &[
            "alerts.yaml:40:16: warning[SB0415]: no objective has the label `team: payments`; write shop",
        ],
    ),
    (
        "signal: errors}",
        "slo: api/availabilty}",
        &[
            "alerts.yaml:40:16: warning[SB0415]: no objective has the uid `api/availabilty`; did you mean `api/availability`?",
        ],
    ),
    (
        "signal: errors}",
        "slo: availability}",
        &[
            "alerts.yaml:40:16: warning[SB0415]: no objective has the uid `availability`; `slo` is the uid: write api/availability",
        ],
    ),
    (
        "signal: errors}",
        "signal: errors, slo: api/latency}",
        &[
            "alerts.yaml:40:7: warning[SB0415]: no objective has all of these labels, so this route is never taken; remove one of them, or write a route for each",
        ],
    ),
    (
        "{match: {severity: page, team: shop}, to: [bot, am], continue: true}",
        "{match: {}, to: am}",
        &[
            "alerts.yaml:39:7: warning[SB0415]: this route matches everything, so those below are never reached; put it last, or write continue: true",
        ],
    ),
    (
        "{match: {severity: page, team: shop}, to: [bot, am], continue: true}",
        "{match: {signal: errors}, to: am}",
        &[
            "alerts.yaml:40:7: warning[SB0415]: this route is never reached: one above it takes all that it matches; put it first, or write continue: true in the one above",
        ],
    ),
    // What else is wrong does not hide it.
    (
        "{match: {severity: page, team: shop}, to: [bot, am], continue: true}",
        "{match: {severity: critical}, to: am}\n    - {match: {serverity: page}, to: am}\n    - {match: {}, to: am}",
        &[
            "alerts.yaml:39:16: error[SB0205]: `critical` is not a severity; write page or ticket",
            "alerts.yaml:40:16: warning[SB0415]: no objective has the label `serverity`; did you mean `severity`?",
            "alerts.yaml:41:7: warning[SB0415]: this route matches everything, so those below are never reached; put it last, or write continue: true",
        ],
    ),
    (
        "continue: true",
        "continue: yes",
        &[
            "alerts.yaml:39:70: error[SB0106]: `continue` is true or false, and this is a single value",
        ],
    ),
    (
        "kind: Routing",
        "kind: Receiver",
        &[
            "alerts.yaml:16:18: error[SB0406]: nothing says which of the receivers is told: am, bot, hook, main; write a document of kind Routing, with spec: {default: am}",
            "alerts.yaml:37:3: error[SB0105]: the spec of a receiver has no key `default`; it has the keys slack, webhook, alertmanager, timeZone",
            "alerts.yaml:38:3: error[SB0105]: the spec of a receiver has no key `routes`; it has the keys slack, webhook, alertmanager, timeZone",
        ],
    ),
    (
        "name: hook",
        "name: bot",
        &[
            "alerts.yaml:23:18: error[SB0401]: two receivers have the name `bot`; give one of them another name",
            "alerts.yaml:40:37: error[SB0404]: there is no receiver `hook`; write one of am, bot, or define it as a document of kind Receiver",
        ],
    ),
];

#[test]
fn mistakes_in_alerts_are_told_one_by_one() {
    each_is_told(MISTAKES);
}
