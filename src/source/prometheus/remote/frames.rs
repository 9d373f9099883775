//! The frames of a streamed answer: a length, a checksum (CRC-32C), and that many bytes.

use super::proto::{Malformed, read_varint, take};

/// The contents of the next frame; `None` at the end.
pub(super) fn next<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Malformed> {
    if rest.is_empty() {
        return Ok(None);
    }
    let length = usize::try_from(read_varint(rest)?).map_err(|_| Malformed)?;
    let told = take(rest, 4)?.try_into().map_err(|_| Malformed)?;
    let content = take(rest, length)?;
    if checksum(content) == u32::from_be_bytes(told) {
        Ok(Some(content))
    } else {
        Err(Malformed)
    }
}

/// Castagnoli's polynomial, its bits reversed.
const POLYNOMIAL: u32 = 0x82f6_3b78;

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let (mut byte, mut place) = (0_u32, 0);
    while place < 256 {
        let mut value = byte;
        let mut bit = 0;
        while bit < 8 {
            value = (value >> 1) ^ (POLYNOMIAL & 0_u32.wrapping_sub(value & 1));
            bit += 1;
        }
        table[place] = value;
        place += 1;
        byte += 1;
    }
    table
};

/// The CRC-32C of some bytes.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        let [low, ..] = sum.to_le_bytes();
        (sum >> 8) ^ TABLE[usize::from(low ^ byte)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_taken_whole_and_unharmed_or_not_at_all() {
        let digits = b"123456789";
        assert_eq!(checksum(digits), 0xe306_9283);
        let mut frame = vec![9];
        frame.extend(checksum(digits).to_be_bytes());
        frame.extend(digits);
        assert_eq!(next(&mut &frame[..]), Ok(Some(&digits[..])));
        assert_eq!(next(&mut &frame[..10]), Err(Malformed));
        frame[7] ^= 1;
        assert_eq!(next(&mut &frame[..]), Err(Malformed));
        assert_eq!(next(&mut &[][..]), Ok(None));
    }
}
