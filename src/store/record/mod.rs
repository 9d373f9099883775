//! The JSON in which the store keeps what has no columns of its own. The domain knows nothing of
//! it, so a name that changes there does not change what older files hold.
//!
//! A field that is not known is passed over, and a field that may be missing is read as empty: a
//! file of the version before can be read, and by it.

mod incident;
mod leaf;
mod notice;
mod walk;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value of the domain that is kept as JSON.
pub(super) trait Record: Sized {
    /// Its shape.
    type Json: Serialize + DeserializeOwned;

    fn to_json(&self) -> Self::Json;

    fn from_json(json: Self::Json) -> Result<Self, Unreadable>;
}

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// Not JSON of the expected shape.
    #[error("the record has an unknown shape")]
    Shape(#[from] serde_json::Error),
    /// A word or number that means nothing.
    #[error("the record holds `{0}`, which is not known")]
    Value(String),
}

/// The text to keep.
pub(super) fn write<T: Record>(value: &T) -> Result<String, Unreadable> {
    Ok(serde_json::to_string(&value.to_json())?)
}

/// The value that a kept text stands for.
pub(super) fn read<T: Record>(text: &str) -> Result<T, Unreadable> {
    T::from_json(serde_json::from_str(text)?)
}

/// Declares the JSON object of a struct, field by field: `name: type`, with serde's attributes
/// where the JSON differs. Names in JSON are camelCase.
macro_rules! object {
    ($domain:ident as $json:ident { $($(#[$meta:meta])* $field:ident: $kind:ty,)* }) => {
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub(in crate::store) struct $json {
            $($(#[$meta])* $field: <$kind as Record>::Json,)*
        }

        impl Record for $domain {
            type Json = $json;

            fn to_json(&self) -> $json {
                $json { $($field: self.$field.to_json(),)* }
            }

            fn from_json(json: $json) -> Result<Self, Unreadable> {
                Ok(Self { $($field: Record::from_json(json.$field)?,)* })
            }
        }
    };
}
use object;

#[cfg(test)]
mod tests;
