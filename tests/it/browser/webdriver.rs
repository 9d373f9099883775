//! Debian's Chromium, driven over WebDriver: a browser of its own that reaches loopback and nothing else.

use std::env;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use crate::support::print;
use crate::support::tools::{chromedriver, chromium};

/// Long, since a busy machine of two cores may build something beside the tests.
const PATIENCE: Duration = Duration::from_mins(2);

/// A window's size, and how it is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) name: &'static str,
    pub(super) width: u32,
    pub(super) height: u32,
}

pub(super) const WIDE: Size = Size {
    name: "wide",
    width: 1_280,
    height: 900,
};

pub(super) const PHONE: Size = Size {
    name: "phone",
    width: 390,
    height: 844,
};

/// A browser with one window; dropped, it is ended and its profile removed.
#[derive(Debug)]
pub(super) struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    _output: BufReader<ChildStdout>,
    profile: TempDir,
}

impl Browser {
    /// Starts one; `None` says that the test is to be skipped.
    pub(super) async fn start() -> Option<Self> {
        let (driver, chromium) = (chromedriver()?, chromium()?);
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver can be run");
        let (port, output) = port_of(&mut driver);
        let profile = tempfile::tempdir().expect("a temporary folder can be made");
        let mut browser = Self {
            driver,
            address: ([127, 0, 0, 1], port).into(),
            session: String::new(),
            _output: output,
            profile,
        };
        let folder = browser.profile.path().display();
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            &format!("--user-data-dir={folder}"),
        ];
        let options = json!({"binary": chromium, "args": arguments});
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let answer = browser.call("POST", "/session", &wanted).await;
        let id = answer["sessionId"].as_str().expect("a session has an id");
        browser.session = format!("/session/{id}");
        Some(browser)
    }

    /// Opens `url` and waits until it is loaded.
    pub(super) async fn open(&self, url: &str) {
        self.command("/url", json!({ "url": url })).await;
    }

    /// Clicks the first element that `selector` finds, as a person would.
    pub(super) async fn click(&self, selector: &str) {
        let wanted = json!({"using": "css selector", "value": selector});
        let found = self.command("/element", wanted).await;
        let found = found.as_object().expect("an element is an object");
        let id = found.values().next().and_then(Value::as_str);
        let path = format!("/element/{}/click", id.expect("an element has an id"));
        self.command(&path, json!({})).await;
    }

    /// What `script`, the body of a function, returns.
    pub(super) async fn eval(&self, script: &str) -> Value {
        let call = json!({"script": script, "args": []});
        self.command("/execute/sync", call).await
    }

    /// What is to be read at `selector`; empty where nothing is.
    pub(super) async fn text(&self, selector: &str) -> String {
        let quoted = Value::from(selector);
        let script =
            format!("return (document.querySelector({quoted}) || {{innerText: ''}}).innerText");
        let text = self.eval(&script).await;
        text.as_str().expect("a text is a string").to_owned()
    }

    /// Waits until `script` returns something that is true, and says what that was.
    pub(super) async fn until(&self, what: &str, script: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let value = self.eval(script).await;
            if !matches!(value, Value::Null | Value::Bool(false)) {
                return value;
            }
            let page = if Instant::now() < deadline {
                String::new()
            } else {
                self.text("body").await
            };
            assert!(page.is_empty(), "{what} did not come:\n{page}");
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Whether pages may run scripts from the next one on.
    pub(super) async fn allow_scripts(&self, allowed: bool) {
        self.devtools(
            "Emulation.setScriptExecutionDisabled",
            json!({ "value": !allowed }),
        )
        .await;
    }

    /// Looks at the page as it is in `size`, light and dark, and writes what is seen into `folder`.
    pub(super) async fn picture(&self, folder: &Path, name: &str) {
        for size in [WIDE, PHONE] {
            self.resize(size).await;
            for scheme in ["light", "dark"] {
                let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
                self.devtools(
                    "Emulation.setEmulatedMedia",
                    json!({ "features": features }),
                )
                .await;
                let overflow = self
                    .eval("return document.documentElement.scrollWidth > innerWidth")
                    .await;
                assert_eq!(
                    overflow, false,
                    "{name} is wider than a {} window",
                    size.name
                );
                let height = self
                    .eval("return document.documentElement.scrollHeight")
                    .await;
                let clip =
                    json!({"x": 0, "y": 0, "width": size.width, "height": height, "scale": 1});
                let how = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
                let shot = self.devtools("Page.captureScreenshot", how).await;
                let png = STANDARD
                    .decode(shot["data"].as_str().expect("a picture"))
                    .expect("base64");
                let file = folder.join(format!("{name}-{}-{scheme}.png", size.name));
                std::fs::write(file, png).expect("a picture can be written");
            }
        }
        self.resize(WIDE).await;
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": [] }))
            .await;
    }

    async fn resize(&self, size: Size) {
        let is_phone = size.width < 600;
        let metrics = json!({"width": size.width, "height": size.height, "deviceScaleFactor": 1, "mobile": is_phone});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
            .await;
    }

    /// What the pages complained of on the console since this was last asked.
    pub(super) async fn complaints(&self) -> Vec<String> {
        let log = self.command("/se/log", json!({"type": "browser"})).await;
        let log = log.as_array().expect("a log is a list").iter();
        log.map(|line| line["message"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let call = json!({"cmd": command, "params": parameters});
        self.command("/goog/cdp/execute", call).await
    }

    async fn command(&self, path: &str, body: Value) -> Value {
        self.call("POST", &format!("{}{path}", self.session), &body)
            .await
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let calling = send(self.address, method, path, body);
        let answered = timeout(PATIENCE, calling).await;
        let answer = answered
            .unwrap_or_else(|_| panic!("no answer to {path}"))
            .expect("chromedriver answers");
        let mut answer: Value =
            serde_json::from_str(&answer).expect("chromedriver answers in JSON");
        let value = answer["value"].take();
        assert!(value["error"].is_null(), "{path} {body}: {value}");
        value
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends its browser with the session; killed before that, it would leave it behind.
        let ended = end(self.address, &self.session);
        if let Err(error) = ended {
            print(&format!("a browser may be left behind: {error}"));
        }
        let killed = self.driver.kill().and_then(|()| self.driver.wait());
        killed.expect("chromedriver can be killed");
    }
}

/// Asks for the end of a session and waits for it; in place, since a drop cannot wait otherwise.
fn end(address: SocketAddr, session: &str) -> io::Result<()> {
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(
        stream,
        "DELETE {session} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )?;
    io::Read::read_exact(&mut stream, &mut [0; 12])?;
    Ok(())
}

/// Reads on which port it listens. What it says later is kept from breaking off by the reader.
fn port_of(driver: &mut Child) -> (u16, BufReader<ChildStdout>) {
    let mut output = BufReader::new(driver.stdout.take().expect("its output is piped"));
    let mut line = String::new();
    while output
        .read_line(&mut line)
        .expect("chromedriver writes text")
        > 0
    {
        let told = line.split_once("started successfully on port ");
        if let Some((_, port)) = told {
            let port = port.trim().trim_end_matches('.').parse();
            return (port.expect("a port is a number"), output);
        }
        line.clear();
    }
    panic!("chromedriver did not start");
}

async fn send(address: SocketAddr, method: &str, path: &str, body: &Value) -> io::Result<String> {
    let body = body.to_string();
    let mut head = Vec::new();
    write!(
        head,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    )?;
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(&head).await?;
    stream.write_all(body.as_bytes()).await?;
    // It keeps connections open even where it is asked not to.
    let (mut reply, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let count = stream.read(&mut buffer).await?;
        reply.extend_from_slice(&buffer[..count]);
        if let Some(body) = whole(&reply) {
            return Ok(body.to_owned());
        }
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The body of `reply` once all of it is there.
fn whole(reply: &[u8]) -> Option<&str> {
    let (head, body) = std::str::from_utf8(reply).ok()?.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse().ok()).flatten()
    });
    (body.len() >= length?).then_some(body)
}

/// Where pictures go: `target/screenshots`.
pub(super) fn pictures() -> std::path::PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target"),
        Into::into,
    );
    let folder = target.join("screenshots");
    std::fs::create_dir_all(&folder).expect("a folder can be made under target");
    folder
}
