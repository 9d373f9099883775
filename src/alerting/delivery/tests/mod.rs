//! The loop on simulated time, with a receiver and a store in memory.

mod changed;
mod outbox;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Mutex;

use crate::alerting::notifier::{Accepted, BoxFuture, Notifier, NotifyError, Reassertion};
use crate::alerting::sample;
use crate::domain::incident::Change;
use crate::domain::policy::Severity;

use super::*;
use outbox::Outbox;

const START: &str = "2026-11-23T01:36:16Z";

/// What a receiver answers to its next calls; then it takes everything.
#[derive(Clone)]
enum Answer {
    Take,
    Later(Option<u64>),
    Never,
    /// Does not answer for so many seconds.
    Slow(u64),
}

/// A receiver in memory: three calls for a rise, one for anything else.
struct Receiver {
    name: &'static str,
    answers: Mutex<VecDeque<Answer>>,
    gap: Span,
    asserts: bool,
    log: Log,
}

/// What happened, with the seconds since the start.
#[derive(Clone)]
struct Log(Arc<Mutex<String>>, Clock);

impl Log {
    fn line(&self, text: &str) {
        let since = Timestamp::from(self.1.now()).since(sample::at(START));
        writeln!(
            self.0.lock().unwrap(),
            "{:>6.1} {text}",
            since.as_secs_f64()
        )
        .unwrap();
    }
}

impl Notifier for Receiver {
    fn call<'a>(
        &'a self,
        row: &'a OutboxRow,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<Accepted, NotifyError>> {
        let answer = self
            .answers
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(Answer::Take);
        let what = format!(
            "{} {}#{}.{}",
            self.name, row.key.incident, row.key.sequence, row.step
        );
        let last = if matches!(row.notice.change, Change::Rose { .. }) {
            2
        } else {
            0
        };
        Box::pin(async move {
            if let Answer::Slow(seconds) = answer {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            }
            match answer {
                Answer::Take | Answer::Slow(_) => {
                    self.log.line(&what);
                    Ok(Accepted {
                        memory: None,
                        done: row.step >= last,
                    })
                }
                Answer::Later(seconds) => {
                    self.log.line(&format!("{what} later"));
                    Err(NotifyError::Transient {
                        retry_after: seconds.map(Duration::from_secs),
                        sentence: "come back later".into(),
                    })
                }
                Answer::Never => {
                    self.log.line(&format!("{what} never"));
                    Err(NotifyError::permanent("mend the token"))
                }
            }
        })
    }

    fn gap(&self) -> Span {
        self.gap
    }

    fn reassertion(&self) -> Option<Reassertion> {
        self.asserts.then_some(Reassertion {
            every: Span::from_mins(1),
            resolved_for: Span::from_mins(15),
        })
    }

    fn reassert<'a>(
        &'a self,
        rows: &'a [OutboxRow],
        _: Timestamp,
    ) -> BoxFuture<'a, Result<(), NotifyError>> {
        Box::pin(async move {
            self.log
                .line(&format!("{} told {} again", self.name, rows.len()));
            Ok(())
        })
    }
}

struct Scene {
    store: Arc<Outbox>,
    receivers: Vec<Receiver>,
    log: Log,
    clock: Clock,
}

impl Scene {
    fn new() -> Self {
        let clock = Clock::simulated(START.parse().unwrap());
        Self {
            store: Arc::default(),
            receivers: Vec::new(),
            log: Log(Arc::default(), clock.clone()),
            clock,
        }
    }

    fn receiver(&mut self, name: &'static str, answers: &[Answer]) -> &mut Receiver {
        self.receivers.push(Receiver {
            name,
            answers: Mutex::new(answers.iter().cloned().collect()),
            gap: Span::ZERO,
            asserts: false,
            log: self.log.clone(),
        });
        self.receivers.last_mut().unwrap()
    }

    fn delivery(&self, notifiers: Notifiers) -> Delivery<Outbox> {
        Delivery {
            store: Arc::clone(&self.store),
            notifiers,
            clock: self.clock.clone(),
            wake: Arc::default(),
            metrics: DeliveryMetrics::default(),
            seed: 1,
        }
    }

    /// Runs the loop for so long, stops it, and returns what happened.
    async fn play(&mut self, seconds: u64) -> String {
        let notifiers = self.receivers.drain(..).map(|receiver| {
            let name = receiver.name.to_owned();
            (name, Arc::new(receiver) as Arc<dyn Notifier>)
        });
        let notifiers = notifiers.collect();
        let delivery = self.delivery(notifiers);
        let stop = CancellationToken::new();
        let later = async {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            stop.cancel();
        };
        let (ended, ()) = tokio::join!(delivery.run(stop.clone()), later);
        ended.unwrap();
        std::mem::take(&mut *self.log.0.lock().unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn notices_of_an_incident_keep_their_order_and_a_receiver_its_pace() {
    let mut scene = Scene::new();
    scene.receiver("chat", &[]).gap = Span::from_secs(1);
    let rose = Change::Rose {
        from: Severity::Ticket,
    };
    scene.store.add("a", "chat", 1).await;
    scene.store.add_change("a", "chat", 2, rose).await;
    scene.store.add("a", "chat", 3).await;
    scene.store.add("b", "chat", 1).await;
    insta::assert_snapshot!(scene.play(20).await, @r"
    0.0 chat a#1.0
    1.0 chat b#1.0
    2.0 chat a#2.0
    3.0 chat a#2.1
    4.0 chat a#2.2
    5.0 chat a#3.0
    ");
}

#[tokio::test(start_paused = true)]
async fn a_dead_or_slow_receiver_delays_no_other() {
    let mut scene = Scene::new();
    scene.receiver("dead", &vec![Answer::Later(None); 4]);
    scene.receiver("slow", &[Answer::Slow(9)]);
    scene.receiver("well", &[]);
    for receiver in ["dead", "slow", "well"] {
        scene.store.add("a", receiver, 1).await;
        scene.store.add("b", receiver, 1).await;
    }
    insta::assert_snapshot!(scene.play(60).await, @r"
    0.0 dead a#1.0 later
    0.0 well a#1.0
    0.0 well b#1.0
    0.2 dead a#1.0 later
    1.0 dead a#1.0 later
    2.8 dead a#1.0 later
    3.7 dead a#1.0
    3.7 dead b#1.0
    9.0 slow a#1.0
    9.0 slow b#1.0
    ");
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_asks_for_a_pause_gets_it_for_all_its_incidents() {
    let mut scene = Scene::new();
    scene.receiver("chat", &[Answer::Take, Answer::Later(Some(30))]);
    for incident in ["a", "b", "c"] {
        scene.store.add(incident, "chat", 1).await;
    }
    insta::assert_snapshot!(scene.play(60).await, @r"
     0.0 chat a#1.0
     0.0 chat b#1.0 later
    30.0 chat b#1.0
    30.0 chat c#1.0
    ");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_good_is_kept_and_holds_up_only_its_own_incident() {
    let mut scene = Scene::new();
    scene.receiver("chat", &[Answer::Never]);
    for (incident, sequence) in [("a", 1), ("a", 2), ("b", 1)] {
        scene.store.add(incident, "chat", sequence).await;
    }
    insta::assert_snapshot!(scene.play(300).await, @r"
    0.0 chat a#1.0 never
    0.0 chat b#1.0
    ");
    insta::assert_snapshot!(scene.store.waiting().await, @"chat 2: Some((\"mend the token\", true))");
    // Who restarts may have mended it, and should not have to wait to see.
    scene.receiver("chat", &[Answer::Never]);
    insta::assert_snapshot!(scene.play(700).await, @r"
    300.0 chat a#1.0 never
    900.0 chat a#1.0
    900.0 chat a#2.0
    ");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_told_twice_while_the_store_cannot_record() {
    let mut scene = Scene::new();
    scene.receiver("chat", &[]);
    scene.store.add("a", "chat", 1).await;
    scene.store.add("b", "chat", 1).await;
    scene.store.break_records(5, false);
    insta::assert_snapshot!(scene.play(20).await, @r"
    0.0 chat a#1.0
    5.0 chat b#1.0
    ");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_made_though_it_failed_is_not_made_twice() {
    let mut scene = Scene::new();
    scene.receiver("chat", &[]);
    let rose = Change::Rose {
        from: Severity::Ticket,
    };
    scene.store.add_change("a", "chat", 1, rose).await;
    scene.store.add("a", "chat", 2).await;
    scene.store.break_records(3, true);
    insta::assert_snapshot!(scene.play(20).await, @r"
    0.0 chat a#1.0
    1.0 chat a#1.1
    2.0 chat a#1.2
    3.0 chat a#2.0
    ");
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_sending_and_recording_repeats_one_call() {
    let mut scene = Scene::new();
    scene.receiver("chat", &[]);
    scene.store.add("a", "chat", 1).await;
    scene.store.add("a", "chat", 2).await;
    scene.store.break_records(u32::MAX, false);
    let mut seen = scene.play(10).await;
    scene.store.break_records(0, false);
    scene.receiver("chat", &[]);
    seen.push_str(&scene.play(10).await);
    insta::assert_snapshot!(seen, @r"
     0.0 chat a#1.0
    10.0 chat a#1.0
    10.0 chat a#2.0
    ");
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_forgets_is_told_again_every_minute() {
    let mut scene = Scene::new();
    scene.receiver("am", &[]).asserts = true;
    scene.store.add("a", "am", 1).await;
    insta::assert_snapshot!(scene.play(150).await, @r"
      0.0 am a#1.0
      0.0 am told 1 again
     60.0 am told 1 again
    120.0 am told 1 again
    ");
}

#[tokio::test(start_paused = true)]
async fn what_is_for_nobody_waits_and_says_so() {
    let mut scene = Scene::new();
    scene.store.add("a", "gone", 1).await;
    scene.play(60).await;
    insta::assert_snapshot!(scene.store.waiting().await, @"gone 1: Some((\"receiver `gone` is not defined (any more): define it, and what waits for it is told\", true))");
    scene.receiver("gone", &[]);
    insta::assert_snapshot!(scene.play(600).await, @"  60.0 gone a#1.0");
}

#[tokio::test(start_paused = true)]
async fn a_commit_wakes_the_loop_and_a_stop_lets_the_call_in_flight_end() {
    let mut scene = Scene::new();
    scene.receiver("chat", &[Answer::Slow(7)]);
    let receiver = scene.receivers.pop().unwrap();
    let receiver = Arc::new(receiver) as Arc<dyn Notifier>;
    let delivery = scene.delivery([("chat".to_owned(), receiver)].into_iter().collect());
    let (wake, stop) = (Arc::clone(&delivery.wake), CancellationToken::new());
    let play = async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        scene.store.add("a", "chat", 1).await;
        scene.store.add("b", "chat", 1).await;
        wake.notify_one();
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(delivery.run(stop.clone()), play);
    ended.unwrap();
    insta::assert_snapshot!(scene.log.0.lock().unwrap(), @"   8.5 chat a#1.0");
    insta::assert_snapshot!(scene.store.waiting().await, @"chat 1: None");
}
