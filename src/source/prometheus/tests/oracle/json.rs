//! JSON as it is written, which `serde_json` reads and nothing is left out of.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// JSON as it is written: with the order of its keys, and with those that come twice.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

struct JsonVisitor;

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "so does the decoder")]
    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "so does the decoder")]
    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Json::Object(pairs))
    }
}

impl Json {
    /// The value of a key; `Err` when it comes twice or this is no object, for the whole is no answer then.
    pub(super) fn key(&self, wanted: &str) -> Result<Option<&Self>, Other> {
        self.only(wanted, |_| true)
    }

    /// As [`key`](Self::key), where `null` is as good as nothing.
    pub(super) fn some(&self, wanted: &str) -> Result<Option<&Self>, Other> {
        self.only(wanted, |value| *value != Self::Null)
    }

    fn only(&self, wanted: &str, is_there: fn(&Self) -> bool) -> Result<Option<&Self>, Other> {
        let Self::Object(pairs) = self else {
            return Err(Other);
        };
        let mut found = pairs
            .iter()
            .filter(|(name, value)| name == wanted && is_there(value));
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(Other),
            (first, None) => Ok(first.map(|(_, value)| value)),
        }
    }

    pub(super) fn text(&self) -> Result<&str, Other> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(Other),
        }
    }

    pub(super) fn list(&self) -> Result<&[Self], Other> {
        match self {
            Self::List(list) => Ok(list),
            _ => Err(Other),
        }
    }

    pub(super) fn texts(&self) -> Result<Vec<String>, Other> {
        let texts = self.list()?.iter().map(|text| Ok(text.text()?.to_owned()));
        texts.collect()
    }
}

/// Some other JSON than an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Other;
