//! What somebody else wrote stays text on every page.

use super::*;

/// Whatever somebody else may write: markup, quotes, scripts, and what ends an attribute.
const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)> & é\u{202e}";

#[tokio::test(start_paused = true)]
async fn nothing_that_somebody_else_wrote_becomes_markup() {
    let mut snapshot = fixture::snapshot();
    for status in &mut snapshot.slos {
        let status = Arc::make_mut(status);
        let mut slo = (*status.slo).clone();
        slo.service = format!("s{HOSTILE}");
        slo.name = format!("{}{HOSTILE}", slo.name);
        slo.description = Some(HOSTILE.into());
        slo.owner = Some(HOSTILE.into());
        slo.runbook = Some("javascript:alert(3)".into());
        slo.labels.insert(HOSTILE.into(), HOSTILE.into());
        status.id = format!("{}{HOSTILE}", status.id);
        status.slo = Arc::new(slo);
        status.graph = Some(format!("https://graphs.example.com/{HOSTILE}"));
        status.measurement.reason = Some(HOSTILE.into());
        for tier in &mut status.tiers {
            tier.name = HOSTILE.into();
        }
    }
    for source in &mut snapshot.sources {
        source.error = Some(HOSTILE.into());
    }
    for episode in &mut snapshot.episodes {
        match &mut Arc::make_mut(&mut episode.notice).facts {
            Facts::Unmeasured(facts) => {
                (facts.reason, facts.source) = (HOSTILE.into(), SourceName::new(HOSTILE));
            }
            Facts::Refused(facts) => facts.slo = SloId::new(HOSTILE),
            Facts::PassedOver(_) | Facts::Burn(_) | Facts::Removed { .. } => {}
        }
        episode.told.insert(HOSTILE.into());
    }
    let path = |status: &SloStatus| {
        let encode = |text: &str| -> String {
            text.bytes()
                .map(|it| format!("%{it:02X}"))
                .collect::<Vec<_>>()
                .concat()
        };
        format!(
            "/slos/{}/{}",
            encode(&status.slo.service),
            encode(&status.slo.name)
        )
    };
    let mut uris: Vec<String> = snapshot.slos.iter().map(|status| path(status)).collect();
    uris.extend(["/", "/incidents", "/sources"].map(str::to_owned));
    uris.push(format!("/?search={}", "%22%3E%3Cscript%3E"));
    uris.push("/%3Cscript%3E".into());
    let board = Board::new(fixture::AT);
    board.publish(snapshot);
    let state = state(board, fixture::NOW);
    for uri in uris {
        let page = page_of(&state, &uri).await;
        // One script of our own, by its address; nothing of it inline.
        assert_eq!(page.body.matches("<script").count(), 1, "{uri}");
        assert!(!page.body.contains("<img"), "{uri}");
        assert!(!page.body.contains("href=\"javascript:"), "{uri}");
        assert!(
            !page.body.contains("style=\""),
            "the policy forbids inline style: {uri}"
        );
    }
}
