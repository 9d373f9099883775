//! Probes: alive is not ready, and not ready says what is missing.

use super::{ask, state};
use crate::domain::time::Span;
use crate::status::board::{Board, StoreOpened};
use crate::status::fixture;

#[tokio::test(start_paused = true)]
async fn ready_is_an_open_store_and_a_fresh_tick() {
    let opened = || {
        let board = Board::new(fixture::AT);
        board.publish_store(StoreOpened::default());
        board
    };
    let ticked = |board: Board| {
        board.publish(fixture::snapshot());
        board
    };
    let (now, late) = (fixture::NOW, fixture::NOW + Span::from_mins(3));
    let set_back = fixture::NOW - Span::from_mins(3);
    let mut told = String::new();
    for (board, now) in [
        (Board::new(fixture::AT), now),
        (opened(), now),
        (ticked(Board::new(fixture::AT)), now),
        (ticked(opened()), late),
        (ticked(opened()), set_back),
    ] {
        let state = state(board, now);
        told.push_str(&ask(&state, "GET", "/readyz", &[]).await.refusal());
        told.push('\n');
        for alive in ["/healthz", "/livez"] {
            assert_eq!(ask(&state, "GET", alive, &[]).await.body, "ok\n");
        }
    }
    insta::assert_snapshot!(told, @r"
    503 not ready: the store is not open yet; no tick has run yet
    503 not ready: no tick has run yet
    503 not ready: the store is not open yet
    503 not ready: the last tick was 3m20s ago, and one is due every 30s
    503 not ready: the last tick is still 2m40s to come: the clock was set back, and the next tick is run when it gets there; set it right
    ");
    let mut ready = String::new();
    for store_error in [None, Some("the disk is full".to_owned())] {
        let mut snapshot = fixture::snapshot();
        snapshot.engine.store_error = store_error;
        let board = opened();
        board.publish(snapshot);
        let answer = ask(&state(board, now), "GET", "/readyz", &[]).await;
        assert_eq!(answer.status.as_u16(), 200);
        ready.push_str(&answer.body);
    }
    insta::assert_snapshot!(ready, @"
    ok
    degraded: alerts are told from memory, since the last commit failed: the disk is full
    ");
}
