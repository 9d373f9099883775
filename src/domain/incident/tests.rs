//! Incidents that open, rise, fall and close by what tiers say.

use super::*;

/// What is told at a tick: `T P` opened, `t p` fell to or rose to, `x` closed, `n` closed for lack of
/// traffic, `r` reminded.
fn told(step: Option<(Incident, Transition)>) -> char {
    match step.map(|(_, transition)| (transition.change, transition.severity)) {
        None => '-',
        Some((Change::Opened, Severity::Page)) => 'P',
        Some((Change::Opened, Severity::Ticket)) => 'T',
        Some((Change::Rose { .. } | Change::Fell { .. }, Severity::Page)) => 'p',
        Some((Change::Rose { .. } | Change::Fell { .. }, Severity::Ticket)) => 't',
        Some((Change::Closed(CloseReason::NoTraffic), _)) => 'n',
        Some((Change::Closed(_), _)) => 'x',
        Some((Change::Reminded, _)) => 'r',
    }
}

/// A reading by its letter: `#` burning, `.` clear, `?` unknown, `o` idle; held for two minutes.
fn reading(name: &str, severity: Severity, letter: char) -> TierReading<'_> {
    TierReading {
        name,
        severity,
        hold: Span::from_mins(2),
        verdict: match letter {
            '#' => Verdict::Burning,
            '.' => Verdict::Clear,
            'o' => Verdict::Idle,
            _ => Verdict::Unknown,
        },
    }
}

/// Plays one letter a minute and tier, and writes what is told.
fn trace(page: &str, ticket: &str) -> String {
    let (slo, mut state) = (SloId::new("a/b"), AlertState::default());
    let minutes = (0..).zip(page.chars().zip(ticket.chars()));
    let play = |(minute, (page, ticket)): (i64, (char, char))| {
        let readings = [
            reading("fast", Severity::Page, page),
            reading("slow", Severity::Ticket, ticket),
        ];
        let now = Timestamp::from_millis(minute * 60_000);
        told(state.step(&slo, &readings, now, || now, &BTreeMap::new()))
    };
    minutes.map(play).collect()
}

#[test]
fn one_incident_rises_falls_and_closes_in_place() {
    for (page, ticket, expected) in [
        ("..##.....", ".........", "--P---x--"),
        ("...##......", "..######...", "--Tp---t--x"),
        ("..#.#.#....", "...........", "--P------x-"),
        ("..#???????..", "............", "--P---------"),
        ("..##.??.....", "............", "--P----x----"),
        ("..#oo", "..#oo", "--Pn-"),
        ("..#oo", "..##.", "--Pt-"),
        (".#...#...", ".########", "-P--tp--t"),
        ("?????", "?????", "-----"),
    ] {
        assert_eq!(trace(page, ticket), expected, "{page} {ticket}");
    }
}

#[test]
fn a_tier_that_is_no_longer_defined_is_left_only_by_what_is_known() {
    // At `|` the policy changes: it has one tier, of another name.
    for (letters, severity, expected) in [
        ("....|????", Severity::Page, "--------"),
        ("..##|????", Severity::Page, "--P-----"),
        ("..##|??....", Severity::Page, "--P-----x-"),
        ("..##|??#....", Severity::Page, "--P------x-"),
        ("..#.|...", Severity::Page, "--P--x-"),
        ("..##|oo", Severity::Page, "--P-n-"),
        // Nothing says that it is less loud until that is known, and has been for the hold.
        ("..##|??####", Severity::Ticket, "--P-----t-"),
    ] {
        let (slo, mut state) = (SloId::new("a/b"), AlertState::default());
        let (before, after) = letters.split_once('|').unwrap();
        let before = before.chars().map(|it| reading("fast", Severity::Page, it));
        let after = after.chars().map(|it| reading("quick", severity, it));
        let minutes = (0..).zip(before.chain(after));
        let play = |(minute, reading): (i64, TierReading<'_>)| {
            let now = Timestamp::from_millis(minute * 60_000);
            told(state.step(&slo, &[reading], now, || now, &BTreeMap::new()))
        };
        assert_eq!(minutes.map(play).collect::<String>(), expected, "{letters}");
    }
}

#[test]
fn a_reminder_comes_after_the_longest_silence() {
    let (slo, mut state) = (SloId::new("a/b"), AlertState::default());
    let remind = BTreeMap::from([(Severity::Page, Span::from_mins(3))]);
    let told: String = (0..9)
        .map(|minute| {
            let now = Timestamp::from_millis(minute * 60_000);
            let reading = TierReading {
                name: "fast",
                severity: Severity::Page,
                hold: Span::ZERO,
                verdict: Verdict::Burning,
            };
            match state.step(&slo, &[reading], now, || now, &remind) {
                None => '-',
                Some((_, transition)) => char::from_digit(transition.sequence, 10).unwrap(),
            }
        })
        .collect();
    assert_eq!(told, "1--2--3--");
}

/// Stores and receivers know incidents by these: another text for the same beginning would tell of it anew.
#[test]
fn an_incident_has_the_same_identity_for_ever() {
    for (subject, opened, text) in [
        ("checkout/availability", 0, "022acb4d68aead6b"),
        ("checkout/availability", 60_000, "08ffaa4d6c08db1c"),
        ("cart/latency", 0, "b6e63394736478e6"),
    ] {
        let opened = Timestamp::from_millis(1_700_000_000_000 + opened);
        let id = IncidentId::derive(subject, opened);
        assert_eq!(id.as_str(), text, "{subject} {opened}");
        assert_eq!(IncidentId::from_text(text), id);
    }
}
