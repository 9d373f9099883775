//! Objectives: filtered, sorted, page by page.

use crate::status::freshness::Freshness;
use crate::status::names::{Alert, Compliance, Measured, Named, SignalName};
use crate::status::page::{Paging, Place, rank};
use crate::status::snapshot::{SloStatus, Snapshot};
use crate::status::view::list::ListView;
use crate::status::view::slo::SloView;

use super::parameters::{LABEL, Parameters, QueryError};

/// In which order objectives are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sort {
    /// The loudest alert first, then broken promises, then the least budget.
    #[default]
    Worst,
    /// By id.
    Name,
    /// The least budget first, unknown ones last.
    Budget,
}

impl Named for Sort {
    const ALL: &'static [Self] = &[Self::Worst, Self::Name, Self::Budget];

    fn name(self) -> &'static str {
        match self {
            Self::Worst => "worst",
            Self::Name => "name",
            Self::Budget => "budget",
        }
    }
}

impl Sort {
    fn place(self, status: &SloStatus) -> Place<'_> {
        let budget = rank(status.budget.map(|budget| budget.remaining()));
        let ranks = match self {
            Self::Worst => [
                -(Alert::from(status.alert) as i64),
                -(Compliance::of(status) as i64),
                budget,
            ],
            Self::Name => [0; 3],
            Self::Budget => [budget, 0, 0],
        };
        let id = &status.id;
        Place { ranks, id }
    }
}

/// Which objectives, in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SloQuery {
    service: Option<String>,
    signal: Option<SignalName>,
    alert: Option<Alert>,
    compliance: Option<Compliance>,
    outcome: Option<Measured>,
    search: Option<String>,
    labels: Vec<(String, String)>,
    sort: Sort,
    paging: Paging,
}

impl SloQuery {
    /// Reads the parameters of a request.
    pub fn read(pairs: Vec<(String, String)>) -> Result<Self, QueryError> {
        let allowed = [
            "service",
            "signal",
            "alert",
            "compliance",
            "outcome",
            "search",
            "label.NAME",
            "sort",
            "limit",
            "cursor",
        ];
        let mut given = Parameters::read(pairs, &allowed)?;
        let sort = given.one_of("sort")?.unwrap_or_default();
        let paging = given.paging(Sort::name(sort))?;
        Ok(Self {
            service: given.0.remove("service"),
            signal: given.one_of("signal")?,
            alert: given.one_of("alert")?,
            compliance: given.one_of("compliance")?,
            outcome: given.one_of("outcome")?,
            search: given.0.remove("search").map(|text| text.to_lowercase()),
            labels: given
                .0
                .into_iter()
                .filter_map(|(name, value)| Some((name.strip_prefix(LABEL)?.to_owned(), value)))
                .collect(),
            sort,
            paging,
        })
    }

    /// The page that was asked for.
    pub fn list(&self, snapshot: &Snapshot, freshness: Freshness) -> ListView<SloView> {
        let wanted = snapshot.slos.iter().filter(|slo| self.wants(slo));
        let places = wanted.map(|slo| (self.sort.place(slo), slo)).collect();
        let (page, next) = self.paging.cut(self.sort.name(), places);
        let items = page.into_iter().map(|slo| SloView::of(slo)).collect();
        ListView::new(freshness, items, next)
    }

    /// All objectives at once, the worst first.
    pub fn all(snapshot: &Snapshot, freshness: Freshness) -> ListView<SloView> {
        let mut slos: Vec<_> = snapshot.slos.iter().map(AsRef::as_ref).collect();
        slos.sort_by(|one, other| Sort::Worst.place(one).cmp(&Sort::Worst.place(other)));
        let items = slos.into_iter().map(SloView::of).collect();
        ListView::new(freshness, items, None)
    }

    fn wants(&self, status: &SloStatus) -> bool {
        fn is<T: PartialEq>(wanted: Option<&T>, value: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == value)
        }
        let slo = &status.slo;
        let label = |name: &str| {
            let own = slo.labels.get(name).map(String::as_str);
            own.unwrap_or_else(|| status.group.get(name))
        };
        is(self.service.as_ref(), &slo.service)
            && is(self.signal.as_ref(), &slo.signal().into())
            && is(self.alert.as_ref(), &status.alert.into())
            && is(self.compliance.as_ref(), &Compliance::of(status))
            && is(self.outcome.as_ref(), &status.measurement.outcome.into())
            && self
                .search
                .as_ref()
                .is_none_or(|text| mentions(status, text))
            && self.labels.iter().all(|(name, value)| label(name) == value)
    }
}

/// Whether a name, the words or a label of `status` hold `text`, which is in lower case.
fn mentions(status: &SloStatus, text: &str) -> bool {
    let slo = &status.slo;
    let words = [
        Some(&status.id),
        slo.description.as_ref(),
        slo.owner.as_ref(),
    ];
    let holds = |words: &String| words.to_lowercase().contains(text);
    words.into_iter().flatten().any(holds)
        || slo
            .labels
            .iter()
            .any(|(name, value)| holds(&format!("{name}={value}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::fixture::{self, pairs};

    fn ids(query: &str) -> String {
        let snapshot = fixture::snapshot();
        let freshness = Freshness::of(&snapshot, fixture::NOW);
        let query = SloQuery::read(pairs(query)).unwrap();
        let list = query.list(&snapshot, freshness);
        list.items
            .into_iter()
            .map(|slo| slo.id)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn objectives_are_filtered_and_sorted() {
        let table = [
            "service=cart",
            "signal=traffic",
            "alert=page",
            "alert=none&service=checkout",
            "compliance=breached",
            "compliance=unknown",
            "outcome=failed",
            "outcome=noTraffic",
            "label.team=payments",
            "label.team=payments&signal=latency",
            "label.route=/pay",
            "label.team=nobody",
            "search=PAY",
            "search=team=pay&alert=page",
            "service=nobody",
            "sort=name&limit=3",
            "sort=budget&limit=3",
            "limit=4",
        ]
        .map(|query| format!("{query:<36} {}", ids(query)).trim_end().to_owned())
        .join("\n");
        insta::assert_snapshot!(table, @r#"
        service=cart                         cart/availability cart/throughput
        signal=traffic                       cart/throughput
        alert=page                           checkout/latency
        alert=none&service=checkout          checkout/availability
        compliance=breached                  cart/availability mail/delivery
        compliance=unknown                   search/availability
        outcome=failed                       search/latency
        outcome=noTraffic                    cart/throughput
        label.team=payments                  checkout/latency checkout/availability
        label.team=payments&signal=latency   checkout/latency
        label.route=/pay                     mail/availability{note="a\nb",route="/pay"}
        label.team=nobody
        search=PAY                           checkout/latency checkout/availability mail/availability{note="a\nb",route="/pay"}
        search=team=pay&alert=page           checkout/latency
        service=nobody
        sort=name&limit=3                    cart/availability cart/throughput checkout/availability
        sort=budget&limit=3                  mail/delivery cart/availability checkout/latency
        limit=4                              checkout/latency cart/availability mail/delivery search/availability
        "#);
    }

    #[test]
    fn pages_cover_every_objective_once() {
        let snapshot = fixture::snapshot();
        let freshness = Freshness::of(&snapshot, fixture::NOW);
        let mut all: Vec<_> = snapshot.slos.iter().map(|slo| slo.id.clone()).collect();
        all.sort();
        for sort in Sort::ALL {
            for limit in 1..=all.len() + 1 {
                let mut seen = Vec::new();
                let mut cursor = String::new();
                loop {
                    let query = format!("sort={}&limit={limit}{cursor}", sort.name());
                    let page = SloQuery::read(pairs(&query))
                        .unwrap()
                        .list(&snapshot, freshness);
                    seen.extend(page.items.into_iter().map(|slo| slo.id));
                    assert!(seen.len() <= all.len(), "{seen:?} goes round in circles");
                    let Some(next) = page.next else { break };
                    cursor = format!("&cursor={next}");
                }
                seen.sort();
                assert_eq!(seen, all, "{sort:?} {limit}");
            }
        }
    }
}
