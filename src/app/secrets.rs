//! Files of secrets that cannot be read: they are read when a message is sent, and that one cannot be
//! should not come to light in the night.

use std::fs::File;

use crate::domain::slo::Catalog;

/// Logs whose secret cannot be read, of the receivers that are not as they were `before`.
pub(super) fn warn_of_missing(before: &Catalog, catalog: &Catalog) {
    for (receiver, sentence) in missing(before, catalog) {
        tracing::warn!(%receiver, "{sentence}");
    }
}

fn missing<'a>(
    before: &'a Catalog,
    catalog: &'a Catalog,
) -> impl Iterator<Item = (&'a str, String)> {
    let receivers = catalog.receivers.iter();
    let new = receivers.filter(|(name, receiver)| before.receivers.get(*name) != Some(receiver));
    new.filter_map(|(name, receiver)| {
        let path = receiver.channel.secret_file()?;
        let error = File::open(path).err()?;
        let sentence = format!(
            "receiver `{name}` could not be told now: its secret cannot be read from `{}` ({error}); put it there",
            path.display()
        );
        Some((name.as_str(), sentence))
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::definitions::{Options, read};

    fn catalog(receivers: &[(&str, &str)]) -> Catalog {
        let document = |(name, token): &(&str, &str)| {
            format!(
                "apiVersion: sloburn.dev/v1\nkind: Receiver\nmetadata: {{name: {name}}}\nspec: {{slack: {{channel: '#slo', tokenFile: {token}}}}}\n"
            )
        };
        let texts: Vec<String> = receivers.iter().map(document).collect();
        let names: Vec<&str> = receivers.iter().map(|(name, _)| *name).collect();
        let routing = format!(
            "apiVersion: sloburn.dev/v1\nkind: Routing\nmetadata: {{name: all}}\nspec: {{default: [{}]}}\n",
            names.join(", ")
        );
        let text = [texts.join("---\n"), routing].join("---\n");
        let (catalog, faults) = read(&[(PathBuf::from("a.yaml"), text)], &Options::default());
        catalog.unwrap_or_else(|| panic!("{}", faults.render_lines()))
    }

    #[test]
    fn a_receiver_is_warned_of_when_it_is_new_or_other_than_before() {
        let told = |before: &Catalog, now: &Catalog| {
            let missing = missing(before, now);
            missing.map(|(_, it)| it).collect::<Vec<_>>().join("\n")
        };
        let first = catalog(&[("slack", "/no/token"), ("there", "/dev/null")]);
        insta::assert_snapshot!(told(&Catalog::default(), &first), @"receiver `slack` could not be told now: its secret cannot be read from `/no/token` (No such file or directory (os error 2)); put it there");
        assert_eq!(told(&first, &first), "");
        let moved = catalog(&[("slack", "/no/other"), ("second", "/no/token")]);
        insta::assert_snapshot!(told(&first, &moved), @r"
        receiver `second` could not be told now: its secret cannot be read from `/no/token` (No such file or directory (os error 2)); put it there
        receiver `slack` could not be told now: its secret cannot be read from `/no/other` (No such file or directory (os error 2)); put it there
        ");
    }
}
