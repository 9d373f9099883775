//! The demo as a stranger runs it: what it foresees of every kind of fault is what comes, a tick more or less.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::timeout;

/// The example of the help, and each other fault, all at ten times the usual speed, so that the wait is a tenth. The
/// clock waits for slow machines, so that how fast this one is makes no difference to any number.
const FAULTS: [&str; 5] = [
    "checkout:errors=5%,after=1s,for=1s",
    "web-shop:slowness=50%,after=1s,for=500ms",
    "order-worker:traffic=100%,after=1s,for=500ms",
    "postgres:saturation=95%,after=1s,for=500ms",
    "order-worker:down,for=150ms",
];

async fn demo(arguments: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sloburn"));
    command
        .arg("demo")
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = timeout(Duration::from_mins(10), command.output()).await;
    let output = output.expect("the demo ends").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.success(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[tokio::test]
async fn what_is_foreseen_of_every_fault_is_what_comes() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut arguments = vec![
        "--speed",
        "7200",
        "--history",
        "4d",
        "--for",
        "8s",
        "--report",
        "json",
    ];
    arguments.extend(["--listen", &address]);
    for fault in FAULTS {
        arguments.extend(["--fault", fault]);
    }
    let (ended_well, out, err) = demo(&arguments).await;
    assert!(ended_well, "{err}");
    assert!(
        err.contains(&format!("{address} is in use; another port is taken")),
        "{err}"
    );
    assert!(err.contains("Left out: postgres/transactions"), "{err}");
    assert!(err.trim_end().ends_with("--definitions my-slos"), "{err}");
    let report: Value = serde_json::from_str(&out).expect("nothing but the report is printed");

    let mut harmed = Vec::new();
    for fault in report["faults"].as_array().unwrap() {
        for objective in fault["objectives"].as_array().unwrap() {
            let slo = objective["slo"].as_str().unwrap();
            for what in ["fired", "closed"] {
                let off = objective["ticksOff"][what].as_i64();
                let off = off.unwrap_or_else(|| panic!("{slo} never {what}: {objective:#}"));
                assert!(
                    (-1..=1).contains(&off),
                    "{slo} {what} {off} ticks off: {objective:#}"
                );
            }
            let severity = objective["seen"]["severity"].as_str().unwrap();
            assert_eq!(objective["foreseen"]["severity"], severity, "{slo}");
            let foreseen = objective["foreseen"]["spends"].as_f64().unwrap();
            let spent = objective["seen"]["spent"].as_f64().unwrap();
            assert!(
                (foreseen - spent).abs() < 0.02 * foreseen,
                "{slo} spent {spent}, not {foreseen}"
            );
            harmed.push(format!("{slo} {severity}"));
        }
    }
    insta::assert_snapshot!(harmed.join("\n"), @r"
    checkout/availability page
    web-shop/latency page
    order-worker/delivery ticket
    postgres/connections ticket
    ");

    let blind = &report["faults"][4]["blind"];
    assert!(
        (-1..=1).contains(&blind["ticksOff"].as_i64().unwrap()),
        "{blind:#}"
    );
    assert!(
        blind["seenAgain"].is_string() && blind["told"].is_string(),
        "{blind:#}"
    );
    assert_eq!(blind["slos"].as_array().unwrap().len(), 6, "{blind:#}");

    let counts = report["counts"].as_array().unwrap();
    assert!(counts.len() >= 8);
    for count in counts {
        assert_eq!(count["ledger"], count["service"], "{count:#}");
    }
    assert!(report["lowTraffic"]["failedAt"].is_string() && report["lowTraffic"]["told"] == false);
}

#[tokio::test]
async fn slips_are_answered_before_anything_starts() {
    for (arguments, said) in [
        (
            ["--fault", "chekout:errors=5%"],
            "there is no service `chekout`; did you mean `checkout`?",
        ),
        (["--speed", "0"], "write a whole number from 1 to 100000"),
        (["--history", "90d"], "write at least 1h and at most 30d"),
    ] {
        let (ended_well, out, err) = demo(&arguments).await;
        assert!(
            !ended_well && out.is_empty() && err.contains(said),
            "{arguments:?}: {err}"
        );
    }
}
