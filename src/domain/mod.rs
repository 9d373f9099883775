//! The domain: what objectives, budgets, tiers, incidents and notices are. Values in, values out;
//! no input or output, no clock, no serialisation.

pub mod budget;
pub mod calendar;
pub mod contributors;
pub mod decimal;
pub mod evidence;
pub mod fingerprint;
pub mod group;
pub mod guard;
pub mod incident;
pub mod indicator;
pub mod labels;
pub mod measurement;
pub mod metric;
pub mod notice;
pub mod objective;
pub mod policy;
pub mod punctuality;
pub mod quantity;
pub mod refusal;
pub mod route;
pub mod selector;
pub mod slices;
pub mod slo;
pub mod slot;
pub mod time;
pub mod versions;
