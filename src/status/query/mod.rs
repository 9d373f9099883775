//! What lists can be asked for: filters, order and page. Everything unknown is refused with what
//! is allowed.

mod explain;
mod history;
mod incidents;
mod instance;
mod parameters;
mod services;
mod slos;

pub use explain::ExplainQuery;
pub use history::{Format, HistoryQuery};
pub use incidents::IncidentQuery;
pub use instance::{id, is_well_formed};
pub use parameters::{QueryError, none};
pub use services::ServiceQuery;
pub use slos::SloQuery;
