//! The sources that objectives name: who knows which there are, and what is said by who does not.

use super::run_in;

const SERVICE: &str = "
apiVersion: sloburn.dev/v1
kind: ServiceObjectives
metadata: {name: shop}
spec:
  window: 30d
  objectives:
    - name: here
      objective: 99%
      errors: {total: a_total, bad: b_total}
    - name: there
      objective: 99%
      source: prod
      errors: {total: a_total, bad: b_total}
    - name: there-too
      objective: 99%
      source: prod
      errors: {total: a_total, bad: b_total}
";

#[tokio::test]
async fn who_reads_samples_knows_which_sources_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.yaml");
    std::fs::write(&file, SERVICE).unwrap();
    let config = folder.path().join("sloburn.yaml");
    std::fs::write(&config, "tick: 30s\n").unwrap();
    let (file, config) = (file.to_str().unwrap(), config.to_str().unwrap());
    let nobody = ["--prometheus", "http://127.0.0.1:9"];
    let definitions = ["--definitions", file];
    let mut told = Vec::new();
    for arguments in [
        vec!["check", file],
        vec!["check", file, "--live"],
        [&["check", file], &nobody[..]].concat(),
        vec!["check", file, "--config", config],
        [&["run"], &definitions[..]].concat(),
        [&["status"], &definitions[..], &nobody].concat(),
    ] {
        let ran = run_in(folder.path(), &arguments, &[]).await.to_string();
        let is_told = |line: &&str| line.contains("[SB") || line.contains("help");
        let what = arguments.join(" ");
        let what = what.replace(&*folder.path().to_string_lossy(), "FOLDER");
        let lines = ran.lines().filter(is_told).chain(ran.lines().next_back());
        told.push(
            std::iter::once(&*what)
                .chain(lines)
                .collect::<Vec<_>>()
                .join("\n"),
        );
    }
    insta::assert_snapshot!(told.join("\n\n"), @r"
    check FOLDER/shop.yaml
    warning[SB0405]: no configuration was read, so nobody knows whether there is a source `prod`
       = help: name the daemon's configuration with `--config`
    exit 0

    check FOLDER/shop.yaml --live
    error[SB0405]: there is no source `prod`
       = help: write default, or add it under `sources` in the daemon's configuration
    error[SB0405]: there is no source `prod`
       = help: write default, or add it under `sources` in the daemon's configuration
    exit 2

    check FOLDER/shop.yaml --prometheus http://127.0.0.1:9
    error[SB0405]: there is no source `prod`
       = help: write default, or add it under `sources` in the daemon's configuration
    error[SB0405]: there is no source `prod`
       = help: write default, or add it under `sources` in the daemon's configuration
    exit 2

    check FOLDER/shop.yaml --config FOLDER/sloburn.yaml
    error[SB0405]: there is no source `prod`
       = help: write default, or add it under `sources` in the daemon's configuration
    error[SB0405]: there is no source `prod`
       = help: write default, or add it under `sources` in the daemon's configuration
    exit 2

    run --definitions FOLDER/shop.yaml
    error[SB0405]: there is no source `prod`
       = help: write default, or add it under `sources` in the daemon's configuration
    error[SB0405]: there is no source `prod`
       = help: write default, or add it under `sources` in the daemon's configuration
    exit 2

    status --definitions FOLDER/shop.yaml --prometheus http://127.0.0.1:9
    error[SB0405]: there is no source `prod`
       = help: write default, or add it under `sources` in the daemon's configuration
    error[SB0405]: there is no source `prod`
       = help: write default, or add it under `sources` in the daemon's configuration
    exit 2
    ");
}
