//! Chunks of samples as Prometheus stores them: differences of differences of times, and values as what
//! differs in their bits from the ones before ("Gorilla: a fast, scalable, in-memory time series database").

use crate::domain::time::Timestamp;
use crate::series::batch::Sample;

use super::proto::Malformed;

/// Hands on the samples of a chunk, oldest first, until one is refused.
pub(super) fn samples<E: From<Malformed>>(
    chunk: &[u8],
    mut each: impl FnMut(Sample) -> Result<(), E>,
) -> Result<(), E> {
    let (count, bits) = chunk.split_at_checked(2).ok_or(Malformed)?;
    let count = u16::from_be_bytes([count[0], count[1]]);
    let mut bits = Bits::of(bits);
    let (mut at, mut step, mut value) = (0_i64, 0_i64, 0_u64);
    let mut window = Window::default();
    for index in 0..count {
        match index {
            0 => {
                let zigzag = bits.varint()?;
                at = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
                value = bits.take(64)?;
            }
            1 => {
                step = bits.varint()?.cast_signed();
                at = at.wrapping_add(step);
                value ^= window.difference(&mut bits)?;
            }
            _ => {
                step = step.wrapping_add(second_difference(&mut bits)?);
                at = at.wrapping_add(step);
                value ^= window.difference(&mut bits)?;
            }
        }
        each(Sample {
            at: Timestamp::from_millis(at),
            value: f64::from_bits(value),
        })?;
    }
    Ok(())
}

/// By how much the distance of two samples differs from the one before.
fn second_difference(bits: &mut Bits<'_>) -> Result<i64, Malformed> {
    for width in [0, 14, 17, 20] {
        if bits.take(1)? == 0 {
            return if width == 0 {
                Ok(0)
            } else {
                let value = bits.take(width)?.cast_signed();
                let half = 1_i64 << (width - 1);
                Ok(if value > half {
                    value - 2 * half
                } else {
                    value
                })
            };
        }
    }
    Ok(bits.take(64)?.cast_signed())
}

/// Which bits of a value differ from the one before.
#[derive(Default)]
struct Window {
    width: u32,
    trailing: u32,
}

impl Window {
    fn difference(&mut self, bits: &mut Bits<'_>) -> Result<u64, Malformed> {
        if bits.take(1)? == 0 {
            return Ok(0);
        }
        if bits.take(1)? == 1 {
            let leading = u32::try_from(bits.take(5)?).map_err(|_| Malformed)?;
            let width = u32::try_from(bits.take(6)?).map_err(|_| Malformed)?;
            // Six bits cannot say 64, and nothing needs to say 0.
            self.width = if width == 0 { 64 } else { width };
            self.trailing = 64_u32.checked_sub(leading + self.width).ok_or(Malformed)?;
        }
        Ok(bits.take(self.width)? << self.trailing)
    }
}

/// Bits, the highest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    /// Those that were taken out of the bytes and not used yet, at its lower end.
    buffer: u64,
    left: u32,
}

impl<'a> Bits<'a> {
    const fn of(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            buffer: 0,
            left: 0,
        }
    }

    /// The next `count` bits, of at most 64.
    fn take(&mut self, count: u32) -> Result<u64, Malformed> {
        if count > 32 {
            let high = self.take(count - 32)?;
            return Ok(high << 32 | self.take(32)?);
        }
        while self.left < count {
            let (byte, rest) = self.bytes.split_first().ok_or(Malformed)?;
            self.buffer = self.buffer << 8 | u64::from(*byte);
            self.left += 8;
            self.bytes = rest;
        }
        self.left -= count;
        Ok(self.buffer >> self.left & ((1 << count) - 1))
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(8)?;
            value |= (byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }
}
