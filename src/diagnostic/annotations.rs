//! Faults as commands that a GitHub workflow shows beside the lines of a change.

use super::{Diagnostic, Diagnostics};

impl Diagnostics {
    /// Each fault as `::error file=…,line=…,col=…,title=SB0101::message; help`, one line each.
    pub fn render_annotations(&self) -> String {
        self.iter().map(|fault| annotation(fault) + "\n").collect()
    }
}

fn annotation(fault: &Diagnostic) -> String {
    let place = fault.place.as_ref().map(|place| {
        let file = property(&place.file.display().to_string());
        format!("file={file},line={},col={},", place.line, place.column)
    });
    let help = fault.help.as_ref().map(|help| format!("; {help}"));
    format!(
        "::{} {}title={}::{}{}",
        fault.severity.name(),
        place.unwrap_or_default(),
        property(fault.code),
        data(&fault.message),
        data(&help.unwrap_or_default())
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::super::Place;
    use super::*;

    #[test]
    fn whatever_could_end_a_command_is_escaped() {
        let place = Place::of(&Arc::from(Path::new("a,b:c.yaml")), "x\ny: 100%\n", 5..9);
        let faults: Diagnostics = [
            Diagnostic::error("SB0101", "100% promises\nnothing")
                .at(&place)
                .help("write 99.9%"),
            Diagnostic::warning("SB0202", "no place"),
        ]
        .into_iter()
        .collect();
        insta::assert_snapshot!(faults.render_annotations(), @r"
        ::warning title=SB0202::no place
        ::error file=a%2Cb%3Ac.yaml,line=2,col=4,title=SB0101::100%25 promises%0Anothing; write 99.9%25
        ");
    }
}
