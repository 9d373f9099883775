//! The little of protobuf's wire format that remote read needs.

/// A field of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// A whole number.
    Varint(u64),
    /// Eight bytes.
    Fixed64(u64),
    /// Bytes, text, or a message.
    Bytes(&'a [u8]),
}

/// The bytes end too early, or are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The fields of a message, in their order.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) const fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// `None` when it is of a kind that nothing here has.
    fn next_field(&mut self) -> Result<Option<(u64, Value<'a>)>, Malformed> {
        let key = read_varint(&mut self.rest)?;
        let value = match key & 7 {
            0 => Value::Varint(read_varint(&mut self.rest)?),
            1 => {
                let bytes = take(&mut self.rest, 8)?;
                let bytes = bytes.try_into().map_err(|_| Malformed)?;
                Value::Fixed64(u64::from_le_bytes(bytes))
            }
            2 => {
                let length = read_varint(&mut self.rest)?;
                let length = usize::try_from(length).map_err(|_| Malformed)?;
                Value::Bytes(take(&mut self.rest, length)?)
            }
            5 => {
                take(&mut self.rest, 4)?;
                return Ok(None);
            }
            _ => return Err(Malformed),
        };
        Ok(Some((key >> 3, value)))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            match self.next_field() {
                Ok(Some(field)) => return Some(Ok(field)),
                Ok(None) => {}
                Err(malformed) => {
                    self.rest = &[];
                    return Some(Err(malformed));
                }
            }
        }
        None
    }
}

/// The first `count` bytes, which are taken off.
pub(super) fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], Malformed> {
    let (taken, left) = rest.split_at_checked(count).ok_or(Malformed)?;
    *rest = left;
    Ok(taken)
}

/// A whole number in groups of seven bits, the lowest first.
pub(super) fn read_varint(rest: &mut &[u8]) -> Result<u64, Malformed> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(Malformed)
}

/// Writes a field with a whole number.
pub(super) fn varint(field: u64, value: u64, out: &mut Vec<u8>) {
    raw_varint(field << 3, out);
    raw_varint(value, out);
}

/// Writes a field with bytes, text or a message.
pub(super) fn bytes(field: u64, value: &[u8], out: &mut Vec<u8>) {
    raw_varint(field << 3 | 2, out);
    raw_varint(value.len() as u64, out);
    out.extend_from_slice(value);
}

/// Writes a whole number.
pub(super) fn raw_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_four_bytes_are_passed_over_however_many_there_are() {
        let passed = [1 << 3 | 5, 0, 0, 0, 0];
        let mut message = passed.repeat(1_000_000);
        assert_eq!(Fields::of(&message).next(), None);
        varint(2, 7, &mut message);
        message.extend(passed);
        let fields: Vec<_> = Fields::of(&message).collect();
        assert_eq!(fields, [Ok((2, Value::Varint(7)))]);
        let cut: Vec<_> = Fields::of(&message[..message.len() - 1]).collect();
        assert_eq!(cut, [Ok((2, Value::Varint(7))), Err(Malformed)]);
    }
}
