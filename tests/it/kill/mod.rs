//! SIGKILL wherever it may hurt: nothing is lost, nothing is told twice without need, and what was counted stays exact.
//!
//! Two daemons with the same definitions watch the same Prometheus. One is killed again and again, the other is left
//! alone; each has a store and a Slack of its own.

mod calls;
mod contender;
mod kills;
mod slots;
mod world;

use std::time::Duration;

use sloburn::domain::time::{Span, Timestamp};
use tokio::time::sleep;

use crate::support::dice::Dice;
use crate::support::fake_slack::Refuse;
use crate::support::print;

use calls::{copies, in_order, unlike};
use contender::{OFFSET, SETTLE, WriteLock};
use kills::Phase;
use slots::compare;
use world::{World, now, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_is_killed_loses_nothing_and_counts_like_one_that_is_not() {
    let Some(mut world) = World::start().await else {
        return;
    };
    let mut dice = Dice::cast();
    print(&format!("kill: the seed is {}", dice.seed()));

    let weather = world.weather();
    while_slack_refuses(&mut world).await;
    while_slack_holds_back(&mut world, &mut dice).await;
    between_read_and_commit(&mut world, &mut dice).await;
    at_random_instants(&mut world, &mut dice).await;
    drop(weather);
    let last_kill = now();
    world.calm_down().await;

    print(&world.kills.to_string());
    world.kills.assert_all_phases();
    told_everything_in_order(&world).await;
    counted_alike(&world, last_kill).await;
}

/// Kills while calls are refused, once the daemon has seen that.
async fn while_slack_refuses(world: &mut World) {
    for refuse in [Refuse::Status(500), Refuse::Reset, Refuse::Status(503)] {
        world.victim.slack.refuse(refuse);
        world.victim.start().await;
        let seen = until(|| world.victim.daemon.log().contains("was not told")).await;
        assert!(seen, "it never was refused:\n{}", world.victim.daemon.log());
        world.kill(Phase::Refused).await;
        world.victim.slack.refuse(Refuse::Nothing);
    }
}

/// Kills while a call was taken and not yet answered, sooner than the daemon would give up waiting.
async fn while_slack_holds_back(world: &mut World, dice: &mut Dice) {
    for _ in 0..3 {
        let before = world.victim.slack.accepted().len();
        world.victim.slack.hold_back();
        world.victim.start().await;
        let taken = until(|| world.victim.slack.accepted().len() > before).await;
        assert!(taken, "nothing was sent:\n{}", world.victim.daemon.log());
        sleep(dice.millis(2_000)).await;
        let inside = world.kill(Phase::HeldBack).await;
        assert!(inside, "the kill hit no call");
        world.victim.slack.release();
    }
}

/// Kills while the commit of a tick whose samples were read waits for the store. Every tick at which a block of
/// samples is settled has something to commit.
async fn between_read_and_commit(world: &mut World, dice: &mut Dice) {
    let mut hits = 0;
    for _ in 0..12 {
        if hits == 3 {
            return;
        }
        world.victim.start().await;
        let at = (now() - OFFSET + Span::from_millis(500)).ceil_to(SETTLE);
        sleep((at + OFFSET - Span::from_millis(300)).since(now()).to_std()).await;
        let lock = WriteLock::take(&world.victim.store()).await;
        let before = world.victim.daemon.log().len();
        let read = until_read(world, before, at).await;
        if read {
            sleep(dice.millis(1_000)).await;
            hits += u32::from(world.kill_before_commit(at).await);
        }
        lock.release().await;
    }
    panic!("of 12 attempts only {hits} hit between read and commit");
}

/// Waits until the samples of the tick `at`, or of one soon after it, were read; not for as long as a commit waits.
async fn until_read(world: &World, before: usize, at: Timestamp) -> bool {
    for _ in 0..60 {
        let log = world.victim.daemon.log();
        let news = log.get(before..).unwrap_or_default();
        let read = |late: i64| {
            let tick = at + Span::from_secs(late);
            news.contains(&format!("read the samples of tick {tick}"))
        };
        if (0..4).any(read) {
            return true;
        }
        sleep(Duration::from_millis(50)).await;
    }
    false
}

/// Kills without looking where, in fair and foul weather.
async fn at_random_instants(world: &mut World, dice: &mut Dice) {
    for _ in 0..20 {
        match dice.below(4) {
            0 => world.victim.slack.refuse(Refuse::Status(500)),
            1 => world.victim.slack.hold_back(),
            _ => {}
        }
        world.victim.daemon.launch();
        sleep(dice.millis(4_000)).await;
        let alive = world.victim.daemon.is_running();
        assert!(alive, "it ended by itself:\n{}", world.victim.daemon.log());
        world.kill(Phase::Random).await;
        world.victim.slack.refuse(Refuse::Nothing);
        world.victim.slack.release();
    }
}

/// What both Slacks took is what the stores decided: all of it, in order, and again only after a kill inside a send.
async fn told_everything_in_order(world: &World) {
    for contender in [&world.victim, &world.spared] {
        let told = contender.accepted();
        let recovered = contender.recover().await;
        assert!(recovered.alerts.is_empty(), "{:?}", recovered.alerts);
        assert!(!recovered.closed.is_empty(), "no incident was closed");
        assert_eq!(in_order(&told), Ok(()));
        assert_eq!(unlike(&told, &recovered.closed), Vec::<String>::new());
    }
    let victim = copies(world.victim.accepted());
    let again: u32 = victim.values().map(|count| count - 1).sum();
    for (call, count) in &victim {
        let allowed = 1 + world.kills.inside(call);
        assert!(
            *count <= allowed,
            "{call} was taken {count} times, {allowed} allowed"
        );
    }
    let spared = copies(world.spared.accepted());
    assert!(spared.values().all(|count| *count == 1), "{spared:?}");
    print(&format!(
        "kill: the killed daemon made {} calls, {again} of them again; the other one {}",
        victim.len(),
        spared.len()
    ));
}

/// All slots that both have settled are the same, to the last event and millisecond.
async fn counted_alike(world: &World, last_kill: Timestamp) {
    let compared = compare(&world.victim.recover().await, &world.spared.recover().await);
    assert!(
        compared.to > last_kill,
        "what was settled after the last kill is compared too"
    );
    print(&format!("kill: {compared}"));
    assert_eq!(compared.differences, Vec::<String>::new());
    assert!(
        compared.slots > 60 * compared.lanes,
        "too little was compared"
    );
    assert!(compared.bad > 1_000.0 && compared.reconstructed > 0);
}
