//! The codes of faults in definitions. A code never changes its meaning and is never used again.

/// A file or folder cannot be read.
pub(super) const UNREADABLE: &str = "SB0001";
/// A file is larger than 1 MiB.
pub(super) const TOO_LARGE: &str = "SB0002";
/// A folder without definitions.
pub(super) const NOTHING_FOUND: &str = "SB0003";
/// Definitions without objectives.
pub const NO_OBJECTIVES: &str = "SB0005";
/// Definitions that are right by themselves, and cannot be worked with here.
pub const UNUSABLE: &str = "SB0006";

/// Not YAML.
pub(super) const SYNTAX: &str = "SB0101";
/// More nodes, aliases or levels than a person writes.
pub(super) const TOO_COMPLEX: &str = "SB0102";
/// A key that comes twice.
pub(super) const DUPLICATE_KEY: &str = "SB0103";
/// A key that is needed.
pub(super) const MISSING_KEY: &str = "SB0104";
/// A key that is not known at this place.
pub(super) const UNKNOWN_KEY: &str = "SB0105";
/// A map, a list or a text where another of them is due.
pub(super) const WRONG_TYPE: &str = "SB0106";
/// A document of unknown kind or version.
pub(super) const UNKNOWN_KIND: &str = "SB0107";
/// A key without a value, or an empty list.
pub(super) const EMPTY: &str = "SB0108";
/// None, or more than one, of several keys that exclude one another.
pub(super) const CHOICE: &str = "SB0109";
/// An item that a list has already.
pub(super) const DUPLICATE_ITEM: &str = "SB0110";

/// Not an objective.
pub(super) const OBJECTIVE: &str = "SB0201";
/// Not a length of time, or not a usable one.
pub(super) const DURATION: &str = "SB0202";
/// Not a number, percentage or rate in its range.
pub(super) const NUMBER: &str = "SB0203";
/// Not a name.
pub(super) const NAME: &str = "SB0204";
/// Not one of a few words.
pub(super) const WORD: &str = "SB0205";
/// Not an address.
pub(super) const URL: &str = "SB0206";
/// A secret in the file itself.
pub(super) const SECRET: &str = "SB0207";
/// Not a time zone.
pub(super) const TIME_ZONE: &str = "SB0208";
/// A secret that is sent where others can read it on its way.
pub(super) const IN_THE_CLEAR: &str = "SB0209";

/// Not PromQL, or not the PromQL that is due.
pub(super) const PROMQL: &str = "SB0301";
/// A metric whose name or unit does not fit its use.
pub(super) const METRIC: &str = "SB0302";
/// A condition that the total excludes.
pub(super) const NEVER_MATCHES: &str = "SB0303";
/// A pattern where values are compared letter by letter.
pub(super) const PATTERN: &str = "SB0304";

/// A name that is taken.
pub(super) const DUPLICATE_NAME: &str = "SB0401";
/// An identity that is taken.
pub(super) const DUPLICATE_UID: &str = "SB0402";
/// An alert policy that is not defined.
pub(super) const UNKNOWN_POLICY: &str = "SB0403";
/// A receiver that is not defined.
pub(super) const UNKNOWN_RECEIVER: &str = "SB0404";
/// A source that is not configured.
pub(super) const UNKNOWN_SOURCE: &str = "SB0405";
/// Nothing says who is told.
pub(super) const NO_ROUTING: &str = "SB0406";
/// A template that is not defined.
pub(super) const UNKNOWN_TEMPLATE: &str = "SB0407";
/// A parameter that a template has not, or that is missing.
pub(super) const PARAMETER: &str = "SB0408";
/// An objective that a template has not.
pub(super) const UNKNOWN_OBJECTIVE: &str = "SB0409";

/// A source that cannot give what an indicator needs.
pub(super) const UNFIT_SOURCE: &str = "SB0410";
/// A key or a label of groups where nothing is grouped, or not by this label.
pub(super) const NOT_GROUPED: &str = "SB0411";
/// Groups that are expected but cannot be told, or are more than are allowed.
pub(super) const GROUPS: &str = "SB0412";
/// A condition on groups that matches none of the expected ones.
pub(super) const NO_SUCH_GROUP: &str = "SB0413";

/// A label of groups that has but one value.
pub(super) const ONE_GROUP: &str = "SB0414";

/// A route that is never taken.
pub(super) const NEVER_TAKEN: &str = "SB0415";

/// A tier whose short window is not shorter than its long one.
pub(super) const TIER_ORDER: &str = "SB0501";
/// A tier that looks further back than the objective's window.
pub(super) const TIER_TOO_LONG: &str = "SB0502";
/// A tier that cannot fire even when everything fails.
pub(super) const TIER_NEVER_FIRES: &str = "SB0503";
/// A short window with too few samples in it.
pub(super) const TIER_TOO_SHORT: &str = "SB0504";

/// A source that cannot be read.
pub const UNREAD: &str = "SB0601";
/// A selector or an expression that finds no series.
pub const NO_SERIES: &str = "SB0602";
/// A selector of bad events that finds no series: perhaps nothing ever failed.
pub const NEVER_BAD: &str = "SB0603";
/// A threshold that is no boundary of its histogram, or a histogram of another kind.
pub const NO_BUCKET: &str = "SB0604";
/// Bad (or good) events that are none of the total.
pub const OUTSIDE: &str = "SB0605";
/// An objective that is finer than its events can show.
pub const TOO_FINE: &str = "SB0606";
/// A label of groups that no series has.
pub const NO_SUCH_LABEL: &str = "SB0607";
/// An objective that is not measured, for another reason.
pub const UNMEASURED: &str = "SB0608";
/// Series that two selectors match whose events are added up.
pub const DOUBLED: &str = "SB0609";
/// A metric whose values are of another kind than those that are due.
pub const OTHER_KIND: &str = "SB0610";
