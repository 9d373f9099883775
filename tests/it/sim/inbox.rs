//! A receiver in memory that keeps what it is told, and can be dead for a while.

use std::collections::BTreeSet;
use std::sync::Mutex;

use sloburn::alerting::notifier::{Accepted, BoxFuture, Notifier, NotifyError};
use sloburn::domain::incident::Change;
use sloburn::domain::notice::Notice;
use sloburn::domain::time::{TimeRange, Timestamp};
use sloburn::store::OutboxRow;

use super::seconds;

/// A receiver.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// While it takes nothing.
    dead: Option<TimeRange>,
    taken: Mutex<Vec<Taken>>,
    refused: Mutex<u32>,
}

/// One message that was taken.
#[derive(Debug)]
struct Taken {
    came: Timestamp,
    notice: Notice,
}

impl Inbox {
    pub(crate) fn dead(range: TimeRange) -> Self {
        Self {
            dead: Some(range),
            ..Self::default()
        }
    }

    /// What came, in the order in which it came: the deciding tick in seconds from the onset, the message's number in
    /// its incident, and what it says.
    pub(crate) fn lines(&self) -> Vec<(i64, String)> {
        let taken = self.taken.lock().unwrap();
        taken
            .iter()
            .map(|Taken { notice, .. }| line(notice))
            .collect()
    }

    /// How many incidents it was told of.
    pub(crate) fn incidents(&self) -> usize {
        let taken = self.taken.lock().unwrap();
        let incidents: BTreeSet<_> = taken.iter().map(|it| &it.notice.incident).collect();
        incidents.len()
    }

    /// When those messages came that did not come at their tick, in seconds from the onset.
    pub(crate) fn late(&self) -> Vec<i64> {
        let taken = self.taken.lock().unwrap();
        let late = taken.iter().filter(|it| it.came != it.notice.at);
        late.map(|it| seconds(it.came)).collect()
    }

    /// How many calls were refused.
    pub(crate) fn refused(&self) -> u32 {
        *self.refused.lock().unwrap()
    }

    fn answer(&self, row: &OutboxRow, now: Timestamp) -> Result<Accepted, NotifyError> {
        let is_dead = |range: TimeRange| range.from < now && now <= range.to;
        if self.dead.is_some_and(is_dead) {
            *self.refused.lock().unwrap() += 1;
            return Err(NotifyError::transient("nobody is there; wait"));
        }
        self.taken.lock().unwrap().push(Taken {
            came: now,
            notice: row.notice.clone(),
        });
        Ok(Accepted::DONE)
    }
}

fn line(notice: &Notice) -> (i64, String) {
    let change = match notice.change {
        Change::Opened => "opened",
        Change::Rose { .. } => "rose",
        Change::Fell { .. } => "fell",
        Change::Reminded => "reminded",
        Change::Closed(reason) => reason.name(),
    };
    let text = format!("{} {change} {}", notice.sequence, notice.severity);
    (seconds(notice.at), text)
}

impl Notifier for Inbox {
    fn call<'a>(
        &'a self,
        row: &'a OutboxRow,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Accepted, NotifyError>> {
        Box::pin(async move { self.answer(row, now) })
    }
}
