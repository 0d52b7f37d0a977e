//! Numbers, texts and lists as bytes: little-endian, each text and list with its length before it.

/// A message that does not have the agreed form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Builds a message. The first byte says which.
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub fn new(kind: u8) -> Writer {
        Writer { bytes: vec![kind] }
    }

    pub fn byte(mut self, value: u8) -> Writer {
        self.bytes.push(value);
        self
    }

    pub fn u32(mut self, value: u32) -> Writer {
        self.bytes.extend(value.to_le_bytes());
        self
    }

    pub fn u64(mut self, value: u64) -> Writer {
        self.bytes.extend(value.to_le_bytes());
        self
    }

    pub fn optional(self, value: Option<i32>) -> Writer {
        let value = value.map_or(u64::MAX, |value| u64::from(value.cast_unsigned()));
        self.u64(value)
    }

    pub fn bytes(self, value: &[u8]) -> Writer {
        let length = u32::try_from(value.len()).expect("a message is far shorter than 4 GiB");
        let mut writer = self.u32(length);
        writer.bytes.extend(value);
        writer
    }

    pub fn list<'a>(self, values: impl Iterator<Item = &'a [u8]>) -> Writer {
        let values: Vec<&[u8]> = values.collect();
        let length = u32::try_from(values.len()).expect("a message is far shorter than 4 GiB");
        values.into_iter().fold(self.u32(length), Writer::bytes)
    }

    pub fn done(self) -> Vec<u8> {
        self.bytes
    }
}

/// Takes a message apart.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(head)
    }

    pub fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    pub fn u32(&mut self) -> Result<u32, Malformed> {
        let bytes = self.take(4)?.try_into().expect("four bytes were taken");
        Ok(u32::from_le_bytes(bytes))
    }

    pub fn u64(&mut self) -> Result<u64, Malformed> {
        let bytes = self.take(8)?.try_into().expect("eight bytes were taken");
        Ok(u64::from_le_bytes(bytes))
    }

    pub fn optional(&mut self) -> Result<Option<i32>, Malformed> {
        match self.u64()? {
            u64::MAX => Ok(None),
            value => Ok(Some(u32::try_from(value).map_err(|_| Malformed)?.cast_signed())),
        }
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u32()?;
        self.take(usize::try_from(length).map_err(|_| Malformed)?)
    }

    pub fn string(&mut self) -> Result<String, Malformed> {
        Ok(std::str::from_utf8(self.bytes()?).map_err(|_| Malformed)?.to_owned())
    }

    pub fn list<T>(
        &mut self,
        mut item: impl FnMut(&mut Reader<'a>) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let length = self.u32()?;
        // Not reserved ahead: the length is only a claim until the items are there.
        (0..length).map(|_| item(self)).collect()
    }

    /// The finished value, if nothing is left over.
    pub fn end<T>(self, value: T) -> Result<T, Malformed> {
        if self.rest.is_empty() { Ok(value) } else { Err(Malformed) }
    }
}
