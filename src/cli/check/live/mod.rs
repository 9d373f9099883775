//! `sloburn check --live`: what the sources hold of what is defined, and what the numbers are now.

mod metric;
mod numbers;
mod series;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::app;
use crate::cli::status::table::{aligned, coverage, left, measured, printable, reasons};
use crate::cli::{Streams, past};
use crate::config::Config;
use crate::definitions::{AllWritten, Written, codes};
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::slo::{Catalog, Slo, SloId};
use crate::status::freshness::Freshness;
use crate::status::query::SloQuery;
use crate::status::snapshot::{SloStatus, Snapshot};
use crate::status::survey::{Survey, Unread};
use crate::status::view::list::ListView;
use crate::status::view::slo::SloView;

/// So many objectives are named where all suffer from the same.
const NAMED: usize = 3;

/// What came of asking the sources.
pub(super) struct Looked {
    /// What does not fit.
    pub(super) faults: Vec<Diagnostic>,
    /// The numbers of the objectives that could be measured, the worst first; `None` when none could.
    pub(super) list: Option<ListView<SloView>>,
    /// Promises of whose measurement the faults tell.
    told: BTreeSet<String>,
}

/// Asks the sources of `config` for all that `catalog` defines.
pub(super) async fn look(
    config: &Config,
    (catalog, written): (&Catalog, &AllWritten),
    streams: &mut Streams<'_>,
) -> anyhow::Result<Looked> {
    let survey = app::survey(config, catalog).await?;
    let mut faults = unread(catalog, written, &survey);
    let counted = measurable(config, catalog, &survey);
    let (err, progress) = (&mut *streams.err, streams.progress);
    let mut snapshot = None;
    if !counted.slos.is_empty() {
        let evaluated = app::oneshot(config, counted, None, |source, backfill| {
            past::tell(err, progress, source, backfill);
        });
        match evaluated.await {
            Ok(reading) => snapshot = Some(reading.snapshot),
            Err(error) => faults.push(Diagnostic::error(codes::UNREAD, format!("{error:#}"))),
        }
    }
    let snapshot = snapshot.as_deref();
    let mut statuses: BTreeMap<&SloId, Vec<&SloStatus>> = BTreeMap::new();
    for status in snapshot.iter().flat_map(|snapshot| &snapshot.slos) {
        statuses.entry(&status.slo.uid).or_default().push(status);
    }
    let mut objectives: BTreeMap<&SloId, Vec<Target<'_>>> = BTreeMap::new();
    for (uid, slo) in &catalog.slos {
        if let Some(written) = written.get(uid) {
            let statuses = statuses.remove(uid).unwrap_or_default();
            let targets = objectives.entry(&slo.counted_as).or_default();
            targets.push(Target {
                slo,
                statuses,
                written,
            });
        }
    }
    let mut told = BTreeSet::new();
    for targets in objectives.values() {
        let measured = measured_badly(targets, &survey);
        if !measured.is_empty() {
            told.extend(targets.iter().map(|target| target.slo.uid.to_string()));
        }
        faults.extend(measured);
        for target in targets {
            faults.extend(numbers::too_fine(&target.statuses, target.written));
        }
    }
    let list = snapshot.map(list);
    Ok(Looked { faults, list, told })
}

/// One promise of an objective, its instances as they were counted, and where it is written.
struct Target<'a> {
    slo: &'a Slo,
    statuses: Vec<&'a SloStatus>,
    written: &'a Written,
}

/// Everything that does not fit of what is counted for one objective, once for all of its promises.
fn measured_badly(targets: &[Target<'_>], survey: &Survey) -> Vec<Diagnostic> {
    let Some(Target {
        slo,
        statuses,
        written,
    }) = targets.first()
    else {
        return Vec::new();
    };
    let findings = survey.findings.get(&slo.counted_as);
    let seen = statuses.iter().map(|status| status.bad_series_ever_seen);
    let was_bad = seen.reduce(|one, other| one || other);
    let findings = findings.into_iter().flatten();
    let told = findings.filter_map(|finding| series::told(slo, finding, was_bad, written));
    let mut faults: Vec<Diagnostic> = told.collect();
    if faults.is_empty() {
        faults.extend(numbers::unmeasured(statuses, written));
    }
    // Where there is no total, everything is more than that; and that selectors do not fit shows in the numbers, too.
    let explains = |fault: &Diagnostic| match fault.code {
        codes::OUTSIDE => fault.severity == Severity::Error,
        code => matches!(code, codes::NO_SERIES | codes::OTHER_KIND),
    };
    if !faults.iter().any(explains) {
        faults.extend(numbers::beyond(statuses, written));
    }
    faults
}

/// What could not be read: once a source, and of an expression that alone is at fault, at its place.
fn unread(catalog: &Catalog, written: &AllWritten, survey: &Survey) -> Vec<Diagnostic> {
    let told = |unread: &Unread| {
        let fault = Diagnostic::error(codes::UNREAD, &unread.reason);
        if let Some((slo, role)) = &unread.expression
            && let Some(written) = written.get(slo)
        {
            return written.at_part(fault, series::keys(*role), 0);
        }
        let own = |uid: &&SloId| {
            let slo = catalog.slos.get(*uid);
            slo.is_some_and(|slo| slo.source == unread.source)
        };
        let blind: BTreeSet<&SloId> = survey.blind.iter().filter(own).collect();
        let named: Vec<&str> = blind.iter().map(|it| it.as_str()).take(NAMED).collect();
        let more = blind.len() - named.len();
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        fault.help(format!(
            "nothing could be looked at of {}{more}",
            named.join(", ")
        ))
    };
    survey.unread.iter().map(told).collect()
}

/// What can be counted now: what could be read, and has a past to be read.
fn measurable(config: &Config, catalog: &Catalog, survey: &Survey) -> Catalog {
    let mut counted = catalog.clone();
    counted
        .slos
        .retain(|uid, slo| !survey.blind.contains(uid) && !config.is_scraped(slo.source.as_str()));
    counted
}

fn list(snapshot: &Snapshot) -> ListView<SloView> {
    let now = snapshot.at.unwrap_or_default();
    SloQuery::all(snapshot, Freshness::of(snapshot, now))
}

const HEADER: [&str; 7] = [
    "SLO",
    "OBJECTIVE",
    "WINDOW",
    "GOOD",
    "BUDGET LEFT",
    "COVERAGE",
    "MEASURED",
];

impl Looked {
    /// A line for each objective with its numbers, and why what is not measured is not, unless a fault
    /// says so; empty where nothing was measured.
    pub(super) fn table(&self) -> String {
        let untold = |slo: &&SloView| !self.told.contains(&slo.uid);
        self.list.as_ref().map_or_else(String::new, |list| {
            let untold = list.items.iter().filter(untold);
            table(list) + &reasons(untold) + "\n"
        })
    }
}

/// A line for each objective with its numbers.
fn table(list: &ListView<SloView>) -> String {
    let row = |slo: &SloView| {
        [
            printable(&slo.id),
            format!("{}%", slo.objective_percent),
            slo.window.length.clone(),
            good(slo),
            left(slo),
            coverage(slo.window.coverage),
            measured(slo),
        ]
    };
    let rows: Vec<[String; 7]> = list.items.iter().map(row).collect();
    let at = list.at.map(|at| at.0.to_string()).unwrap_or_default();
    format!("As of {at}:\n\n{}", aligned(HEADER, &rows))
}

/// The share that was good, rounded down: what is shown as 100 % had nothing bad in it.
fn good(slo: &SloView) -> String {
    let (bad, total) = (slo.window.bad.0, slo.window.total.0);
    // More bad than there is at all is told as a fault.
    if total <= 0.0 || bad > total {
        return "unknown".to_owned();
    }
    let parts = ((total - bad) * 1_000_000.0 / total).floor();
    format!("{}%", parts / 10_000.0)
}
