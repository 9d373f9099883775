//! Every kind of message, as it is read.

use crate::domain::calendar::Period;
use crate::domain::incident::CloseReason;
use crate::domain::indicator::Signal;
use crate::domain::punctuality::PassedOver;
use crate::domain::quantity::Breach::{Above, Below, Dropped, Older, OverLimit};
use crate::domain::slot::Counts;

use super::super::sample;
use super::*;

fn told(notice: &Notice) -> String {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let message = message(notice, &zone, notice.at + Span::from_secs(16));
    format!("{}\n> {}", message.plain(), message.history)
}

#[test]
fn a_page() {
    insta::assert_snapshot!(told(&sample::opened()), @r"
    🔴 PAGE checkout/availability: 20.0 % of requests fail (0.1 % allowed)
    Promise  Card payments succeed · 99.9 % over 30 d · owner payments
    Speed    5m: 954 of 4,769 = 200× · 1h: 954 of 57,223 = 16.7× (pages above 14.4×)
    Budget   68.7 % left (was 71.0 %) · empty in 2 h 28 min at the 5m pace
    Since    02:31 CET, rising ▁▂▆▇ · coverage 100 %
    Where    code=503 94 % · route=/pay 81 % · pods even (12)
    Do       Runbook https://runbooks.example.com/checkout · Details https://slo.example.com/slos/checkout/availability
    tick 2026-11-23T01:36:00Z · incident 7f3a09c2d1e44b10 · 1
    > 02:36 CET PAGE: 20.0 % of requests fail (0.1 % allowed) · 5m 200× · 1h 16.7×
    ");
}

#[test]
fn a_ticket_with_little_known() {
    let mut notice = sample::opened();
    notice.severity = Severity::Ticket;
    if let Facts::Burn(facts) = &mut notice.facts {
        facts.tiers.remove(0);
        facts.tiers[0].firing = true;
        facts.tiers[0].long = sample::window(Span::from_hours(24), 4_669.0, 1_373_352.0);
        facts.slo.description = None;
        facts.slo.owner = None;
        facts.slo.runbook = None;
        facts.details = None;
        facts.budget = None;
        facts.trend.clear();
        facts.coverage = 0.932;
    }
    insta::assert_snapshot!(told(&notice), @r"
    🟡 TICKET checkout/availability: 20.0 % of requests fail (0.1 % allowed)
    Promise  99.9 % over 30 d
    Speed    2h: 954 of 114,446 = 8.3× · 24h: 4,669 of 1,373,352 = 3.4× (tickets above 3×)
    Since    02:31 CET · coverage 93.2 % of 24h
    Where    code=503 94 % · route=/pay 81 % · pods even (12)
    tick 2026-11-23T01:36:00Z · incident 7f3a09c2d1e44b10 · 1
    > 02:36 CET TICKET: 20.0 % of requests fail (0.1 % allowed) · 2h 8.3× · 24h 3.4×
    ");
}

#[test]
fn a_rise() {
    let notice = sample::next(Change::Rose {
        from: Severity::Ticket,
    });
    insta::assert_snapshot!(told(&notice), @r"
    🔴 ESCALATED ticket → PAGE checkout/availability
    Why now  1h: 954 of 57,223 = 16.7× (pages above 14.4×) · 5m: 954 of 4,769 = 200×
    Before   ticket since 22 Nov 21:10 (24h 3.4×)
    Budget   68.7 % left (was 71.0 %) · empty in 2 h 28 min at the 5m pace
    Since    02:31 CET, rising ▁▂▆▇ · coverage 100 %
    Where    code=503 94 % · route=/pay 81 % · pods even (12)
    Do       Runbook https://runbooks.example.com/checkout · Details https://slo.example.com/slos/checkout/availability
    tick 2026-11-23T01:36:00Z · incident 7f3a09c2d1e44b10 · 2
    > 02:36 CET ticket → PAGE: 20.0 % of requests fail (0.1 % allowed) · 5m 200× · 1h 16.7×
    ");
}

#[test]
fn a_fall() {
    let notice = sample::next(Change::Fell {
        from: Severity::Page,
    });
    insta::assert_snapshot!(told(&notice), @r"
    🟡 EASED PAGE → ticket checkout/availability
    Now      24h: 4,669 of 1,373,352 = 3.4× (tickets above 3×) · 2h: 954 of 114,446 = 8.3×
    Before   page since 02:36
    Budget   68.7 % left (was 71.0 %) · empty in 2 h 28 min at the 5m pace
    Since    02:31 CET, rising ▁▂▆▇ · coverage 100 %
    Where    code=503 94 % · route=/pay 81 % · pods even (12)
    Do       Runbook https://runbooks.example.com/checkout · Details https://slo.example.com/slos/checkout/availability
    tick 2026-11-23T02:33:00Z · incident 7f3a09c2d1e44b10 · 2
    > 03:33 CET PAGE → ticket: 0.1 % of requests fail (0.1 % allowed) · 2h 8.3× · 24h 3.4×
    ");
}

#[test]
fn a_reminder() {
    insta::assert_snapshot!(told(&sample::next(Change::Reminded)), @r"
    🔴 STILL PAGE checkout/availability after 57 min: 20.0 % of requests fail (0.1 % allowed)
    Speed    5m: 954 of 4,769 = 200× · 1h: 954 of 57,223 = 16.7× (pages above 14.4×)
    Budget   68.7 % left (was 71.0 %) · empty in 2 h 28 min at the 5m pace
    Since    02:31 CET, rising ▁▂▆▇ · coverage 100 %
    Where    code=503 94 % · route=/pay 81 % · pods even (12)
    Do       Runbook https://runbooks.example.com/checkout · Details https://slo.example.com/slos/checkout/availability
    tick 2026-11-23T02:33:00Z · incident 7f3a09c2d1e44b10 · 2
    > 03:33 CET still PAGE: 20.0 % of requests fail (0.1 % allowed) · 5m 200× · 1h 16.7×
    ");
}

#[test]
fn a_reminder_of_what_is_only_held() {
    insta::assert_snapshot!(told(&sample::held()), @r"
    🔴 HELD PAGE checkout/availability after 57 min: not burning now, held until 03:38 CET
    Speed    5m: 0 of 4,770 = 0× · 1h: 954 of 57,223 = 16.7× (pages above 14.4×)
    Budget   68.7 % left (was 71.0 %) · empty in 2 h 28 min at the 5m pace
    Since    02:31 CET, rising ▁▂▆▇ · coverage 100 %
    Where    code=503 94 % · route=/pay 81 % · pods even (12)
    Do       Runbook https://runbooks.example.com/checkout · Details https://slo.example.com/slos/checkout/availability
    tick 2026-11-23T02:33:00Z · incident 7f3a09c2d1e44b10 · 2
    > 03:33 CET held PAGE: 0 % of requests fail (0.1 % allowed) · 5m 0× · 1h 16.7×
    ");
}

#[test]
fn a_recovery() {
    insta::assert_snapshot!(told(&sample::closed()), @r"
    ✅ RESOLVED checkout/availability · errors stopped 02:49, closed 03:33 CET after the hold
    Lasted   02:31–02:49 (18 min) · paged 02:36
    Cost     3,433 of 17,167 requests = 8.3 % of the 30 d budget
    Now      62.7 % left · 5m burn 0.3× · no tier firing
    Do       Runbook https://runbooks.example.com/checkout · Details https://slo.example.com/slos/checkout/availability
    tick 2026-11-23T02:33:00Z · incident 7f3a09c2d1e44b10 · 2
    > 03:33 CET closed: errors stopped 02:49 · 3,433 of 17,167 requests = 8.3 % of the 30 d budget
    ");
}

#[test]
fn a_calendar_window_is_named() {
    let mut notices = [sample::opened(), sample::closed()];
    for notice in &mut notices {
        if let Facts::Burn(facts) = &mut notice.facts {
            facts.slo.calendar = Some(Period::Month);
        }
    }
    let lines = |notice: &Notice| {
        let told = told(notice);
        let lines = told.lines().map(str::to_owned);
        lines
            .filter(|line| line.contains("month"))
            .collect::<Vec<_>>()
    };
    insta::assert_snapshot!(notices.iter().flat_map(lines).collect::<Vec<_>>().join("\n"), @r"
    Promise  Card payments succeed · 99.9 % over the month · owner payments
    Cost     3,433 of 17,167 requests = 8.3 % of what the month allows so far
    > 03:33 CET closed: errors stopped 02:49 · 3,433 of 17,167 requests = 8.3 % of what the month allows so far
    ");
}

#[test]
fn an_incident_of_the_period_before_is_no_share_of_this_one() {
    let mut notices = [sample::next(Change::Reminded), sample::closed()];
    for notice in &mut notices {
        if let Facts::Burn(facts) = &mut notice.facts {
            facts.slo.calendar = Some(Period::Month);
            let budget = facts.budget.as_mut().unwrap();
            (budget.before, budget.cost) = (None, None);
        }
    }
    let lines = notices.each_ref().map(told).join("\n");
    let is_told = |line: &&str| {
        ["Budget", "Cost", ">"]
            .iter()
            .any(|it| line.starts_with(it))
    };
    let lines: Vec<&str> = lines.lines().filter(is_told).collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    Budget   68.7 % left · empty in 2 h 28 min at the 5m pace
    > 03:33 CET still PAGE: 20.0 % of requests fail (0.1 % allowed) · 5m 200× · 1h 16.7×
    Cost     3,433 of 17,167 requests
    > 03:33 CET closed: errors stopped 02:49 · 3,433 of 17,167 requests
    ");
}

#[test]
fn a_close_without_recovery() {
    let closed = |reason| told(&sample::next(Change::Closed(reason)));
    let mut titles = String::new();
    for reason in [CloseReason::NoTraffic, CloseReason::Removed] {
        titles.push_str(closed(reason).lines().next().unwrap());
        titles.push('\n');
    }
    insta::assert_snapshot!(titles, @"
    ⚪ CLOSED checkout/availability · no requests any more, closed 03:33 CET; not known to work
    ⚪ CLOSED checkout/availability · the objective or its policy was removed, closed 03:33 CET
    ");
}

#[test]
fn an_objective_that_is_gone() {
    insta::assert_snapshot!(told(&sample::removed()), @r"
    ⚪ CLOSED checkout/availability · no longer watched, closed 03:33 CET
    Open     02:36–03:33 (57 min)
    tick 2026-11-23T02:33:00Z · incident 7f3a09c2d1e44b10 · 2
    > 03:33 CET closed: no longer watched
    ");
}

#[test]
fn nothing_can_be_measured() {
    insta::assert_snapshot!(told(&sample::unmeasured(Change::Opened)), @r"
    🟠 CANNOT MEASURE 7 objectives of source thanos-eu since 03:02 CET; not known to be failing
    Cause    HTTP 503, 24 reads failed · last good read 03:01:45
    Blind    no burn alert can fire: checkout/slo-1, checkout/slo-2, checkout/slo-3, checkout/slo-4, checkout/slo-5, +2
    Held     1 incident stays open: checkout/availability (page, 16.7× when last read)
    Next     what is missed is read on return; what burned meanwhile is told late
    tick 2026-11-23T02:12:00Z · incident 00c0ffee00c0ffee · 1
    > 03:12 CET cannot measure · HTTP 503, 24 reads failed · last good read 03:01:45
    ");
}

/// Groups of one objective are instances of it.
#[test]
fn what_cannot_be_measured_is_counted_by_objectives() {
    let mut notice = sample::unmeasured(Change::Opened);
    let mut titles = Vec::new();
    for blind in [
        &["shop/errors"][..],
        &["shop/errors{route=\"/a\"}", "shop/errors{route=\"/b\"}"],
        &[
            "shop/errors{route=\"/a\"}",
            "shop/latency/sla",
            "shop/latency/slo",
        ],
    ] {
        if let Facts::Unmeasured(facts) = &mut notice.facts {
            facts.blind = blind.iter().map(|&id| id.to_owned()).collect();
        }
        let told = told(&notice);
        titles.push(told.split(" of source").next().unwrap().to_owned());
    }
    insta::assert_snapshot!(titles.join("\n"), @r"
    🟠 CANNOT MEASURE 1 objective
    🟠 CANNOT MEASURE 1 objective (2 instances)
    🟠 CANNOT MEASURE 3 objectives
    ");
}

#[test]
fn everything_can_be_measured_again() {
    let mut closings = Vec::new();
    for reason in [CloseReason::Recovered, CloseReason::Removed] {
        let mut notice = sample::unmeasured(Change::Closed(reason));
        notice.at = sample::at("2026-11-23T03:10:00Z");
        closings.push(told(&notice));
    }
    insta::assert_snapshot!(closings.join("\n\n"), @r"
    🟢 MEASURING AGAIN 7 objectives of source thanos-eu · since 04:10 CET
    Lasted   03:02–04:10 (1 h 8 min)
    Cause    HTTP 503, 24 reads failed · last good read 03:01:45
    Held     1 incident stays open: checkout/availability (page, 16.7× when last read)
    Next     what was missed is being read; what burned meanwhile is told late
    tick 2026-11-23T03:10:00Z · incident 00c0ffee00c0ffee · 2
    > 04:10 CET measuring again · HTTP 503, 24 reads failed · last good read 03:01:45

    ⚪ CLOSED 7 objectives of source thanos-eu · removed, or no longer to be told of by their policy, closed 04:10 CET
    Lasted   03:02–04:10 (1 h 8 min)
    Cause    HTTP 503, 24 reads failed · last good read 03:01:45
    tick 2026-11-23T03:10:00Z · incident 00c0ffee00c0ffee · 2
    > 04:10 CET closed · HTTP 503, 24 reads failed · last good read 03:01:45
    ");
}

#[test]
fn there_are_more_groups_than_there_may_be() {
    insta::assert_snapshot!(told(&sample::refused(Change::Opened)), @r#"
    🟠 NOT WATCHED 497 groups of checkout/availability since 03:02 CET; not known to be failing
    Cause    grouped by route · 200 watched · maxGroups 200
    Refused  {route="/a"}, {route="/b"}, {route="/c"}, {route="/d"}, {route="/e"}, +492
    Blind    no alert can fire for them; they count towards the whole
    Held     groups that are watched, their budgets and their alerts
    Next     raise maxGroups, narrow the selector, or group by a label with fewer values · Details https://slo.example.com/slos/checkout/availability
    tick 2026-11-23T02:12:00Z · incident 0c20bded00000200 · 1
    > 03:12 CET not watched: 497 groups · maxGroups 200
    "#);
    let mut notice = sample::refused(Change::Opened);
    if let Facts::Refused(facts) = &mut notice.facts {
        facts.by = vec!["cluster".to_owned(), "route".to_owned()];
        (facts.has_whole, facts.more, facts.details) = (false, true, None);
        (facts.known, facts.most, facts.refused) = (1_200, 1_000, 1_000);
        facts.some = vec![format!(
            "{{cluster=\"eu1\",route=\"/{}\"}}",
            "é".repeat(200)
        )];
    }
    insta::assert_snapshot!(told(&notice), @r#"
    🟠 NOT WATCHED at least 1,000 groups of checkout/availability since 03:02 CET; not known to be failing
    Cause    grouped by cluster, route · 1,200 watched · maxGroups 1,000
    Refused  {cluster="eu1",route="/éééééééééééééééééééééééééééééééééééééééééééééééééééééééé…, +999 and more
    Blind    no alert can fire for them, and nothing counts them
    Held     groups that are watched, their budgets and their alerts
    Next     raise maxGroups, narrow the selector, or group by fewer labels
    tick 2026-11-23T02:12:00Z · incident 0c20bded00000200 · 1
    > 03:12 CET not watched: at least 1,000 groups · maxGroups 1,000
    "#);
    if let Facts::Refused(facts) = &mut notice.facts {
        facts.some = vec![r#"{route=""}"#.to_owned()];
        (facts.refused, facts.more) = (1, false);
    }
    insta::assert_snapshot!(told(&notice), @r#"
    🟠 NOT WATCHED 1 group of checkout/availability since 03:02 CET; not known to be failing
    Cause    grouped by cluster, route · 1,200 watched · maxGroups 1,000
    Refused  {route=""}
    Blind    no alert can fire for them, and nothing counts them
    Held     groups that are watched, their budgets and their alerts
    Next     raise maxGroups, narrow the selector, or group by fewer labels
    tick 2026-11-23T02:12:00Z · incident 0c20bded00000200 · 1
    > 03:12 CET not watched: 1 group · maxGroups 1,000
    "#);
}

#[test]
fn all_groups_are_watched_again() {
    let mut closings = Vec::new();
    for reason in [CloseReason::Recovered, CloseReason::Removed] {
        let mut notice = sample::refused(Change::Closed(reason));
        notice.at = sample::at("2026-11-23T03:10:00Z");
        if let Facts::Refused(facts) = &mut notice.facts {
            (facts.known, facts.most) = (697, 1_000);
        }
        closings.push(told(&notice));
    }
    insta::assert_snapshot!(closings.join("\n\n"), @r#"
    🟢 WATCHING ALL groups of checkout/availability · since 04:10 CET
    Lasted   03:02–04:10 (1 h 8 min)
    Refused  497 groups when it was told · {route="/a"}, {route="/b"}, {route="/c"}, {route="/d"}, {route="/e"}, +492
    Groups   697 watched · maxGroups 1,000
    tick 2026-11-23T03:10:00Z · incident 0c20bded00000200 · 2
    > 04:10 CET watching all groups

    ⚪ CLOSED groups of checkout/availability · the objective, its groupBy or its policy was removed, closed 04:10 CET
    Lasted   03:02–04:10 (1 h 8 min)
    Refused  497 groups when it was told · {route="/a"}, {route="/b"}, {route="/c"}, {route="/d"}, {route="/e"}, +492
    Groups   697 watched · maxGroups 1,000
    tick 2026-11-23T03:10:00Z · incident 0c20bded00000200 · 2
    > 04:10 CET closed: the objective, its groupBy or its policy was removed
    "#);
}

#[test]
fn ticks_are_passed_over_and_on_time_again() {
    let removed = Change::Closed(CloseReason::Removed);
    let notices = [
        Change::Opened,
        Change::Closed(CloseReason::Recovered),
        removed,
    ];
    let mut shown: Vec<String> = notices
        .map(|change| told(&sample::passed_over(change)))
        .into();
    for (slow, asleep) in [(1, 0), (0, 960)] {
        let mut notice = sample::passed_over(Change::Opened);
        if let Facts::PassedOver(facts) = &mut notice.facts {
            facts.ticks = PassedOver { slow, asleep };
            (facts.due, facts.details) = (1_000, None);
        }
        shown.push(told(&notice));
    }
    insta::assert_snapshot!(shown.join("\n\n"), @r"
    🟠 RUNNING LATE Sloburn passed over 12 of 61 ticks since 03:02 CET; alerts may come late
    Cause    9 ticks while an earlier one took too long: the last took 42 s, and there is one every 30 s · 3 ticks while its process did not run, or since a clock was set
    Alerts   come as late as the next tick that is run
    Lost     nothing: what was passed over is read and counted with the next tick
    Next     look at the load of the sources; raise maxInFlight, make tick longer, or give Sloburn more CPU · see whether its container is throttled, and whether its machine sleeps or is paused · Details https://slo.example.com/sources
    tick 2026-11-23T02:12:00Z · incident 1a7e00001a7e0000 · 1
    > 03:12 CET running late: 12 of 61 ticks passed over

    🟢 ON TIME AGAIN Sloburn keeps pace · since 03:12 CET
    Lasted   03:02–03:12 (10 min)
    Missed   12 of 61 ticks when it was told
    Cause    9 ticks while an earlier one took too long: the last took 42 s, and there is one every 30 s · 3 ticks while its process did not run, or since a clock was set
    tick 2026-11-23T02:12:00Z · incident 1a7e00001a7e0000 · 2
    > 03:12 CET on time again

    ⚪ CLOSED ticks that Sloburn passed over · no policy wants to be told of what is not measured any more, closed 03:12 CET
    Lasted   03:02–03:12 (10 min)
    Missed   12 of 61 ticks when it was told
    Cause    9 ticks while an earlier one took too long: the last took 42 s, and there is one every 30 s · 3 ticks while its process did not run, or since a clock was set
    tick 2026-11-23T02:12:00Z · incident 1a7e00001a7e0000 · 2
    > 03:12 CET closed: no policy wants to be told of what is not measured any more

    🟠 RUNNING LATE Sloburn passed over 1 of 1,000 ticks since 03:02 CET; alerts may come late
    Cause    1 tick while an earlier one took too long: the last took 42 s, and there is one every 30 s
    Alerts   come as late as the next tick that is run
    Lost     nothing: what was passed over is read and counted with the next tick
    Next     look at the load of the sources; raise maxInFlight, make tick longer, or give Sloburn more CPU
    tick 2026-11-23T02:12:00Z · incident 1a7e00001a7e0000 · 1
    > 03:12 CET running late: 1 of 1,000 ticks passed over

    🟠 RUNNING LATE Sloburn passed over 960 of 1,000 ticks since 03:02 CET; alerts may come late
    Cause    960 ticks while its process did not run, or since a clock was set
    Alerts   come as late as the next tick that is run
    Lost     nothing: what was passed over is read and counted with the next tick
    Next     see whether its container is throttled, and whether its machine sleeps or is paused
    tick 2026-11-23T02:12:00Z · incident 1a7e00001a7e0000 · 1
    > 03:12 CET running late: 960 of 1,000 ticks passed over
    ");
}

#[test]
fn each_signal_has_words_of_its_own() {
    let mut titles = String::new();
    for (signal, objective, breach, threshold, bad, total) in [
        (Signal::Errors, "99.9%", None, None, 954.0, 4_769.0),
        (Signal::Latency, "99%", None, Some("300ms"), 32.0, 1_000.0),
        (Signal::Latency, "99%", Some(Above), Some("300ms"), 1.0, 5.0),
        (Signal::Latency, "99%", Some(Older), Some("1h"), 1.0, 5.0),
        (Signal::Traffic, "99%", Some(Below), Some("5/s"), 1.0, 5.0),
        (Signal::Traffic, "99%", Some(Dropped), Some("40%"), 1.0, 5.0),
        (
            Signal::Saturation,
            "99.5%",
            Some(OverLimit),
            Some("90%"),
            5.0,
            5.0,
        ),
        (
            Signal::Saturation,
            "99.5%",
            Some(Below),
            Some("2GiB"),
            5.0,
            5.0,
        ),
        (Signal::Errors, "99.9%", None, None, 0.0, 0.0),
    ] {
        let mut notice = sample::opened();
        if let Facts::Burn(facts) = &mut notice.facts {
            facts.slo.signal = signal;
            facts.slo.objective = objective.parse().unwrap();
            facts.slo.threshold = threshold.map(str::to_owned);
            facts.slo.breach = breach;
            facts.slo.slices = breach.is_some();
            facts.now = Counts { bad, total };
        }
        titles.push_str(told(&notice).lines().next().unwrap());
        titles.push('\n');
    }
    insta::assert_snapshot!(titles, @r"
    🔴 PAGE checkout/availability: 20.0 % of requests fail (0.1 % allowed)
    🔴 PAGE checkout/availability: 3.2 % of requests take longer than 300ms (1 % allowed)
    🔴 PAGE checkout/availability: above 300ms for 20.0 % of the last 5m (1 % allowed)
    🔴 PAGE checkout/availability: older than 1h for 20.0 % of the last 5m (1 % allowed)
    🔴 PAGE checkout/availability: below 5/s for 20.0 % of the last 5m (1 % allowed)
    🔴 PAGE checkout/availability: more than 40 % below what is usual for 20.0 % of the last 5m (1 % allowed)
    🔴 PAGE checkout/availability: over 90 % of its limit for 100 % of the last 5m (0.5 % allowed)
    🔴 PAGE checkout/availability: below 2GiB for 100 % of the last 5m (0.5 % allowed)
    🔴 PAGE checkout/availability: nothing measured in the last 5m (0.1 % allowed)
    ");
}

#[test]
fn slices_and_impossible_budgets_are_told_as_they_are() {
    let mut notice = sample::opened();
    if let Facts::Burn(facts) = &mut notice.facts {
        facts.slo.slices = true;
        facts.slo.signal = Signal::Traffic;
        facts.slo.objective = "100%".parse().unwrap();
        facts.tiers[0].short = sample::window(Span::from_mins(5), 1.0, 5.0);
        facts.tiers[0].short.burn = Some(f64::INFINITY);
        facts.tiers[0].long = sample::window(Span::from_hours(1), 0.0, 0.0);
        if let Some(budget) = &mut facts.budget {
            budget.remaining = f64::NEG_INFINITY;
            budget.empty_in = None;
        }
    }
    insta::assert_snapshot!(told(&notice), @r"
    🔴 PAGE checkout/availability: 20.0 % of slices are bad (0 % allowed)
    Promise  Card payments succeed · 100 % over 30 d · owner payments
    Speed    5m: 1 of 5 slices = ∞× · 1h: no slices (pages above 14.4×)
    Budget   nothing may be bad, and something was
    Since    02:31 CET, rising ▁▂▆▇ · coverage 100 %
    Where    code=503 94 % · route=/pay 81 % · pods even (12)
    Do       Runbook https://runbooks.example.com/checkout · Details https://slo.example.com/slos/checkout/availability
    tick 2026-11-23T01:36:00Z · incident 7f3a09c2d1e44b10 · 1
    > 02:36 CET PAGE: 20.0 % of slices are bad (0 % allowed) · 5m ∞×
    ");
    if let Facts::Burn(facts) = &mut notice.facts {
        facts.budget.as_mut().unwrap().remaining = -0.123;
    }
    assert!(told(&notice).contains("overspent by 12.3 % (71.0 % was left)"));
    if let Facts::Burn(facts) = &mut notice.facts {
        facts.budget.as_mut().unwrap().before = Some(-0.1);
    }
    assert!(told(&notice).contains("overspent by 12.3 % (before: by 10.0 %)"));
}

/// What is well by now and pages on is told by the window that still burns.
#[test]
fn a_page_is_told_by_the_tier_that_burns() {
    let mut notice = sample::next(Change::Reminded);
    if let Facts::Burn(facts) = &mut notice.facts {
        facts.now = sample::window(Span::from_mins(5), 0.0, 480.0).counts;
        facts.tiers[0].held_until = Some(notice.at + Span::from_mins(5));
        facts.tiers[1].severity = Severity::Page;
        facts.tiers[1].firing = true;
    }
    let told = told(&notice);
    let shown: Vec<&str> = told.lines().take(2).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    🔴 STILL PAGE checkout/availability after 57 min: 0.83 % of requests failed in the last 2h (0.1 % allowed)
    Speed    2h: 954 of 114,446 = 8.3× · 24h: 1,000 of 1,373,352 = 0.73× (pages above 3×)
    ");
}

#[test]
fn what_is_told_late_says_so() {
    let notice = sample::opened();
    let late = message(&notice, &TimeZone::UTC, notice.at + Span::from_mins(34));
    assert_eq!(
        late.body().lines().next(),
        Some("Late     decided 01:36 UTC · told 34 min later")
    );
}

#[test]
fn only_pages_ring() {
    let rings = |notice: &Notice| message(notice, &TimeZone::UTC, notice.at).aloud;
    assert!(rings(&sample::opened()));
    assert!(rings(&sample::next(Change::Reminded)));
    assert!(!rings(&sample::held()));
    assert!(!rings(&sample::next(Change::Fell {
        from: Severity::Page
    })));
    assert!(!rings(&sample::closed()));
    assert!(!rings(&sample::unmeasured(Change::Opened)));
    assert!(!rings(&sample::refused(Change::Opened)));
    assert!(!rings(&sample::passed_over(Change::Opened)));
}
