//! The bytes in which a chunk is kept: about 8 for a slot, where JSON takes 60.
//!
//! A version, then whole numbers as LEB128: the grain in milliseconds that divides the distances
//! of all slots, and how many slots follow. Of each slot: its distance from the one before in
//! grains, its flags (1: reconstructed, 2: bad is a float, 4: total is a float), bad, total, and
//! the covered milliseconds in zigzag. A count is a whole number, or a float of eight bytes, little-endian.

use crate::domain::slot::{Counts, Slot};
use crate::domain::time::Span;
use crate::ledger::chunk::{Chunk, ChunkKey};

use super::record::Unreadable;

const VERSION: u8 = 1;
const RECONSTRUCTED: u8 = 1;
const BAD_IS_FLOAT: u8 = 2;
const TOTAL_IS_FLOAT: u8 = 4;

/// The largest count that is kept as a whole number: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The bytes to keep of `chunk`; its lane and key are kept beside them.
pub(super) fn encode(chunk: &Chunk) -> Vec<u8> {
    let offsets: Vec<u64> = chunk
        .slots()
        .map(|(end, _)| unsigned(end.since(chunk.start())))
        .collect();
    let grain = offsets.iter().copied().fold(0, gcd).max(1);
    let mut bytes = vec![VERSION];
    write_whole(&mut bytes, grain);
    write_whole(&mut bytes, chunk.totals().slots());
    let mut before = 0;
    for ((_, slot), offset) in chunk.slots().zip(offsets) {
        write_whole(&mut bytes, (offset - before) / grain);
        before = offset;
        let (bad, total) = (whole(slot.counts.bad), whole(slot.counts.total));
        let flags = [
            (slot.reconstructed, RECONSTRUCTED),
            (bad.is_none(), BAD_IS_FLOAT),
            (total.is_none(), TOTAL_IS_FLOAT),
        ];
        bytes.push(flags.iter().map(|(set, flag)| u8::from(*set) * flag).sum());
        write_count(&mut bytes, bad, slot.counts.bad);
        write_count(&mut bytes, total, slot.counts.total);
        let covered = slot.covered.as_millis();
        write_whole(
            &mut bytes,
            ((covered << 1) ^ (covered >> 63)).cast_unsigned(),
        );
    }
    bytes
}

/// The chunk of `key` that was kept as `bytes`.
pub(super) fn decode(key: ChunkKey, bytes: &[u8]) -> Result<Chunk, Unreadable> {
    let mut reader = Reader(bytes);
    let version = reader.byte()?;
    if version != VERSION {
        return Err(Unreadable::Value(format!("version {version} of a chunk")));
    }
    let (grain, slots) = (reader.whole()?, reader.whole()?);
    let mut chunk = Chunk::new(key);
    let mut offset = 0_u64;
    for _ in 0..slots {
        let distance = reader.whole()?.checked_mul(grain);
        offset = distance
            .filter(|distance| *distance > 0)
            .and_then(|distance| offset.checked_add(distance))
            .filter(|offset| *offset <= unsigned(key.age.length()))
            .ok_or_else(damaged)?;
        let flags = reader.byte()?;
        let counts = Counts {
            bad: reader.count(flags & BAD_IS_FLOAT != 0)?,
            total: reader.count(flags & TOTAL_IS_FLOAT != 0)?,
        };
        let zigzag = reader.whole()?;
        let covered = (zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed());
        let slot = Slot {
            counts,
            covered: Span::from_millis(covered),
            reconstructed: flags & RECONSTRUCTED != 0,
        };
        chunk.add(key.start + Span::from_millis(offset.cast_signed()), &slot);
    }
    if reader.0.is_empty() {
        Ok(chunk)
    } else {
        Err(damaged())
    }
}

fn damaged() -> Unreadable {
    Unreadable::Value("a damaged chunk".to_owned())
}

fn unsigned(span: Span) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(0)
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// `count` as a whole number, when it is one that a float holds exactly.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be whole and within 0..=2^53"
)]
fn whole(count: f64) -> Option<u64> {
    (count.fract() == 0.0 && (0.0..=EXACT).contains(&count)).then_some(count as u64)
}

fn write_count(bytes: &mut Vec<u8>, whole: Option<u64>, count: f64) {
    match whole {
        Some(whole) => write_whole(bytes, whole),
        None => bytes.extend(count.to_le_bytes()),
    }
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn write_whole(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            return bytes.push(low);
        }
        bytes.push(low | 0x80);
    }
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8, Unreadable> {
        let (first, rest) = self.0.split_first().ok_or_else(damaged)?;
        self.0 = rest;
        Ok(*first)
    }

    fn whole(&mut self) -> Result<u64, Unreadable> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(damaged())
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "what was written as a whole number is at most 2^53"
    )]
    fn count(&mut self, is_float: bool) -> Result<f64, Unreadable> {
        if !is_float {
            return Ok(self.whole()? as f64);
        }
        let (bytes, rest) = self.0.split_first_chunk().ok_or_else(damaged)?;
        self.0 = rest;
        Ok(f64::from_le_bytes(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::time::Timestamp;
    use crate::ledger::chunk::Age;

    fn key(age: Age, start: i64) -> ChunkKey {
        let start = Timestamp::from_millis(start * age.length().as_millis());
        ChunkKey { age, start }
    }

    fn count() -> impl Strategy<Value = f64> {
        let whole = (0_u32..).prop_map(f64::from);
        prop_oneof![
            whole,
            prop::num::f64::NORMAL,
            Just(EXACT),
            Just(f64::INFINITY)
        ]
    }

    proptest! {
        #[test]
        fn chunks_come_back_as_they_went(
            start in -1_000_i64..1_000_000,
            age in prop_oneof![Just(Age::Recent), Just(Age::Old)],
            width in prop_oneof![Just(30_000_i64), Just(1_000), Just(7), Just(3_600_000)],
            slots in prop::collection::vec((1_i64..=3_600, count(), count(), -5_i64..100_000, any::<bool>()), 0..150),
            cut in 0_usize..200,
        ) {
            let key = key(age, start);
            let (start, length) = (key.start, age.length().as_millis());
            let mut chunk = Chunk::new(key);
            for (ordinal, bad, total, covered, reconstructed) in slots {
                let offset = (ordinal * width).min(length);
                let counts = Counts { bad, total };
                let slot = Slot { counts, covered: Span::from_millis(covered), reconstructed };
                if chunk.slots().all(|(end, _)| end != start + Span::from_millis(offset)) {
                    chunk.add(start + Span::from_millis(offset), &slot);
                }
            }
            let bytes = encode(&chunk);
            let back = decode(key, &bytes).unwrap();
            prop_assert!(back.slots().eq(chunk.slots()));
            let cut = cut.min(bytes.len() - 1);
            prop_assert!(decode(key, &bytes[..cut]).is_err(), "a part is not a chunk");
        }

        #[test]
        fn bytes_of_any_kind_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut bytes = bytes;
            if let Some(first) = bytes.first_mut() {
                *first = VERSION;
            }
            if let Ok(chunk) = decode(key(Age::Recent, 0), &bytes) {
                prop_assert!(chunk.slots().all(|(end, _)| end <= key(Age::Recent, 0).end()));
            }
        }
    }

    #[test]
    fn an_hour_of_a_busy_service_takes_a_kilobyte() {
        let mut chunk = Chunk::new(key(Age::Recent, 0));
        for slot in 1..=120 {
            let counts = Counts {
                bad: 3.0,
                total: 30_000.0,
            };
            let covered = Span::from_secs(30);
            let reconstructed = false;
            chunk.add(
                Timestamp::from_millis(slot * 30_000),
                &Slot {
                    counts,
                    covered,
                    reconstructed,
                },
            );
        }
        assert_eq!(encode(&chunk).len(), 1 + 3 + 1 + 120 * 9);
        let newer = [&[VERSION + 1], &encode(&chunk)[1..]].concat();
        let refusal = decode(key(Age::Recent, 0), &newer).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "the record holds `version 2 of a chunk`, which is not known"
        );
    }
}
