//! PromQL as far as definitions and sources need it: reading and printing selectors, checking
//! expressions, and matching labels exactly as Prometheus does.

mod error;
mod expression;
mod lex;
mod matching;
mod print;
mod re2;
mod selector;

pub use error::PromqlError;
pub use expression::WINDOW;
pub use expression::{check_expression, check_value, metrics_of};
pub use matching::CompiledMatchers;
pub use matching::Patterns;
pub use print::conditions_text;
pub use print::{label_text, selector_text};
pub use re2::literals;
pub use selector::parse_matchers;
pub use selector::parse_selector;

/// The longest text that is parsed, in bytes.
pub const MAX_LENGTH: usize = 64 * 1024;
