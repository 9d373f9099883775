//! What cannot be started: said in a sentence with what to do, with an exit code, and leaving nothing behind.

use std::fs;
use std::net::TcpListener;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::support::daemon::{Daemon, Files, command};
use crate::support::lying_prometheus::LyingPrometheus;
use crate::support::shop::{DEFINITIONS, POLICY, daemon, plain, webhook};

/// `sloburn run` in the folder of `daemon`, which must end by itself: its exit code and what it printed.
async fn run(daemon: &Daemon, arguments: &[&str]) -> String {
    let mut command = Command::from(command());
    command
        .arg("run")
        .args(arguments)
        .current_dir(daemon.folder());
    command.stdin(Stdio::null()).kill_on_drop(true);
    let ended = timeout(Duration::from_mins(1), command.output()).await;
    let output = ended
        .expect("it ends by itself")
        .expect("the daemon's binary can be run");
    let text = [output.stdout, output.stderr].concat();
    let text = plain(&String::from_utf8_lossy(&text), daemon);
    format!("{text}[{}]", output.status.code().expect("an exit code"))
}

/// A folder with these texts; nobody answers at its Prometheus.
fn folder(config: &str, definitions: &str) -> Daemon {
    let own = "tick: 1s\nsources: {default: {prometheus: {url: 'http://127.0.0.1:9', settle: 20s, scrapeInterval: 1s}}}\n";
    Daemon::prepare(&Files {
        config: &format!("{own}{config}"),
        definitions,
        alerts: &format!(
            "{POLICY}---\n{}",
            webhook("hook", "http://127.0.0.1:9/hook")
        ),
        ..Files::default()
    })
}

fn is_untouched(daemon: &Daemon) -> bool {
    !daemon.folder().join("sloburn.db").exists()
}

#[tokio::test]
async fn faulty_definitions_start_nothing() {
    let faulty = DEFINITIONS
        .replace("99%", "0.99")
        .replace("badWhere", "badwhere");
    let daemon = folder("", &faulty);
    insta::assert_snapshot!(run(&daemon, &[]).await, @r#"
error[SB0201]: an objective of 0.99 is below 1 %; did you mean 99%?
 --> definitions.yaml:8:18
  |
8 |       objective: 0.99
  |                  ^^^^

error[SB0105]: `errors` has no key `badwhere`
 --> definitions.yaml:9:58
  |
9 |       errors: {total: 'http_requests_total{job="shop"}', badwhere: 'code=~"5.."'}
  |                                                          ^^^^^^^^
  |
  = help: did you mean `badWhere`?

nothing was started; mend the definitions, and see `sloburn check`
[2]
"#);
    assert!(is_untouched(&daemon));
}

#[tokio::test]
async fn a_faulty_configuration_starts_nothing() {
    let daemon = folder("tik: 1s\n", DEFINITIONS);
    insta::assert_snapshot!(run(&daemon, &[]).await, @r#"
error: the configuration has 1 error
sloburn.yaml:7:1: error[SB0802]: `tik` is not a setting; did you mean `tick`?
[2]
"#);
    assert!(is_untouched(&daemon));
}

#[tokio::test]
async fn missing_and_empty_definitions_start_nothing() {
    let daemon = folder("", DEFINITIONS);
    insta::assert_snapshot!(run(&daemon, &["--definitions", "nowhere"]).await, @r#"
error[SB0001]: cannot read `nowhere`: No such file or directory
 |
 = help: look at the path

nothing was started; mend the definitions, and see `sloburn check`
[2]
"#);
    fs::create_dir(daemon.folder().join("empty")).expect("a folder can be made");
    insta::assert_snapshot!(run(&daemon, &["--definitions", "empty"]).await, @r#"
error[SB0005]: no objective is defined in `empty`
 |
 = help: write one, or say where they are with `--definitions`

nothing was started
[2]
"#);
    assert!(is_untouched(&daemon));
}

#[tokio::test]
async fn outside_of_a_clone_the_usual_places_may_be_missing() {
    let daemon = folder("", DEFINITIONS);
    let config = daemon.folder().join("sloburn.yaml");
    let text = fs::read_to_string(&config).expect("the configuration was written");
    let own = "definitions: [definitions.yaml]\nalerts: [alerts.yaml]\n";
    fs::write(&config, text.replace(own, "")).expect("it can be written");
    insta::assert_snapshot!(run(&daemon, &[]).await, @r#"
error[SB0005]: no objective is defined in `slo-definitions` (not there)
 |
 = help: write one, or say where they are with `--definitions`

nothing was started
[2]
"#);
    // Nobody wrote a policy; the address tells that what is defined was found to be right.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("a bound socket has an address");
    let listen = address.to_string();
    let arguments = ["--definitions", "definitions.yaml", "--listen", &listen];
    let told = run(&daemon, &arguments).await;
    assert!(
        told.contains("no alert policy is defined, so the built-in one is used")
            && told.contains("the port is in use"),
        "{told}"
    );
}

#[tokio::test]
async fn a_port_in_use_is_said() {
    let daemon = folder("", DEFINITIONS);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken
        .local_addr()
        .expect("a bound socket has an address")
        .to_string();
    insta::assert_snapshot!(run(&daemon, &["--listen", &address]).await, @r#"
error: cannot listen on 127.0.0.1:PORT: the port is in use; stop what listens there or choose another with `--listen`
  caused by: Address already in use
[1]
"#);
    assert!(is_untouched(&daemon));
}

#[tokio::test]
async fn a_store_belongs_to_one_process() {
    let prometheus = LyingPrometheus::start().await.expect("a free port");
    let mut first = daemon(
        &prometheus,
        &webhook("hook", "http://127.0.0.1:9/hook"),
        &[],
    );
    first.start().await;
    insta::assert_snapshot!(run(&first, &[]).await, @r#"
error: the store at `sloburn.db` is in use by another process; stop it, or give this one its own with `--store`
[1]
"#);
    assert!(first.is_running(), "the first one is not disturbed");
}
