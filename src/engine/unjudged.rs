//! Why slices that should be judged are not, in words.

use crate::series::plan::{FamilyIndex, Judge, Lane, Meter, MeterIndex, Share, SliceLane};

use super::state::{LaneState, State};

impl State {
    /// Why the slices of a lane without cursors are not known up to now.
    pub(super) fn not_judged(&self, meter: MeterIndex, lane: &Lane, state: &LaneState) -> String {
        let families = lane.families();
        let is_there = |family: FamilyIndex| self.families[family].sorter.has_found();
        let first = families.first().map_or("", |first| self.name(*first));
        if let Lane::Slices(SliceLane {
            judge: Judge::Drop { past, .. },
            ..
        }) = lane
            && !past.iter().any(|read| is_there(read.family))
        {
            let ago = past.iter().map(|read| self.plan.families[read.family].ago);
            let ago: Vec<String> = ago.map(|ago| ago.to_string()).collect();
            return format!(
                "nothing is known of `{first}` {} ago to compare it with; slices count once the source holds samples of one of these times",
                ago.join(", ")
            );
        }
        match state.known_to {
            None => self.none_judged(meter, lane, first),
            Some(known) => format!("`{first}` has shown nothing that can be judged since {known}"),
        }
    }

    /// Why none of the slices is known yet. That there are series does not say that they can be judged.
    fn none_judged(&self, meter: MeterIndex, lane: &Lane, first: &str) -> String {
        let planned = &self.plan.meters[meter];
        let series = self.meters[meter].series;
        let slices = match lane {
            Lane::Slices(slices) if series.total > 0 && !planned.slo.indicator.is_query() => slices,
            Lane::Slices(_) | Lane::Points { .. } | Lane::Counters { .. } => {
                return self.no_series(planned, first);
            }
        };
        let why = match &slices.judge {
            Judge::Share { limit, .. } if series.bad == 0 => {
                return self.no_series(planned, self.name(limit.read.family));
            }
            Judge::Share { .. } => "no group has valid samples of what is used and of its limit",
            Judge::Rate { .. } | Judge::Drop { .. } | Judge::Events { .. } => {
                "less than half of each lies between samples"
            }
            Judge::Probe { .. }
            | Judge::Level { .. }
            | Judge::Age { .. }
            | Judge::Value { .. }
            | Judge::Ratio { .. } => "none that has ended has valid samples",
        };
        format!(
            "`{first}` has {} series, and no slice of {} is known yet: {why}",
            series.total, slices.slice
        )
    }

    /// That nothing is there which a meter could count.
    pub(super) fn no_series(&self, meter: &Meter, name: &str) -> String {
        let told = match &meter.share {
            Share::Group {
                labels,
                expected: true,
            } => format!(
                "no series of `{name}` has {labels}, which `expect` names; check what scrapes it"
            ),
            _ if meter.slo.indicator.is_query() => {
                // Its name tells at which distance it is evaluated, too.
                let query = name.rsplit_once(" every ").map_or(name, |(query, _)| query);
                // Expressions are asked as they are, whatever is added to selectors.
                return format!("the query gives no value: `{query}`");
            }
            _ => format!(
                "no series of `{name}` match what {} selects; check its selectors",
                meter.slo.counted_as
            ),
        };
        let source = &meter.slo.source;
        match self.settings.sources.get(source) {
            Some(it) if !it.narrowed_by.is_empty() => format!(
                "{told}, and {}, which `sources.{source}.prometheus.matchers` adds to every selector",
                it.narrowed_by
            ),
            _ => told,
        }
    }

    fn name(&self, family: FamilyIndex) -> &str {
        self.plan.families[family].name()
    }
}
