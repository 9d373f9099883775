//! What lists can be asked for: filters, order and page. Everything unknown is refused with what
//! is allowed.

mod explain;
mod history;
mod incidents;
mod parameters;
mod services;
mod slos;

pub use explain::ExplainQuery;
pub use history::{Format, HistoryQuery};
pub use incidents::IncidentQuery;
pub use parameters::{QueryError, id, none};
pub use services::ServiceQuery;
pub use slos::SloQuery;
