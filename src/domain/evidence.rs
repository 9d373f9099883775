//! What shows when the events happened that the first value of a counter tells of.

/// Why a value that no older sample of its series explains was counted, or was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// A series of the same target ended as this one began, with one label more or less: the
    /// counter goes on under another name.
    Renamed,
    /// The series returned after its target was scraped without it, or with a process that began
    /// anew: it counts from zero.
    Anew,
    /// Its target was scraped before without it: it was at zero then.
    Absent,
    /// Its process began after the scrape before, or was young: all that it counted is new.
    Process,
    /// Its process is older than that, or no process counts so fast: the value is a lifetime's.
    OlderProcess,
    /// Nothing but how fast it goes on: within ten scrapes it makes as much again, or it does not.
    Pace,
}

impl Evidence {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Renamed,
        Self::Anew,
        Self::Absent,
        Self::Process,
        Self::OlderProcess,
        Self::Pace,
    ];

    /// The name used in the store and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Renamed => "renamed",
            Self::Anew => "anew",
            Self::Absent => "absent",
            Self::Process => "process",
            Self::OlderProcess => "olderProcess",
            Self::Pace => "pace",
        }
    }
}
