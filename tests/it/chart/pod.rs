//! Runs a container of a rendered pod as the kubelet would: its arguments, variables, mounts and user, in a root that is
//! read-only and holds what the image holds. Volumes change as the kubelet changes them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::image::Image;
use super::volume::{self, Files};

/// Long, since a busy machine of two cores may build something beside the tests.
const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(50);

/// Where a container's image, volumes and log are. Dropped, its process is killed.
#[derive(Debug)]
pub(super) struct Container {
    folder: TempDir,
    script: String,
    user: u32,
    variables: Vec<(String, String)>,
    process: Option<Child>,
}

impl Container {
    /// Makes the root and the volumes of the only container of `pod`; nothing runs yet. `files` are what the volumes of
    /// ConfigMaps and secrets hold, by volume; names are found in `hosts`, else asked of `nameserver`.
    pub(super) fn prepare(
        (pod, files): (&Value, &BTreeMap<String, Files>),
        binary: &Path,
        (hosts, nameserver): (&str, Ipv4Addr),
    ) -> Self {
        let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        assert!(
            is_root,
            "containers are made of mounts and a chroot, which only root may make: run this test as root"
        );
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let (image, root) = (Image::of_dockerfile(), folder.path().join("root"));
        let put = |path: &str, text: &str| {
            let path = root.join(path.trim_start_matches('/'));
            make(path.parent().expect("a file is in a folder"));
            fs::write(path, text).expect("a file can be written in a temporary folder");
        };
        put("/etc/hosts", hosts);
        put(
            "/etc/resolv.conf",
            &format!("nameserver {nameserver}\noptions timeout:2 attempts:5\n"),
        );
        // The authorities of the image are none that a test could ask anything of.
        put("/etc/ssl/certs/ca-certificates.crt", "");
        put(&image.entrypoint, "");
        fs::copy(binary, root.join(image.entrypoint.trim_start_matches('/')))
            .expect("the binary can be copied");
        let container = Self {
            user: image.user,
            script: script(pod, (&image, &root), folder.path()),
            variables: variables(pod),
            process: None,
            folder,
        };
        for volume in volumes(pod) {
            let at = container.volume(volume);
            make(&at);
            if let Some(files) = files.get(volume) {
                container.publish(volume, files);
            } else {
                // An empty one: the group may write.
                chown(&at, None, Some(image.user)).expect("root may give folders away");
                fs::set_permissions(&at, fs::Permissions::from_mode(0o2775)).expect("root may");
            }
        }
        container
    }

    /// Changes the files of a volume, all at once.
    pub(super) fn publish(&self, name: &str, files: &Files) {
        volume::publish(
            &self.volume(name),
            files,
            (name == "secrets").then_some(self.user),
        );
    }

    /// Where a volume lies outside of the container.
    pub(super) fn volume(&self, name: &str) -> PathBuf {
        self.folder.path().join("volumes").join(name)
    }

    /// Everything in the root, the volumes not being mounted outside of the container.
    pub(super) fn root(&self) -> Vec<PathBuf> {
        let listed = Command::new("find")
            .arg(self.folder.path().join("root"))
            .output();
        let listed = listed.expect("`find` is installed").stdout;
        let mut paths: Vec<_> = String::from_utf8_lossy(&listed)
            .lines()
            .map(PathBuf::from)
            .collect();
        paths.sort();
        paths
    }

    pub(super) fn start(&mut self) {
        assert!(self.process.is_none(), "it runs already");
        let log = File::create(self.folder.path().join("log")).expect("the log can be made");
        let process = Command::new("unshare")
            .args(["--mount", "--propagation=private", "sh", "-c", &self.script])
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log's handle can be copied"))
            .stderr(log)
            .spawn();
        self.process = Some(process.expect("`unshare` is installed"));
    }

    /// A line of its process' `/proc/PID/status`, once it has become what is to be run.
    pub(super) fn kernel_says(&self, key: &str) -> String {
        let process = self.process.as_ref().expect("it runs");
        let status = fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        line.expect("the kernel knows")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }

    pub(super) fn is_running(&mut self) -> bool {
        let process = self.process.as_mut().expect("it was started");
        process.try_wait().expect("its state can be read").is_none()
    }

    /// Asks it to stop, as the kubelet does.
    pub(super) fn terminate(&self) {
        let process = self.process.as_ref().expect("it runs");
        let asked = Command::new("kill")
            .args(["-TERM", &process.id().to_string()])
            .status();
        assert!(asked.expect("`kill` is installed").success());
    }

    /// How it ended, once it has.
    pub(super) async fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE * 3;
        while self.is_running() {
            assert!(
                Instant::now() < deadline,
                "it does not end:\n{}",
                self.log()
            );
            sleep(POLL).await;
        }
        let mut process = self.process.take().expect("it was started");
        process.wait().expect("its end can be read")
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It may have ended by itself.
            drop(process.kill());
            drop(process.wait());
        }
    }
}

fn make(folder: &Path) {
    fs::create_dir_all(folder).expect("a folder can be made in a temporary one");
}

fn only_container(pod: &Value) -> &Value {
    let containers = pod["spec"]["containers"]
        .as_array()
        .expect("a pod has containers");
    assert_eq!(containers.len(), 1);
    &containers[0]
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    let all = list.as_array().into_iter().flatten();
    all.map(|text| text.as_str().expect("a text"))
}

fn mounts(pod: &Value) -> impl Iterator<Item = (&str, &str, bool)> {
    let mounts = only_container(pod)["volumeMounts"]
        .as_array()
        .into_iter()
        .flatten();
    mounts.map(|mount| {
        let text = |key: &str| mount[key].as_str().expect("a mount has name and path");
        assert!(
            mount["subPath"].is_null(),
            "a file mounted by subPath never changes"
        );
        (text("name"), text("mountPath"), mount["readOnly"] == true)
    })
}

/// Each must be one of the pod's.
fn volumes(pod: &Value) -> Vec<&str> {
    let all = pod["spec"]["volumes"].as_array().into_iter().flatten();
    let known: Vec<_> = all
        .map(|volume| volume["name"].as_str().expect("a volume has a name"))
        .collect();
    for (name, ..) in mounts(pod) {
        assert!(known.contains(&name), "there is no volume {name}");
    }
    known
}

/// Those of the pod, and where the image says that its authorities are.
fn variables(pod: &Value) -> Vec<(String, String)> {
    let all = only_container(pod)["env"].as_array().into_iter().flatten();
    let text = |value: &Value| {
        value
            .as_str()
            .expect("a variable has a name and a value")
            .to_owned()
    };
    all.map(|variable| (text(&variable["name"]), text(&variable["value"])))
        .collect()
}

/// Mounts everything, gives up being root, and becomes what the pod runs.
fn script(pod: &Value, (image, root): (&Image, &Path), folder: &Path) -> String {
    let (container, context) = (only_container(pod), &pod["spec"]["securityContext"]);
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    let root_shown = root.display();
    let mut script = "set -e\n".to_owned();
    let mut line = |text: String| writeln!(script, "{text}").expect("a string can be written to");
    // Mount points are there before the root is closed.
    make(&root.join(image.folder.trim_start_matches('/')));
    line(format!("mount --bind '{root_shown}' '{root_shown}'"));
    line(format!("mount -o remount,bind,ro '{root_shown}'"));
    for (name, path, is_read_only) in mounts(pod) {
        make(&root.join(path.trim_start_matches('/')));
        line(format!(
            "mount --bind '{}' '{root_shown}{path}'",
            folder.join("volumes").join(name).display()
        ));
        if is_read_only {
            line(format!("mount -o remount,bind,ro '{root_shown}{path}'"));
        }
    }
    let id = |key: &str| context[key].as_u64().unwrap_or(image.user.into());
    let working = container["workingDir"].as_str().unwrap_or(&image.folder);
    let mut command = format!(
        "exec setpriv --clear-groups unshare --root='{root_shown}' --wd='{working}' --setgid={} --setuid={} {}",
        id("runAsGroup"),
        id("runAsUser"),
        image.entrypoint
    );
    assert!(
        container["command"].is_null(),
        "the image's entry point is run"
    );
    for argument in texts(&container["args"]) {
        write!(command, " '{argument}'").expect("a string can be written to");
    }
    line(command);
    script
}
