//! Paging by the place in an order, not by a number of items: what is added or removed between two
//! pages shifts nothing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How many items a page holds when nobody asks for another number.
const DEFAULT_LIMIT: usize = 100;

/// How many items a page holds at most.
pub(super) const MAX_LIMIT: usize = 1_000;

/// An item's place in an order: ranks first, then its own identity, which no two items share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place<'a> {
    /// The smaller, the earlier.
    pub(super) ranks: [i64; 3],
    /// What tells equals apart.
    pub(super) id: &'a str,
}

/// Which page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paging {
    /// How many items.
    pub(super) limit: usize,
    /// The place of the last item of the page before.
    pub(super) after: Option<([i64; 3], String)>,
}

impl Default for Paging {
    fn default() -> Self {
        Self {
            limit: DEFAULT_LIMIT,
            after: None,
        }
    }
}

impl Paging {
    /// Sorts `items`, and cuts out this page and the cursor of the next one. `order` names the
    /// order, so that a cursor is refused in another one.
    pub(super) fn cut<T>(
        &self,
        order: &str,
        mut items: Vec<(Place<'_>, T)>,
    ) -> (Vec<T>, Option<String>) {
        if let Some((ranks, id)) = &self.after {
            let after = Place { ranks: *ranks, id };
            items.retain(|(place, _)| *place > after);
        }
        items.sort_by_key(|(place, _)| *place);
        let more = items.len() > self.limit;
        items.truncate(self.limit);
        let last = items.last().filter(|_| more);
        let next = last.map(|(place, _)| cursor(order, place));
        (items.into_iter().map(|(_, item)| item).collect(), next)
    }
}

fn cursor(order: &str, place: &Place<'_>) -> String {
    let [a, b, c] = place.ranks;
    URL_SAFE_NO_PAD.encode(format!("{order} {a} {b} {c} {}", place.id))
}

/// The place that a cursor of `order` stands for; `None` when it is none of that order.
pub(super) fn parse_cursor(order: &str, text: &str) -> Option<([i64; 3], String)> {
    let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let mut parts = decoded.splitn(5, ' ');
    if parts.next()? != order {
        return None;
    }
    let mut rank = || parts.next()?.parse().ok();
    let ranks = [rank()?, rank()?, rank()?];
    Some((ranks, parts.next()?.to_owned()))
}

/// A rank that orders floats as numbers, with what is not known at the end.
pub(super) fn rank(value: Option<f64>) -> i64 {
    value.map_or(i64::MAX, |value| {
        let bits = value.to_bits().cast_signed();
        // The floats' own order, made that of integers: negative ones count downwards.
        if bits < 0 { bits ^ i64::MAX } else { bits }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_in_the_order_of_the_numbers() {
        let values = [f64::NEG_INFINITY, -2.0, -0.5, 0.0, 0.25, 1.0, f64::INFINITY];
        assert!(values.map(|value| rank(Some(value))).is_sorted());
        assert!(rank(Some(f64::INFINITY)) < rank(None));
    }

    #[test]
    fn pages_cover_every_item_once_even_when_items_come_and_go() {
        let ids = ["a", "b", "c d", "e", "f", "g"];
        let places = |ids: &[&'static str]| {
            let place = |id: &&'static str| {
                let ranks = [i64::from(*id < "c"), -1, 7];
                (Place { ranks, id }, *id)
            };
            ids.iter().map(place).collect::<Vec<_>>()
        };
        for limit in 1..=7 {
            let mut paging = Paging { limit, after: None };
            let mut seen = Vec::new();
            loop {
                let (items, next) = paging.cut("worst", places(&ids));
                assert!(items.len() <= limit);
                seen.extend(items);
                assert!(seen.len() <= ids.len(), "{seen:?} goes round in circles");
                let Some(next) = next else { break };
                paging.after = parse_cursor("worst", &next);
                assert!(paging.after.is_some());
            }
            assert_eq!(seen, ["c d", "e", "f", "g", "a", "b"], "{limit}");
        }
        let mut paging = Paging {
            limit: 2,
            after: None,
        };
        let (_, next) = paging.cut("name", places(&ids));
        paging.after = parse_cursor("name", &next.unwrap());
        let (items, _) = paging.cut("name", places(&["b", "c d", "f", "x"]));
        assert_eq!(items, ["f", "x"], "`e`, the last one seen, is gone");
    }

    #[test]
    fn a_cursor_of_another_order_or_of_nobody_is_refused() {
        let place = Place {
            ranks: [0, i64::MAX, i64::MIN],
            id: "shop/cart",
        };
        let good = cursor("worst", &place);
        assert_eq!(
            parse_cursor("worst", &good),
            Some((place.ranks, "shop/cart".into()))
        );
        for text in ["", "!", "d29yc3Q", "d29yc3QgMSAyIHggYQ", good.as_str()] {
            assert_eq!(parse_cursor("name", text), None, "{text}");
        }
        assert_eq!(parse_cursor("worst", "d29yc3QgMSAyIHggYQ"), None);
    }
}
