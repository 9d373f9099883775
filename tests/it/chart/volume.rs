//! A volume of a ConfigMap or a secret, changed as the kubelet changes it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

/// Files by their paths in a volume.
pub(super) type Files = BTreeMap<String, String>;

/// A new folder is filled, one link is swapped, and the old folder is removed. Only `group` may read, where one is given.
pub(super) fn publish(volume: &Path, files: &Files, group: Option<u32>) {
    let before = fs::read_link(volume.join("..data")).ok();
    let is_free = |name: &PathBuf| !volume.join(name).exists();
    let mut names = (0..).map(|number| PathBuf::from(format!("..{number}")));
    let now = names.find(is_free).expect("a number is free");
    for (name, text) in files {
        write(&volume.join(&now).join(name), text, group);
    }
    fs::create_dir_all(volume.join(&now)).expect("a folder can be made in a temporary one");
    symlink(&now, volume.join("..data_tmp")).expect("a link can be made");
    fs::rename(volume.join("..data_tmp"), volume.join("..data")).expect("a link can be swapped");
    let first = |name: &String| {
        name.split('/')
            .next()
            .expect("a path has a part")
            .to_owned()
    };
    let names: Vec<String> = files.keys().map(first).collect();
    for name in &names {
        if fs::symlink_metadata(volume.join(name)).is_err() {
            let link = symlink(Path::new("..data").join(name), volume.join(name));
            link.expect("a link can be made");
        }
    }
    for entry in fs::read_dir(volume).expect("a volume can be listed") {
        let name = entry.expect("an entry can be read").file_name();
        let name = name.to_string_lossy().into_owned();
        if !name.starts_with("..") && !names.contains(&name) {
            fs::remove_file(volume.join(name)).expect("a link can be removed");
        }
    }
    if let Some(before) = before {
        fs::remove_dir_all(volume.join(before)).expect("the old folder can be removed");
    }
}

fn write(file: &Path, text: &str, group: Option<u32>) {
    let folder = file.parent().expect("a file is in a folder");
    fs::create_dir_all(folder).expect("a folder can be made in a temporary one");
    fs::write(file, text).expect("a file can be written in a temporary folder");
    if group.is_some() {
        chown(file, None, group).expect("root may give files away");
        fs::set_permissions(file, fs::Permissions::from_mode(0o440)).expect("root may");
    }
}
