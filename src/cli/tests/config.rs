//! `sloburn config` on files that are right and wrong.

use std::path::Path;

use super::{run, run_in};

const FILE: &str = "
definitions: [slos, 'a, b']
tick: 10s
sources:
  default:
    prometheus:
      url: http://localhost:9090
      headers: {X-Scope-OrgID: shop, Authorization: Bearer s3cret}
      matchers: env=\"prod\"
      maxInFlight: 4
  'on':
    prometheus: {url: http://other, params: {dedup: true, api_token: s3cret}}
log: {level: debug}
";

#[tokio::test]
async fn config_print_shows_what_is_in_force_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my.yaml");
    std::fs::write(&file, FILE).unwrap();
    let arguments = [
        "config",
        "print",
        "--config",
        file.to_str().unwrap(),
        "--listen",
        "0.0.0.0:9099",
    ];
    let printed = run_in(
        folder.path(),
        &arguments,
        &[("SLOBURN_STORE", "/var/lib/sloburn.db")],
    )
    .await;
    insta::assert_snapshot!(printed, @r#"
    out:
    # In force, with FOLDER/my.yaml as the file.
    definitions: [FOLDER/slos, "FOLDER/a, b"]  # FOLDER/my.yaml:2
    alerts: [alerts]  # default
    tick: 10s  # FOLDER/my.yaml:3
    slot: 10s  # default
    sources:
      default:
        prometheus:
          url: http://localhost:9090  # FOLDER/my.yaml:7
          timeout: 10s  # default
          # bearerTokenFile is not set
          # basicAuthFile is not set
          # tls:
            # caFile is not set
            # certFile is not set
            # keyFile is not set
          headers:
            Authorization: '********'  # FOLDER/my.yaml:8
            X-Scope-OrgID: shop  # FOLDER/my.yaml:8
          offset: 15s  # default
          settle: 5m  # default
          matchers: env="prod"  # FOLDER/my.yaml:9
          # linkUrl is not set
          # scrapeInterval is not set
          maxInFlight: 4  # FOLDER/my.yaml:10
          maxBodyBytes: 134217728  # default
          backfill: 50%  # default
          seriesPerQuery: 20000  # default
          pushDownAbove: 100000  # default
          partial: hold  # default
          # replicaLabels is not set
      on:
        prometheus:
          url: http://other  # FOLDER/my.yaml:12
          timeout: 10s  # default
          # bearerTokenFile is not set
          # basicAuthFile is not set
          # tls:
            # caFile is not set
            # certFile is not set
            # keyFile is not set
          offset: 15s  # default
          settle: 5m  # default
          # matchers is not set
          params:
            api_token: '********'  # FOLDER/my.yaml:12
            dedup: 'true'  # FOLDER/my.yaml:12
          # linkUrl is not set
          # scrapeInterval is not set
          maxInFlight: 8  # default
          maxBodyBytes: 134217728  # default
          backfill: 50%  # default
          seriesPerQuery: 20000  # default
          pushDownAbove: 100000  # default
          partial: hold  # default
          # replicaLabels is not set
    store:
      sqlite: /var/lib/sloburn.db  # SLOBURN_STORE
      history: 400d  # default
    listen: 0.0.0.0:9099  # --listen
    # externalUrl is not set
    log:
      level: debug  # FOLDER/my.yaml:13
      format: human  # default
      # filter is not set
    exit 0
    "#);

    let json = run(&[&arguments[..], &["--format", "json"]].concat(), &[]).await;
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    insta::assert_snapshot!(json["settings"][0].to_string().replace(&*folder.path().to_string_lossy(), "FOLDER"), @r#"{"from":"FOLDER/my.yaml:2","key":["definitions"],"masked":false,"value":["FOLDER/slos","FOLDER/a, b"]}"#);
    assert!(!json.to_string().contains("s3cret"));
}

#[tokio::test]
async fn what_config_print_prints_is_a_configuration_of_the_same_values() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (
        folder.path().join("first.yaml"),
        folder.path().join("second.yaml"),
    );
    std::fs::write(&first, FILE).unwrap();
    let variables = [
        ("SLOBURN_ALERTS", "/alerts"),
        ("SLOBURN_STORE", "/var/lib/sloburn.db"),
    ];
    let print = async |file: &Path| {
        run(
            &["config", "print", "--config", file.to_str().unwrap()],
            &variables,
        )
        .await
        .out
    };
    let once = print(&first).await;
    std::fs::write(&second, &once).unwrap();
    let twice = print(&second).await;
    let values = |text: &str| {
        let line = |line: &str| line.split("  # ").next().unwrap_or_default().to_owned();
        text.lines().skip(1).map(line).collect::<Vec<_>>()
    };
    assert_eq!(values(&once), values(&twice));
}

#[tokio::test]
async fn a_faulty_configuration_is_told_once_with_its_places() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my.yaml");
    std::fs::write(&file, "tick: 30\nlog: {levle: info}\n").unwrap();
    let arguments = ["config", "print", "--config", file.to_str().unwrap()];
    insta::assert_snapshot!(run_in(folder.path(), &arguments, &[]).await, @r"
    err:
    error: the configuration has 2 errors
    FOLDER/my.yaml:1:7: error[SB0806]: `tick` is 30, without a unit; write 30s if seconds are meant
    FOLDER/my.yaml:2:7: error[SB0802]: `log.levle` is not a setting; did you mean `level`?
    exit 2
    ");
    std::fs::remove_file(&file).unwrap();
    insta::assert_snapshot!(run_in(folder.path(), &arguments, &[]).await, @r"
    err:
    error: cannot read the configuration file `FOLDER/my.yaml`; check --config, SLOBURN_CONFIG and the file's permissions
      caused by: No such file or directory (os error 2)
    exit 2
    ");
}

/// What editors of Windows make of a file.
#[tokio::test]
async fn the_file_may_have_a_mark_and_is_refused_in_another_encoding() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my.yaml");
    let wide = |text: &str| {
        let units = text.encode_utf16();
        units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    };
    let mut told = String::new();
    for bytes in [
        "\u{feff}tick: 10s\r\nlog:\r\n  level: debug\r\n".into(),
        wide("\u{feff}tick: 10s\r\n"),
        wide("tick: 10s\r\n"),
        b"tick: 10s\n# caf\xe9\n".to_vec(),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let arguments = ["config", "print", "--config", file.to_str().unwrap()];
        let ran = run_in(folder.path(), &arguments, &[]).await.to_string();
        let is_told = |line: &&str| {
            let words = ["tick:", "level:", "error", "exit"];
            words.iter().any(|word| line.contains(word))
        };
        told += &ran.lines().filter(is_told).collect::<Vec<_>>().join("\n");
        told += "\n\n";
    }
    insta::assert_snapshot!(told, @r"
    tick: 10s  # FOLDER/my.yaml:1
      level: debug  # FOLDER/my.yaml:3
    exit 0

    error: the configuration has 1 error
    error[SB0801]: `FOLDER/my.yaml` is UTF-16; save it as UTF-8
    exit 2

    error: the configuration has 1 error
    error[SB0801]: `FOLDER/my.yaml` is UTF-16; save it as UTF-8
    exit 2

    error: the configuration has 1 error
    error[SB0801]: `FOLDER/my.yaml` is not UTF-8: see line 2; save it as UTF-8
    exit 2
    ");
}
