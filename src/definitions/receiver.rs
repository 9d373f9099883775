//! `Receiver`: how somebody is reached. Secrets are files, never values.

use std::path::PathBuf;

use crate::diagnostic::Diagnostic;
use crate::domain::route::{Channel, Receiver};

use super::codes;
use super::fields::{Fields, names};
use super::node::{Faults, Located, Node};
use super::values;

const SLACK_API: &str = "https://slack.com/api";

/// Reads the `spec` of the receiver called `name`.
pub(super) fn receiver(name: &str, spec: &Node, faults: &Faults) -> Option<Receiver> {
    let known = ["slack", "webhook", "alertmanager", "timeZone"];
    let fields = Fields::of(spec, "the spec of a receiver", &known, faults)?;
    let zone = fields.parse("timeZone", codes::TIME_ZONE, values::time_zone);
    let entry = fields.one_of(&["slack", "webhook", "alertmanager"], "a way to be reached")?;
    let channel = match entry.key.as_str() {
        "slack" => slack(&entry.node, faults),
        "webhook" => webhook(&entry.node, faults),
        _ => alertmanager(&entry.node, faults),
    };
    Some(Receiver {
        name: name.to_owned(),
        channel: channel?,
        time_zone: zone.map_or_else(|| "UTC".to_owned(), |zone| zone.value),
    })
}

fn slack(node: &Node, faults: &Faults) -> Option<Channel> {
    let known = [
        "channel",
        "tokenFile",
        "webhookUrlFile",
        "mention",
        "apiUrl",
    ];
    let fields = Fields::of(node, "`slack`", &known, faults)?;
    let mention = fields.text("mention").map(|mention| mention.value);
    let entry = fields.one_of(&["tokenFile", "webhookUrlFile"], "a secret")?;
    let secret = path(&fields, &entry.key);
    if entry.key == "webhookUrlFile" {
        for key in ["channel", "apiUrl"] {
            if let Some(extra) = fields.text(key) {
                faults.add(
                    Diagnostic::error(codes::CHOICE, format!("`{key}` has no meaning beside `webhookUrlFile`"))
                        .at(&extra.place)
                        .help("remove it, or use `tokenFile`: an incoming webhook posts where it was made for"),
                );
            }
        }
        return Some(Channel::SlackWebhook {
            url_file: secret?,
            mention,
        });
    }
    let channel = fields.need_parsed(
        "channel",
        "channel: \"#alerts\", in quotes",
        codes::NAME,
        channel_name,
    );
    let api_url = fields.text("apiUrl");
    if let Some(url) = api_url
        .as_ref()
        .filter(|url| values::is_in_the_clear(&url.value))
    {
        faults.add(
            Diagnostic::warning(
                codes::IN_THE_CLEAR,
                "the token goes to `apiUrl` in the clear",
            )
            .at(&url.place)
            .help("write https://"),
        );
    }
    let api_url = api_url.and_then(|url| checked(&url, "apiUrl", faults));
    Some(Channel::SlackBot {
        channel: channel?.value,
        token_file: secret?,
        mention,
        api_url: api_url.map_or_else(|| SLACK_API.to_owned(), base),
    })
}

fn channel_name(text: &str) -> Result<String, String> {
    let is_id = text.starts_with(['C', 'G', 'D'])
        && text.len() >= 9
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let is_name = text.strip_prefix('#').is_some_and(|name| {
        !name.is_empty() && !name.contains(|char: char| char.is_whitespace() || char.is_uppercase())
    });
    if is_id || is_name {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is not a channel; write \"#alerts\", in quotes, or its id, as in C0123456789"
        ))
    }
}

fn webhook(node: &Node, faults: &Faults) -> Option<Channel> {
    let fields = Fields::of(node, "`webhook`", &["url", "secretFile"], faults)?;
    fields.need("url", "url: https://example.com/hooks/slo");
    let url = address(&fields, "url");
    let secret_file = path(&fields, "secretFile");
    Some(Channel::Webhook {
        url: url?,
        secret_file,
    })
}

fn alertmanager(node: &Node, faults: &Faults) -> Option<Channel> {
    let fields = Fields::of(node, "`alertmanager`", &["urls"], faults)?;
    fields.need("urls", "urls: [http://alertmanager:9093]");
    let urls = fields.get("urls").map(|node| names(node, "urls", faults))?;
    let urls: Vec<String> = urls
        .iter()
        .filter_map(|url| checked(url, "urls", faults))
        .map(base)
        .collect();
    Some(Channel::Alertmanager { urls })
}

fn path(fields: &Fields<'_>, key: &str) -> Option<PathBuf> {
    let text = fields.text(key)?;
    // A secret pasted in place of its file's path is the mistake that must not go unseen.
    let is_secret = ["xoxb-", "xoxp-", "xapp-", "https://", "whsec_"]
        .iter()
        .any(|start| text.value.starts_with(start));
    if is_secret {
        fields.faults.add(
            Diagnostic::error(codes::SECRET, format!("`{key}` holds a secret instead of a file's path"))
                .at(&text.place)
                .hiding(&text.place)
                .help("put the secret into a file of its own, write that file's path here, and replace the secret, which others may have seen"),
        );
        return None;
    }
    Some(PathBuf::from(text.value))
}

/// An address to which paths are added.
fn base(url: String) -> String {
    match url.strip_suffix('/') {
        Some(base) => base.to_owned(),
        None => url,
    }
}

fn address(fields: &Fields<'_>, key: &str) -> Option<String> {
    checked(&fields.text(key)?, key, fields.faults)
}

fn checked(url: &Located<String>, key: &str, faults: &Faults) -> Option<String> {
    if values::is_secret_url(&url.value) {
        faults.add(
            Diagnostic::error(codes::SECRET, format!("the address in `{key}` is a secret and must not stand in this file"))
                .at(&url.place).hiding(&url.place).help("for an incoming webhook of Slack write slack: {webhookUrlFile: …} with the path of a file that holds it; remove a user or a password"),
        );
        return None;
    }
    match values::url(&url.value) {
        Ok(url) => Some(url),
        Err(sentence) => {
            faults.add(Diagnostic::error(codes::URL, sentence).at(&url.place));
            None
        }
    }
}
