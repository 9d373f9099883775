//! Faults as JSON, for editors, CI and the API.

use serde::Serialize;

use super::{Diagnostic, Diagnostics, Place};

impl Diagnostics {
    /// An array of objects with `code`, `severity`, `file`, `line`, `column`, `start`, `end` (bytes),
    /// `message`, `label`, `help` and `related`; what is unknown is `null`.
    pub fn to_json(&self) -> serde_json::Value {
        self.iter()
            .map(|fault| serde_json::json!(DiagnosticJson::of(fault)))
            .collect()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DiagnosticJson<'a> {
    code: &'a str,
    severity: &'a str,
    #[serde(flatten)]
    place: PlaceJson,
    message: &'a str,
    label: Option<&'a str>,
    help: Option<&'a str>,
    related: Option<RelatedJson<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RelatedJson<'a> {
    #[serde(flatten)]
    place: PlaceJson,
    message: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PlaceJson {
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    start: Option<usize>,
    end: Option<usize>,
}

impl<'a> DiagnosticJson<'a> {
    fn of(fault: &'a Diagnostic) -> Self {
        Self {
            code: fault.code,
            severity: fault.severity.name(),
            place: PlaceJson::of(fault.place.as_ref()),
            message: &fault.message,
            label: fault.label.as_deref(),
            help: fault.help.as_deref(),
            related: fault.related.as_ref().map(|(place, message)| RelatedJson {
                place: PlaceJson::of(Some(place)),
                message,
            }),
        }
    }
}

impl PlaceJson {
    fn of(place: Option<&Place>) -> Self {
        Self {
            file: place.map(|place| place.file.display().to_string()),
            line: place.map(|place| place.line),
            column: place.map(|place| place.column),
            start: place.map(|place| place.span.start),
            end: place.map(|place| place.span.end),
        }
    }
}
