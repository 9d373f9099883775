//! What was killed in the midst of what.

use std::collections::BTreeMap;
use std::fmt;

use super::calls::Call;

/// Why a kill came when it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Slack refused.
    Refused,
    /// Slack had taken a call and held its answer back.
    HeldBack,
    /// A tick's samples were read and its commit was not made.
    BeforeCommit,
    /// By chance.
    Random,
    /// Meant for another phase, which it missed.
    Elsewhere,
}

impl Phase {
    const ALL: [Self; 5] = [
        Self::Refused,
        Self::HeldBack,
        Self::BeforeCommit,
        Self::Random,
        Self::Elsewhere,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Refused => "while Slack refused",
            Self::HeldBack => "while Slack held its answer back",
            Self::BeforeCommit => "between read and commit",
            Self::Random => "at random instants",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// All kills so far.
#[derive(Debug, Default)]
pub(super) struct Kills {
    /// By phase: how many, and how many of them inside a send.
    phases: BTreeMap<Phase, (u32, u32)>,
    /// By call: how many came after Slack took a copy of it and before the store knew, and how many copies there were.
    inside: BTreeMap<Call, (u32, u32)>,
}

impl Kills {
    /// Counts a kill. Of the calls that Slack took so far and how often, `unknown` are not known to the store; the
    /// kill was inside those of which there is a new copy. Says whether there are any.
    pub(super) fn note(
        &mut self,
        phase: Phase,
        taken: &BTreeMap<Call, u32>,
        unknown: &[Call],
    ) -> bool {
        let mut inside_any = false;
        for call in unknown {
            let copies = taken.get(call).copied().unwrap_or_default();
            let (inside, seen) = self.inside.entry(call.clone()).or_default();
            if copies > *seen {
                (*inside, *seen, inside_any) = (*inside + 1, copies, true);
            }
        }
        let (kills, sends) = self.phases.entry(phase).or_default();
        (*kills, *sends) = (*kills + 1, *sends + u32::from(inside_any));
        inside_any
    }

    /// How many came inside the sending of this call.
    pub(super) fn inside(&self, call: &Call) -> u32 {
        self.inside
            .get(call)
            .map(|(inside, _)| *inside)
            .unwrap_or_default()
    }

    fn of(&self, phase: Phase) -> (u32, u32) {
        self.phases.get(&phase).copied().unwrap_or_default()
    }

    pub(super) fn assert_all_phases(&self) {
        for phase in Phase::ALL {
            let wanted = match phase {
                Phase::Random => 20,
                Phase::Elsewhere => 0,
                _ => 1,
            };
            assert!(self.of(phase).0 >= wanted, "too few kills {}", phase.name());
        }
    }
}

impl fmt::Display for Kills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kill: kills, and those of them inside a send:")?;
        for phase in Phase::ALL {
            let (kills, sends) = self.of(phase);
            write!(f, " {} {kills} ({sends});", phase.name())?;
        }
        Ok(())
    }
}
