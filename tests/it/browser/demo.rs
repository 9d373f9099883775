//! The demo's game day: each fault is injected with a click, and everything that follows is seen without loading anew.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use regex::Regex;
use serde_json::Value;
use tokio::time::sleep;

use super::webdriver::{Browser, pictures};
use crate::support::static_binary::static_binary;
use crate::support::tools::get;

/// The faults that a click injects.
const FAULTS: [&str; 5] = ["errors", "slowness", "traffic", "saturation", "down"];

/// How often what changes all the time may be asked for until two answers are of one moment.
const TRIES: usize = 200;

/// A running demo; dropped, it is killed.
struct Demo {
    process: Child,
    address: SocketAddr,
    output: BufReader<ChildStdout>,
}

impl Demo {
    /// Starts one with all of its history, and waits for the line that says where it is.
    fn start() -> Self {
        let binary = static_binary().expect("whoever has a browser has it too");
        let mut process = Command::new(binary)
            .args(["demo", "--listen", "127.0.0.1:0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary can be run");
        let output = process.stdout.take().expect("its output is piped");
        let mut demo = Self {
            process,
            address: ([127, 0, 0, 1], 0).into(),
            output: BufReader::new(output),
        };
        demo.address = demo.told();
        demo
    }

    /// Reads where it says that it is.
    fn told(&mut self) -> SocketAddr {
        let mut line = String::new();
        while self.output.read_line(&mut line).expect("it writes text") > 0 {
            if let Some((_, url)) = line.split_once("Open http://") {
                let address = url.trim().trim_end_matches('/').parse();
                return address.expect("an address");
            }
            line.clear();
        }
        panic!("the demo did not start");
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    async fn json(&self, path: &str) -> Value {
        let reply = get(self.address, path).await.expect("the demo answers");
        let (_, body) = reply
            .split_once("\r\n\r\n")
            .expect("a reply has head and body");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}\n{reply}"))
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let ended = self.process.kill().and_then(|()| self.process.wait());
        ended.expect("the demo can be killed");
    }
}

#[tokio::test]
async fn each_fault_is_a_click_and_the_pages_follow_to_its_end() {
    let Some(browser) = Browser::start().await else {
        return;
    };
    let demo = Demo::start();
    browser.open(&demo.url("/game-day")).await;
    for (index, fault) in FAULTS.iter().enumerate() {
        browser.click(&format!("#inject-{fault}")).await;
        let there = format!(
            "return document.getElementById('fault-{}') !== null",
            index + 1
        );
        browser.until(fault, &there).await;
    }
    browser.eval("window.same = true").await;
    let folder = pictures();
    browser.picture(&folder, "demo-game-day").await;
    let over = "return window.same && document.querySelectorAll('.fault').length === 5 && [...document.querySelectorAll('.fault h3 span')].every((state) => state.innerText === 'over')";
    browser.until("the end of all faults", over).await;
    // Checkout's errors were foreseen to page, and did.
    let faults = demo.json("/demo/faults").await;
    let errors = faults["faults"].as_array().expect("a list").iter();
    let errors = errors.clone().find(|fault| fault["kind"] == "errors");
    let seen = &errors.expect("the first click")["objectives"][0]["seen"];
    assert!(seen["paged"].is_object(), "{faults:#}");

    for (path, name) in [
        ("/", "demo-overview"),
        ("/slos/checkout/availability", "demo-objective"),
        ("/incidents", "demo-incidents"),
        ("/inbox", "demo-inbox"),
        ("/game-day", "demo-game-day-over"),
        ("/sources", "demo-sources"),
    ] {
        browser.open(&demo.url(path)).await;
        browser.picture(&folder, name).await;
    }
    let complaints = browser.complaints().await;
    assert!(complaints.is_empty(), "{complaints:?}");

    inbox_says_what_the_api_says(&browser, &demo).await;
}

/// With scripts off: what is on the page is what the API gives.
async fn inbox_says_what_the_api_says(browser: &Browser, demo: &Demo) {
    browser.allow_scripts(false).await;
    for _ in 0..TRIES {
        let before = demo.json("/demo/inbox").await["messages"].take();
        browser.open(&demo.url("/inbox")).await;
        let after = demo.json("/demo/inbox").await["messages"].take();
        browser.allow_scripts(true).await;
        let shown = browser
            .eval("return [...document.querySelectorAll('.post')].map((post) => [post.querySelector('h2').innerText, ...[...post.querySelectorAll(':scope > ul li')].map((line) => line.innerText)].join(' '))")
            .await;
        browser.allow_scripts(false).await;
        if before == after {
            let shown: Vec<String> = serde_json::from_value(shown).expect("texts");
            let shown: Vec<String> = shown.iter().map(|text| letters(text)).collect();
            let posts = before.as_array();
            let given: Vec<String> = posts.expect("a list").iter().map(given).collect();
            assert!(!given.is_empty(), "somebody was told");
            assert_eq!(shown, given);
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("the inbox never stood still");
}

/// The text of a message's blocks without Slack's marks.
fn given(post: &Value) -> String {
    let blocks = post["blocks"]
        .as_array()
        .expect("a message has blocks")
        .iter();
    let text = |block: &Value| {
        let text = block["text"]["text"].as_str();
        let text = text.or(block["elements"][0]["text"].as_str());
        text.unwrap_or_default().to_owned()
    };
    let text = blocks.map(text).collect::<Vec<_>>().join(" ");
    let link = Regex::new("<([^|>]*)[|]([^>]*)>").unwrap();
    let text = link.replace_all(&text, "$2 ($1)").into_owned();
    letters(
        &text
            .replace("&lt;", "")
            .replace("&gt;", "")
            .replace("&amp;", ""),
    )
}

/// Letters and digits alone: marks and blanks differ from form to form.
fn letters(text: &str) -> String {
    text.chars().filter(|char| char.is_alphanumeric()).collect()
}
