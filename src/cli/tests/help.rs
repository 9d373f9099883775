//! What `--help` says: what there is, and what exit codes mean.

use super::run;

#[tokio::test]
async fn of_the_program_and_of_its_commands() {
    insta::assert_snapshot!(run(&["--help"], &[]).await, @"
    out:
    Watches service level objectives: exact error budgets, burn-rate alerts, status

    Usage: sloburn <COMMAND>

    Commands:
      demo     Show it all on simulated services, with nothing else installed
      run      Run the daemon: evaluate, alert, serve status
      check    Check definitions, alert policies, receivers and routes without running anything
      status   Tell how the objectives fare: ask a running daemon, or evaluate them here
      explain  Tell how a number came to be: queries, samples and each step of the arithmetic
      ready    Wait until a running daemon is ready
      config   Show the daemon's own settings
      help     Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Exit codes:
      0  all is well
      1  it failed while running; for `status`: something alerts, is breached or is not known;
         for `ready`: something is missing
      2  what was given is faulty: flags, configuration or definitions; for `check --live`, `status`,
         `explain` and `ready`: nobody answers, or nothing could be read
    exit 0
    ");
    insta::assert_snapshot!(run(&["status", "--help"], &[]).await, @r"
    out:
    Ask a running daemon how the objectives fare, the worst first.

    With any of the flags under 'Without a daemon' none is asked: the objectives of --definitions are
    evaluated here and now, or as of --at, from what the source holds. Their whole windows are read for
    that; how far that is shows on a terminal.

    The exit code is 0 only when the daemon is up to date and every objective asked for is measured, met
    and without an alert. What is not known counts as bad: a failed read, data that is missing, a window
    in which nothing was counted yet. No traffic just now is no fault.

    Usage: sloburn status [OPTIONS] [SERVICE[/SLO]]

    Arguments:
      [SERVICE[/SLO]]
              Only this service, or only this objective of it

    Options:
          --url <URL>
              Where the daemon serves its API [default: SLOBURN_URL, else where the configuration says
              that it listens]

          --format <FORMAT>
              For people, or as the API gives it

              [default: table]
              [possible values: table, json]

      -h, --help
              Print help (see a summary with '-h')

    Without a daemon:
          --prometheus <URL>
              Evaluate here, from this Prometheus, as http://localhost:9090: the url of the source
              `default`

          --config <FILE>
              Evaluate here, from the sources of this configuration file

          --definitions <PATH>
              Files or folders with the objectives to evaluate; may be repeated

          --alerts <PATH>
              Files or folders with alert policies; may be repeated

          --at <TIME>
              Evaluate as of this time, as 2026-03-01T12:00:00Z, or so long ago, as 2h

    Exit codes:
      0  all is well
      1  it failed while running; for `status`: something alerts, is breached or is not known;
         for `ready`: something is missing
      2  what was given is faulty: flags, configuration or definitions; for `check --live`, `status`,
         `explain` and `ready`: nobody answers, or nothing could be read
    exit 0
    ");
}

#[tokio::test]
async fn of_settings_with_flags_and_variables() {
    insta::assert_snapshot!(run(&["config", "print", "--help"], &[]).await, @"
    out:
    Print what is in force: defaults, file, environment and flags

    Each value is followed by where it came from: `default`, a line of the file, a variable or a flag.
    Values that look like secrets are masked. But for those, what is printed is a configuration file
    again.

    Usage: sloburn config print [OPTIONS]

    Options:
          --format <FORMAT>
              As a configuration file, or for programs

              [default: yaml]
              [possible values: yaml, json]

      -h, --help
              Print help (see a summary with '-h')

    Settings (flags win over SLOBURN_… variables, those over the file):
          --config <FILE>
              The configuration file; without it `sloburn.yaml`, if there is one

          --definitions <PATH>
              Files or folders with objectives; may be repeated

          --alerts <PATH>
              Files or folders with alert policies, receivers and routes; may be repeated

          --tick <DURATION>
              How often everything is evaluated, as 30s

          --prometheus <URL>
              Prometheus' address, as http://localhost:9090: the url of the source `default`

          --store <FILE>
              The file in which budgets, incidents and messages to send are kept

          --listen <ADDRESS>
              Where status, API and metrics are served, as 127.0.0.1:9099

          --external-url <URL>
              How people reach that address; links in messages begin with it

          --log-level <LEVEL>
              error, warn, info, debug or trace

          --log-format <FORMAT>
              human or json

    Variables (lists and pairs parted by commas):
      SLOBURN_CONFIG                        the configuration file
      SLOBURN_DEFINITIONS                   definitions
      SLOBURN_ALERTS                        alerts
      SLOBURN_TICK                          tick
      SLOBURN_SLOT                          slot
      SLOBURN_PROMETHEUS_URL                sources.default.prometheus.url
      SLOBURN_PROMETHEUS_TIMEOUT            sources.default.prometheus.timeout
      SLOBURN_PROMETHEUS_BEARER_TOKEN_FILE  sources.default.prometheus.bearerTokenFile
      SLOBURN_PROMETHEUS_BASIC_AUTH_FILE    sources.default.prometheus.basicAuthFile
      SLOBURN_PROMETHEUS_TLS_CA_FILE        sources.default.prometheus.tls.caFile
      SLOBURN_PROMETHEUS_TLS_CERT_FILE      sources.default.prometheus.tls.certFile
      SLOBURN_PROMETHEUS_TLS_KEY_FILE       sources.default.prometheus.tls.keyFile
      SLOBURN_PROMETHEUS_HEADERS            sources.default.prometheus.headers
      SLOBURN_PROMETHEUS_OFFSET             sources.default.prometheus.offset
      SLOBURN_PROMETHEUS_SETTLE             sources.default.prometheus.settle
      SLOBURN_PROMETHEUS_MATCHERS           sources.default.prometheus.matchers
      SLOBURN_PROMETHEUS_PARAMS             sources.default.prometheus.params
      SLOBURN_PROMETHEUS_LINK_URL           sources.default.prometheus.linkUrl
      SLOBURN_PROMETHEUS_SCRAPE_INTERVAL    sources.default.prometheus.scrapeInterval
      SLOBURN_PROMETHEUS_MAX_IN_FLIGHT      sources.default.prometheus.maxInFlight
      SLOBURN_PROMETHEUS_MAX_BODY_BYTES     sources.default.prometheus.maxBodyBytes
      SLOBURN_PROMETHEUS_BACKFILL           sources.default.prometheus.backfill
      SLOBURN_PROMETHEUS_SERIES_PER_QUERY   sources.default.prometheus.seriesPerQuery
      SLOBURN_PROMETHEUS_PUSH_DOWN_ABOVE    sources.default.prometheus.pushDownAbove
      SLOBURN_PROMETHEUS_PARTIAL            sources.default.prometheus.partial
      SLOBURN_PROMETHEUS_REPLICA_LABELS     sources.default.prometheus.replicaLabels
      SLOBURN_SCRAPE_TARGETS                sources.default.scrape.targets
      SLOBURN_SCRAPE_INTERVAL               sources.default.scrape.interval
      SLOBURN_SCRAPE_TIMEOUT                sources.default.scrape.timeout
      SLOBURN_SCRAPE_OFFSET                 sources.default.scrape.offset
      SLOBURN_SCRAPE_SETTLE                 sources.default.scrape.settle
      SLOBURN_SCRAPE_MAX_BODY_BYTES         sources.default.scrape.maxBodyBytes
      SLOBURN_STORE                         store.sqlite
      SLOBURN_HISTORY                       store.history
      SLOBURN_LISTEN                        listen
      SLOBURN_EXTERNAL_URL                  externalUrl
      SLOBURN_LOG_LEVEL                     log.level
      SLOBURN_LOG_FORMAT                    log.format
      SLOBURN_LOG                           log.filter
    exit 0
    ");
}
