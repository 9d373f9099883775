//! Receivers that come, go and change while there is something for them.

use super::*;

fn notifiers(receivers: &[(&str, &Arc<dyn Notifier>)]) -> Notifiers {
    let entries = receivers.iter();
    let entries = entries.map(|(name, it)| ((*name).to_owned(), Arc::clone(it)));
    entries.collect()
}

#[tokio::test(start_paused = true)]
async fn receivers_change_without_a_message_lost_or_doubled() {
    let mut scene = Scene::new();
    scene.receiver("stays", &[Answer::Later(Some(30))]);
    scene.receiver("old", &[Answer::Slow(9)]);
    scene.receiver("goes", &[Answer::Slow(9)]);
    scene.receiver("new", &[]);
    scene.receiver("comes", &[]);
    let receivers = std::mem::take(&mut scene.receivers);
    let mut made = receivers
        .into_iter()
        .map(|receiver| Arc::new(receiver) as Arc<dyn Notifier>);
    let [stays, old, goes, new, comes] = std::array::from_fn(|_| made.next().unwrap());
    for receiver in ["stays", "changes", "goes", "comes"] {
        for incident in ["a", "b"] {
            scene.store.add(incident, receiver, 1).await;
        }
    }
    let delivery = scene.delivery(notifiers(&[
        ("stays", &stays),
        ("changes", &old),
        ("goes", &goes),
    ]));
    let (news, newest) = watch::channel(Notifiers::default());
    let stop = CancellationToken::new();
    let play = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        news.send_replace(notifiers(&[
            ("stays", &stays),
            ("changes", &new),
            ("comes", &comes),
        ]));
        tokio::time::sleep(Duration::from_mins(1)).await;
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(delivery.run_following(newest, stop.clone()), play);
    ended.unwrap();
    // Calls in flight end with whom they began; who stays keeps its pause.
    insta::assert_snapshot!(scene.log.0.lock().unwrap(), @r"
     0.0 stays a#1.0 later
     5.0 comes a#1.0
     5.0 comes b#1.0
     9.0 old a#1.0
     9.0 goes a#1.0
     9.0 new b#1.0
    30.0 stays a#1.0
    30.0 stays b#1.0
    ");
    insta::assert_snapshot!(scene.store.waiting().await, @"goes 1: Some((\"receiver `goes` is not defined (any more): define it, and what waits for it is told\", true))");
}
