//! What the phases used, net of what Prometheus uses anyway.

use std::fmt;

/// What Prometheus used in one phase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Phase {
    /// In seconds.
    pub(crate) cpu: f64,
    /// That queries and rules loaded.
    pub(crate) samples: f64,
}

impl Phase {
    pub(crate) fn less(self, before: Self) -> Self {
        Self {
            cpu: self.cpu - before.cpu,
            samples: self.samples - before.samples,
        }
    }
}

/// The phases of one round, in their order; an idle one went before them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    pub(crate) peer: Phase,
    pub(crate) between: Phase,
    pub(crate) own: Phase,
    pub(crate) after: Phase,
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            peer,
            between,
            own,
            after,
        } = self;
        write!(
            f,
            "rules {:.2} CPU s, {:.0} samples; idle {:.2} CPU s; Sloburn {:.2} CPU s, {:.0} samples; idle {:.2} CPU s",
            peer.cpu, peer.samples, between.cpu, own.cpu, own.samples, after.cpu
        )
    }
}

/// All rounds.
#[derive(Debug)]
pub(crate) struct Report {
    /// The first phase of all, in which nothing asked for anything.
    idle: Phase,
    rounds: Vec<Round>,
}

/// The least, the middle and the greatest of some numbers.
struct Spread {
    least: f64,
    median: f64,
    greatest: f64,
}

impl Spread {
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let mut all: Vec<f64> = numbers.collect();
        all.sort_by(f64::total_cmp);
        Self {
            least: all[0],
            median: f64::midpoint(all[(all.len() - 1) / 2], all[all.len() / 2]),
            greatest: all[all.len() - 1],
        }
    }

    fn width(&self) -> f64 {
        self.greatest - self.least
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.3} ({:.3} to {:.3})",
            self.median, self.least, self.greatest
        )
    }
}

impl Report {
    pub(crate) fn new(idle: Phase) -> Self {
        Self {
            idle,
            rounds: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, round: Round) {
        self.rounds.push(round);
    }

    /// All idle phases, in the order of time.
    fn idle(&self) -> impl Iterator<Item = f64> {
        let later = self
            .rounds
            .iter()
            .flat_map(|it| [it.between.cpu, it.after.cpu]);
        std::iter::once(self.idle.cpu).chain(later)
    }

    /// What one phase of each round used less the mean of the idle phases beside it.
    fn net(&self) -> (Spread, Spread) {
        let idle: Vec<f64> = self.idle().collect();
        let beside = |first: usize| f64::midpoint(idle[first], idle[first + 1]);
        let rounds = || self.rounds.iter().enumerate();
        let peer = rounds().map(|(round, it)| it.peer.cpu - beside(2 * round));
        let own = rounds().map(|(round, it)| it.own.cpu - beside(2 * round + 1));
        (Spread::of(peer), Spread::of(own))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (peer, own) = self.net();
        let idle = Spread::of(self.idle());
        writeln!(
            f,
            "median (least to greatest) of {} rounds",
            self.rounds.len()
        )?;
        writeln!(f, "  idle         {idle} CPU s a phase")?;
        writeln!(f, "  rules, net   {peer} CPU s a phase")?;
        writeln!(f, "  Sloburn, net {own} CPU s a phase")?;
        if idle.width() > own.median / 2.0 {
            let bound = own.greatest.max(0.0) + idle.width();
            writeln!(
                f,
                "  Sloburn is below noise: at most {bound:.3} CPU s, 1/{:.0} of the rules",
                peer.median / bound
            )?;
        } else {
            writeln!(
                f,
                "  Sloburn needs 1/{:.0} of the rules' CPU",
                peer.median / own.median
            )?;
        }
        let samples = |of: fn(&Round) -> f64| Spread::of(self.rounds.iter().map(of));
        let (peer, own) = (samples(|it| it.peer.samples), samples(|it| it.own.samples));
        writeln!(
            f,
            "  rules        {:.0} samples loaded a phase",
            peer.median
        )?;
        writeln!(f, "  Sloburn      {:.0} samples loaded a phase", own.median)?;
        write!(
            f,
            "  Sloburn loads 1/{:.0} of the rules' samples",
            peer.median / own.median
        )
    }
}
