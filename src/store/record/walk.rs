//! Stretches of the past, the loose ends of their series, and the groups of objectives.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::evidence::Evidence;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::labels::Labels;
use crate::domain::refusal::Refusal;
use crate::domain::slo::{SloId, SourceName};
use crate::domain::time::{Span, Timestamp};
use crate::series::batch::Sample;
use crate::series::cursor::{Cursor, IgnoredBirth, Increase};
use crate::series::past::{Judgement, LooseEnd, LooseEnds, Worth};
use crate::series::slices::missing::Behind;

use super::super::commit::{FamilyKey, GroupRecord, LaneKey, MeterKey, WalkRecord, WalkedFamily};
use super::{Record, Unreadable, object};

/// A lane; one that was kept before indicators were told apart names none.
#[derive(Serialize, Deserialize)]
pub(in crate::store) struct LaneJson {
    slo: String,
    #[serde(default)]
    indicator: u64,
    lane: u16,
}

impl Record for LaneKey {
    type Json = LaneJson;

    fn to_json(&self) -> LaneJson {
        LaneJson {
            slo: self.meter.slo.to_string(),
            indicator: self.meter.indicator.bits(),
            lane: self.lane,
        }
    }

    fn from_json(json: LaneJson) -> Result<Self, Unreadable> {
        Ok(Self {
            meter: MeterKey {
                slo: SloId::new(json.slo),
                indicator: Fingerprint::from_bits(json.indicator),
            },
            lane: json.lane,
        })
    }
}

object!(FamilyKey as FamilyJson {
    source: SourceName,
    metric: String,
});

object!(WalkedFamily as WalkedJson {
    key: FamilyKey,
    interval: Span,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    loose: LooseEnds,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    older: BTreeMap<Labels, Cursor>,
});

object!(WalkRecord as WalkJson {
    lanes: Vec<LaneKey>,
    families: Vec<WalkedFamily>,
    seam: Timestamp,
    goal: Timestamp,
    reached: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    behind: BTreeMap<LaneKey, Behind>,
});

object!(GroupRecord as GroupsJson {
    by: Vec<String>,
    groups: BTreeSet<Labels>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refusal: Option<Refusal>,
});

/// How long groups are refused.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(in crate::store) enum RefusalJson {
    Waiting { since: i64 },
    Told { since: i64 },
    Holding { since: i64, clear: i64 },
}

impl Record for Refusal {
    type Json = RefusalJson;

    fn to_json(&self) -> RefusalJson {
        match self {
            Self::Waiting { since } => RefusalJson::Waiting {
                since: since.to_json(),
            },
            Self::Told { since } => RefusalJson::Told {
                since: since.to_json(),
            },
            Self::Holding { since, clear } => RefusalJson::Holding {
                since: since.to_json(),
                clear: clear.to_json(),
            },
        }
    }

    fn from_json(json: RefusalJson) -> Result<Self, Unreadable> {
        let at = Timestamp::from_millis;
        Ok(match json {
            RefusalJson::Waiting { since } => Self::Waiting { since: at(since) },
            RefusalJson::Told { since } => Self::Told { since: at(since) },
            RefusalJson::Holding { since, clear } => Self::Holding {
                since: at(since),
                clear: at(clear),
            },
        })
    }
}

object!(Sample as SampleJson {
    at: Timestamp,
    value: f64,
});

object!(IgnoredBirth as IgnoredJson {
    at: Timestamp,
    value: f64,
    #[serde(default = "evidence_of_old")]
    evidence: Evidence,
});

object!(Increase as IncreaseJson {
    from: Timestamp,
    to: Timestamp,
    events: f64,
    gap: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    reset: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence>,
});

/// Files of before it was kept do not say.
fn evidence_of_old() -> String {
    Evidence::Pace.name().to_owned()
}

object!(Cursor as CursorJson {
    at: Timestamp,
    value: f64,
    interval: Span,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    birth: Option<(Timestamp, f64)>,
});

object!(Judgement as JudgementJson {
    born: Worth,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fallen: Option<Cursor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    returned: Option<Cursor>,
});

object!(LooseEnd as LooseEndJson {
    first: Sample,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    judgement: Option<Judgement>,
});

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) enum WorthJson {
    WasThere,
    Counted(IncreaseJson),
    Ignored(IgnoredJson),
}

impl Record for Worth {
    type Json = WorthJson;

    fn to_json(&self) -> WorthJson {
        match self {
            Self::WasThere => WorthJson::WasThere,
            Self::Counted(increase) => WorthJson::Counted(increase.to_json()),
            Self::Ignored(birth) => WorthJson::Ignored(birth.to_json()),
        }
    }

    fn from_json(json: WorthJson) -> Result<Self, Unreadable> {
        Ok(match json {
            WorthJson::WasThere => Self::WasThere,
            WorthJson::Counted(increase) => Self::Counted(Record::from_json(increase)?),
            WorthJson::Ignored(birth) => Self::Ignored(Record::from_json(birth)?),
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::store) enum BehindJson {
    Seen,
    Unseen(<Option<Timestamp> as Record>::Json),
}

impl Record for Behind {
    type Json = BehindJson;

    fn to_json(&self) -> BehindJson {
        match self {
            Self::Seen => BehindJson::Seen,
            Self::Unseen(waiting) => BehindJson::Unseen(waiting.to_json()),
        }
    }

    fn from_json(json: BehindJson) -> Result<Self, Unreadable> {
        Ok(match json {
            BehindJson::Seen => Self::Seen,
            BehindJson::Unseen(waiting) => Self::Unseen(Record::from_json(waiting)?),
        })
    }
}

impl Record for BTreeMap<LaneKey, Behind> {
    type Json = Vec<(LaneJson, BehindJson)>;

    fn to_json(&self) -> Self::Json {
        let pair = |(lane, behind): (&LaneKey, &Behind)| (lane.to_json(), behind.to_json());
        self.iter().map(pair).collect()
    }

    fn from_json(json: Self::Json) -> Result<Self, Unreadable> {
        let pair = |(lane, behind)| Ok((LaneKey::from_json(lane)?, Behind::from_json(behind)?));
        json.into_iter().map(pair).collect()
    }
}

impl Record for BTreeSet<Labels> {
    type Json = Vec<<Labels as Record>::Json>;

    fn to_json(&self) -> Self::Json {
        self.iter().map(Record::to_json).collect()
    }

    fn from_json(json: Self::Json) -> Result<Self, Unreadable> {
        json.into_iter().map(Labels::from_json).collect()
    }
}

impl<T: Record> Record for BTreeMap<Labels, T> {
    type Json = Vec<(<Labels as Record>::Json, T::Json)>;

    fn to_json(&self) -> Self::Json {
        let pair = |(labels, value): (&Labels, &T)| (labels.to_json(), value.to_json());
        self.iter().map(pair).collect()
    }

    fn from_json(json: Self::Json) -> Result<Self, Unreadable> {
        let pair = |(labels, value)| Ok((Labels::from_json(labels)?, T::from_json(value)?));
        json.into_iter().map(pair).collect()
    }
}
