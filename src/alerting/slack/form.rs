//! A message in Slack's form: blocks of mrkdwn within Slack's limits, nothing in them from others taken as markup.

use serde_json::{Value, json};

use crate::alerting::text::{Line, Message, Part};

/// The most that a section may hold.
const SECTION: usize = 3_000;
/// The most that all text of a message may hold; Slack refuses somewhere above.
const WHOLE: usize = 9_500;
/// The most that the plain form may hold.
const PLAIN: usize = 3_500;
/// The most that one part of a line may take of all this.
const PART: usize = 1_000;

/// A message in Slack's form.
#[derive(Clone, Debug)]
pub struct Form {
    /// What notifications show, and the whole message in the plain form.
    pub text: String,
    /// The blocks; empty in the plain form.
    pub blocks: Vec<Value>,
}

impl Form {
    /// The full form. `mention` is in Slack's own words and stands as it is.
    pub fn full(message: &Message, mention: Option<&str>) -> Self {
        let mention = mention.map_or_else(String::new, |mention| format!("  {mention}"));
        let title = escaped(&message.title, SECTION - 200);
        let footer = escaped(&message.footer, PART);
        let mut left = WHOLE.saturating_sub(length(&title) + length(&footer) + length(&mention));
        let mut sections: Vec<String> = Vec::new();
        for line in message.lines.iter().map(mrkdwn) {
            if length(&line) + 1 > left {
                sections.push("…".to_owned());
                break;
            }
            left -= length(&line) + 1;
            match sections.last_mut() {
                Some(last) if length(last) + 1 + length(&line) <= SECTION => {
                    last.push('\n');
                    last.push_str(&line);
                }
                _ => sections.push(line),
            }
        }
        // `@name` is only looked up where Slack is left to look for names.
        let mut blocks = vec![json!({
            "type": "section",
            "text": {"type": "mrkdwn", "text": format!("*{title}*{mention}"), "verbatim": false},
        })];
        blocks.extend(sections.into_iter().map(|text| {
            json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}})
        }));
        blocks.push(json!({
            "type": "context",
            "elements": [{"type": "mrkdwn", "text": footer, "verbatim": true}],
        }));
        Self {
            text: format!("{title}{mention}"),
            blocks,
        }
    }

    /// The message as text alone, for a Slack that does not take its blocks.
    pub(super) fn plain(message: &Message, mention: Option<&str>) -> Self {
        let mention = mention.map_or_else(String::new, |mention| format!("  {mention}"));
        let rest = format!("{}\n{}", message.body(), message.footer);
        Self {
            text: format!(
                "{}{mention}\n{}",
                escaped(&message.title, PART),
                escaped(&rest, PLAIN - PART)
            ),
            blocks: Vec::new(),
        }
    }

    /// One line in the incident's thread.
    pub(super) fn history(message: &Message) -> Self {
        Self {
            text: escaped(&message.history, PLAIN),
            blocks: Vec::new(),
        }
    }
}

fn mrkdwn(line: &Line) -> String {
    let parts: Vec<String> = line
        .parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => escaped(text, PART),
            Part::Link { text, url } => {
                link(text, url).unwrap_or_else(|| format!("{text} {}", escaped(url, PART)))
            }
        })
        .collect();
    let text = format!("*{}*  {}", line.label, parts.join(" · "));
    if length(&text) <= SECTION {
        text
    } else {
        format!("*{}*  …", line.label)
    }
}

/// A link, when `url` is one to a page and short enough to be kept whole.
fn link(text: &str, url: &str) -> Option<String> {
    let page = url.starts_with("https://") || url.starts_with("http://");
    let clean = url.chars().all(|c| !c.is_control() && !c.is_whitespace());
    if !page || !clean || length(url) > PART {
        return None;
    }
    let url = url
        .replace('&', "&amp;")
        .replace('<', "%3C")
        .replace('>', "%3E")
        .replace('|', "%7C");
    Some(format!("<{url}|{text}>"))
}

/// `text` with nothing in it that Slack takes as markup or as a call to everybody, at most `limit` long; what is cut
/// off is shown by `…`.
fn escaped(text: &str, limit: usize) -> String {
    let (mut out, mut used) = (String::new(), 0);
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        let escaped = match next {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '>' => "&gt;".to_owned(),
            // A word joiner, so that it is read the same and rings nobody.
            '@' if calls_everybody(rest.as_str()) => "@\u{2060}".to_owned(),
            other => other.to_string(),
        };
        used += length(&escaped);
        // One is kept for the ellipsis, unless nothing is left to cut off.
        if used > limit || (used == limit && !rest.as_str().is_empty()) {
            out.push('…');
            break;
        }
        out.push_str(&escaped);
    }
    out
}

fn calls_everybody(after_at: &str) -> bool {
    ["here", "channel", "everyone", "group"].iter().any(|name| {
        after_at
            .get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    })
}

/// The length as Slack may count it: at least the number of characters.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use crate::alerting::sample;
    use crate::alerting::text::message;
    use crate::domain::incident::{Change, CloseReason};
    use crate::domain::notice::{Facts, Notice};

    use super::*;

    fn form(notice: &Notice) -> Form {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        Form::full(&message(notice, &zone, notice.at), Some("<!subteam^S0123>"))
    }

    fn shown(form: &Form) -> String {
        let texts = form.blocks.iter().map(|block| {
            let text = block["text"]["text"].as_str();
            text.or(block["elements"][0]["text"].as_str())
                .unwrap()
                .to_owned()
        });
        texts.collect::<Vec<_>>().join("\n--\n")
    }

    #[test]
    fn a_page_in_slacks_form() {
        insta::assert_snapshot!(shown(&form(&sample::opened())), @r"
    *🔴 PAGE checkout/availability: 20.0 % of requests fail (0.1 % allowed)*  <!subteam^S0123>
    --
    *Promise*  Card payments succeed · 99.9 % over 30 d · owner payments
    *Speed*  5m: 954 of 4,769 = 200× · 1h: 954 of 57,223 = 16.7× (pages above 14.4×)
    *Budget*  68.7 % left (was 71.0 %) · empty in 2 h 28 min at the 5m pace
    *Since*  02:31 CET, rising ▁▂▆▇ · coverage 100 %
    *Where*  code=503 94 % · route=/pay 81 % · pods even (12)
    *Do*  <https://runbooks.example.com/checkout|Runbook> · <https://slo.example.com/slos/checkout/availability|Details>
    --
    tick 2026-11-23T01:36:00Z · incident 7f3a09c2d1e44b10 · 1
    ");
    }

    #[test]
    fn groups_that_are_not_watched_in_slacks_form() {
        let mut notice = sample::refused(Change::Opened);
        if let Facts::Refused(facts) = &mut notice.facts {
            facts.some = vec![r#"{route="<!channel> & @here"}"#.to_owned()];
        }
        insta::assert_snapshot!(shown(&form(&notice)).replace('\u{2060}', "_"), @r#"
        *🟠 NOT WATCHED 497 groups of checkout/availability since 03:02 CET; not known to be failing*  <!subteam^S0123>
        --
        *Cause*  grouped by route · 200 watched · maxGroups 200
        *Refused*  {route="&lt;!channel&gt; &amp; @_here"}, +496
        *Blind*  no alert can fire for them; they count towards the whole
        *Held*  groups that are watched, their budgets and their alerts
        *Next*  raise maxGroups, narrow the selector, or group by a label with fewer values · <https://slo.example.com/slos/checkout/availability|Details>
        --
        tick 2026-11-23T02:12:00Z · incident 0c20bded00000200 · 1
        "#);
        let closed = sample::refused(Change::Closed(CloseReason::Recovered));
        insta::assert_snapshot!(shown(&form(&closed)), @r#"
        *🟢 WATCHING ALL groups of checkout/availability · since 03:12 CET*  <!subteam^S0123>
        --
        *Lasted*  03:02–03:12 (10 min)
        *Refused*  497 groups when it was told · {route="/a"}, {route="/b"}, {route="/c"}, {route="/d"}, {route="/e"}, +492
        *Groups*  200 watched · maxGroups 200
        --
        tick 2026-11-23T02:12:00Z · incident 0c20bded00000200 · 2
        "#);
    }

    #[test]
    fn names_written_by_others_ring_nobody_and_form_nothing() {
        let mut notice = sample::opened();
        if let Facts::Burn(facts) = &mut notice.facts {
            facts.slo.service = "<!channel> & @here".into();
            facts.slo.owner = Some("<https://evil.example|ana@example.com> @Everyone".into());
            facts.slo.runbook = Some("https://x.example/a|b>c<d&e".into());
            facts.details = Some("javascript:alert(1)".into());
        }
        insta::assert_snapshot!(shown(&form(&notice)).replace('\u{2060}', "_"), @r"
    *🔴 PAGE &lt;!channel&gt; &amp; @_here/availability: 20.0 % of requests fail (0.1 % allowed)*  <!subteam^S0123>
    --
    *Promise*  Card payments succeed · 99.9 % over 30 d · owner &lt;https://evil.example|ana@example.com&gt; @_Everyone
    *Speed*  5m: 954 of 4,769 = 200× · 1h: 954 of 57,223 = 16.7× (pages above 14.4×)
    *Budget*  68.7 % left (was 71.0 %) · empty in 2 h 28 min at the 5m pace
    *Since*  02:31 CET, rising ▁▂▆▇ · coverage 100 %
    *Where*  code=503 94 % · route=/pay 81 % · pods even (12)
    *Do*  <https://x.example/a%7Cb%3Ec%3Cd&amp;e|Runbook> · Details javascript:alert(1)
    --
    tick 2026-11-23T01:36:00Z · incident 7f3a09c2d1e44b10 · 1
    ");
    }

    #[test]
    fn whatever_is_written_stays_within_slacks_limits() {
        for text in ["<", "é", "🔥", "@here ", "x"] {
            let long = text.repeat(20_000);
            let mut notice = sample::opened();
            if let Facts::Burn(facts) = &mut notice.facts {
                facts.slo.service.clone_from(&long);
                facts.slo.description = Some(long.clone());
                facts.slo.owner = Some(long.clone());
                facts.slo.runbook = Some(format!("https://x.example/{long}"));
                facts.details = Some(long.clone());
            }
            let form = form(&notice);
            assert!(form.blocks.len() <= 50);
            let texts: Vec<usize> = shown(&form).split("\n--\n").map(length).collect();
            assert!(texts.iter().all(|length| *length <= SECTION), "{texts:?}");
            assert!(texts.iter().sum::<usize>() < 10_000, "{texts:?}");
            let zone = TimeZone::UTC;
            let plain = Form::plain(&message(&notice, &zone, notice.at), None);
            assert!(length(&plain.text) < 4_000);
        }
        let mut message = message(&sample::opened(), &TimeZone::UTC, sample::opened().at);
        let line = message.lines[0].clone();
        message.lines = vec![line; 500];
        let form = Form::full(&message, Some(&"@".repeat(20_000)));
        assert_eq!(form.blocks.len(), 3, "nothing but the title fits");
        let form = Form::full(&message, None);
        assert!(length(&shown(&form)) < 10_000 && shown(&form).contains("\n…"));
        assert_eq!(escaped("abc", 3), "abc");
        assert_eq!(escaped("abcd", 3), "ab…");
        assert_eq!(escaped("a&b", 4), "a…");
    }
}
