//! `sloburn config`: the daemon's own settings, and where each came from.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::{Subcommand, ValueEnum};
use serde_json::json;

use crate::config::{self, Config, Flags, Setting, Value};

use super::Exit;

/// Arguments of `config`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print what is in force: defaults, file, environment and flags
    ///
    /// Each value is followed by where it came from: `default`, a line of the file, a variable or a flag. Values that look
    /// like secrets are masked. But for those, what is printed is a configuration file again.
    #[command(after_long_help = variables())]
    Print {
        /// As a configuration file, or for programs
        #[arg(long, value_enum, default_value_t = Format::Yaml)]
        format: Format,
        #[command(flatten)]
        flags: Flags,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Yaml,
    Json,
}

/// Which variable sets what, for `--help`.
pub(super) fn variables() -> String {
    let lines = config::variables()
        .into_iter()
        .map(|(variable, key)| format!("  {variable:<37} {key}"));
    std::iter::once("Variables (lists and pairs parted by commas):".to_owned())
        .chain(lines)
        .collect::<Vec<_>>()
        .join(
            "
",
        )
}

const MASK: &str = "********";

pub(super) fn run(
    args: &Args,
    environment: &BTreeMap<String, String>,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let Command::Print { format, flags } = &args.command;
    let config = Config::load(flags, environment)?;
    match format {
        Format::Yaml => print_yaml(&config, out)?,
        Format::Json => print_json(&config, out)?,
    }
    Ok(Exit::Good)
}

fn print_yaml(config: &Config, out: &mut dyn Write) -> io::Result<()> {
    match config.file() {
        Some(file) => writeln!(out, "# In force, with {} as the file.", file.display())?,
        None => writeln!(out, "# In force; no configuration file was read.")?,
    }
    for name in config.unread_variables() {
        writeln!(out, "# Nothing reads the variable {name}.")?;
    }
    for warning in config.warnings().render_lines().lines() {
        writeln!(out, "# {warning}")?;
    }
    let mut above: &[String] = &[];
    for setting in config.settings() {
        let Some((name, section)) = setting.path.split_last() else {
            continue;
        };
        let shared = above
            .iter()
            .zip(section)
            .take_while(|(one, other)| one == other)
            .count();
        for (depth, part) in section.iter().enumerate().skip(shared) {
            // A section of which nothing is set would be one without a value.
            let below = section.get(..=depth).unwrap_or_default();
            let mut settings = config.settings().iter();
            let says = settings.any(|it| it.path.starts_with(below) && value(it).is_some());
            let mark = if says { "" } else { "# " };
            writeln!(out, "{}{mark}{}:", indent(depth), scalar(part))?;
        }
        above = section;
        let (indent, name) = (indent(section.len()), scalar(name));
        match value(setting) {
            Some(value) => writeln!(out, "{indent}{name}: {value}  # {}", setting.origin)?,
            None => writeln!(out, "{indent}# {name} is not set")?,
        }
    }
    Ok(())
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

fn value(setting: &Setting) -> Option<String> {
    match &setting.value {
        Value::Unset => None,
        Value::Text(text) => Some(scalar(text)),
        Value::List(texts) => Some(format!(
            "[{}]",
            texts
                .iter()
                .map(|text| element(text))
                .collect::<Vec<_>>()
                .join(", ")
        )),
        // JSON on one line is YAML as well.
        Value::Objects(objects) => Some(json!(objects).to_string()),
        Value::Secret => Some(format!("'{MASK}'")),
    }
}

/// `text` as YAML on one line. Numbers stay bare, since every value is read as text first.
fn scalar(text: &str) -> String {
    if text.parse::<u64>().is_ok() {
        return text.to_owned();
    }
    match serde_yaml::to_string(text) {
        Ok(yaml) if yaml.trim_end().lines().count() == 1 => yaml.trim_end().to_owned(),
        _ => json!(text).to_string(),
    }
}

/// `text` within brackets, where commas and brackets part the elements.
fn element(text: &str) -> String {
    if text.contains([',', '[', ']', '{', '}']) {
        json!(text).to_string()
    } else {
        scalar(text)
    }
}

fn print_json(config: &Config, out: &mut dyn Write) -> anyhow::Result<()> {
    let settings: Vec<_> = config.settings().iter().map(object).collect();
    let object = json!({"file": config.file(), "settings": settings});
    serde_json::to_writer_pretty(&mut *out, &object)?;
    writeln!(out)?;
    Ok(())
}

fn object(setting: &Setting) -> serde_json::Value {
    let value = match &setting.value {
        Value::Unset => json!(null),
        Value::Text(text) => json!(text),
        Value::List(texts) => json!(texts),
        Value::Objects(objects) => json!(objects),
        Value::Secret => json!(MASK),
    };
    let masked = setting.value == Value::Secret;
    json!({"key": setting.path, "value": value, "masked": masked, "from": setting.origin.to_string()})
}
