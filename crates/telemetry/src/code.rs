//! The byte forms that blocks and aggregates are stored in: LEB128 integers, zigzag for signed ones, little-endian
//! floats. Readers return `None` at the end of the bytes or at nonsense; they never panic.

pub(crate) fn put_unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_unsigned(out, ((value << 1) ^ (value >> 63)) as u64);
}

pub(crate) fn put_f64(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Reads what the functions above wrote.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes }
    }

    pub fn unsigned(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub fn signed(&mut self) -> Option<i64> {
        let value = self.unsigned()?;
        Some((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub fn f64(&mut self) -> Option<f64> {
        let (head, rest) = self.bytes.split_first_chunk()?;
        self.bytes = rest;
        Some(f64::from_le_bytes(*head))
    }

    /// What hasn't been read.
    pub fn rest(self) -> &'a [u8] {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(a: u64, b: i64, c: f64) {
            let mut bytes = Vec::new();
            put_unsigned(&mut bytes, a);
            put_signed(&mut bytes, b);
            put_f64(&mut bytes, c);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.unsigned(), Some(a));
            prop_assert_eq!(reader.signed(), Some(b));
            prop_assert_eq!(reader.f64().map(f64::to_bits), Some(c.to_bits()));
            prop_assert_eq!(reader.unsigned(), None);
        }

        #[test]
        fn garbage_is_no_panic(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.signed().is_some() {}
            while reader.f64().is_some() {}
            prop_assert!(reader.rest().len() < 8);
        }
    }
}
