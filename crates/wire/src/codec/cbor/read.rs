use super::{TAG_EPOCH, major};
use crate::codec::{DEPTH_MAX, DecodeError, Reading, Step};
use crate::model::{Kind, Reference, Structure};
use crate::value::{Key, Value};
use bytes::Bytes;

/// Reads a body as the referenced shape. Blobs are slices of the body, not copies.
pub fn read(reading: &mut Reading<'_>, reference: &Reference, body: &Bytes) -> Result<Value, DecodeError> {
    let mut reader = Reader { body, at: 0 };
    let value = shaped(&mut reader, reading, reference)?;
    reader.end()?;
    Ok(value)
}

/// Reads a body without a model.
pub fn read_any(body: &Bytes) -> Result<Value, DecodeError> {
    let mut reader = Reader { body, at: 0 };
    let value = reader.any(0)?;
    reader.end()?;
    Ok(value)
}

struct Reader<'b> {
    body: &'b Bytes,
    at: usize,
}

/// The first bytes of an item.
struct Head {
    major: u8,
    info: u8,
    /// The argument; without meaning if the length is indefinite.
    argument: u64,
}

impl Head {
    fn is_indefinite(&self) -> bool {
        self.info == 31
    }

    fn is_null(&self) -> bool {
        self.major == major::SIMPLE && (self.info == 22 || self.info == 23)
    }
}

/// How many items follow: a number, or all up to a break.
struct Count(Option<u64>);

fn malformed(words: &str) -> DecodeError {
    DecodeError::Malformed(words.to_owned())
}

impl Reader<'_> {
    fn end(&self) -> Result<(), DecodeError> {
        if self.at == self.body.len() { Ok(()) } else { Err(malformed("bytes after the CBOR item")) }
    }

    fn take(&mut self, len: u64) -> Result<&[u8], DecodeError> {
        let len = usize::try_from(len).ok().filter(|len| *len <= self.body.len() - self.at);
        let len = len.ok_or_else(|| malformed("the CBOR item ends too early"))?;
        self.at += len;
        Ok(&self.body[self.at - len..self.at])
    }

    fn head(&mut self) -> Result<Head, DecodeError> {
        let first = self.take(1)?[0];
        let (major, info) = (first >> 5, first & 31);
        let argument = match info {
            0..=23 => u64::from(info),
            24..=27 => {
                self.take(1 << (info - 24))?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
            }
            31 if matches!(major, major::BYTES | major::TEXT | major::ARRAY | major::MAP | major::SIMPLE) => {
                0
            }
            _ => return Err(malformed("reserved CBOR head")),
        };
        Ok(Head { major, info, argument })
    }

    fn is_break(&self) -> bool {
        self.body.get(self.at) == Some(&0xff)
    }

    /// Whether another item follows; counts it or takes the break.
    fn more(&mut self, count: &mut Count) -> bool {
        match &mut count.0 {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None if self.is_break() => {
                self.at += 1;
                false
            }
            None => true,
        }
    }

    fn count(head: &Head) -> Count {
        Count((!head.is_indefinite()).then_some(head.argument))
    }

    /// Bytes or text, whole or in chunks.
    fn bytes(&mut self, head: &Head) -> Result<Bytes, DecodeError> {
        if !head.is_indefinite() {
            let len = self.take(head.argument)?.len();
            return Ok(self.body.slice(self.at - len..self.at));
        }
        let mut whole = Vec::new();
        let mut count = Count(None);
        while self.more(&mut count) {
            let chunk = self.head()?;
            if chunk.major != head.major || chunk.is_indefinite() {
                return Err(malformed("a CBOR chunk of another type"));
            }
            whole.extend_from_slice(self.take(chunk.argument)?);
        }
        Ok(whole.into())
    }

    fn text(&mut self, head: &Head) -> Result<String, DecodeError> {
        let bytes = self.bytes(head)?;
        String::from_utf8(bytes.into()).map_err(|_| malformed("CBOR text is no UTF-8"))
    }

    fn key(&mut self) -> Result<String, DecodeError> {
        let head = self.head()?;
        if head.major != major::TEXT {
            return Err(malformed("a CBOR key is no text"));
        }
        self.text(&head)
    }

    fn skip(&mut self, depth: usize) -> Result<(), DecodeError> {
        let head = self.head()?;
        self.skip_rest(&head, depth)
    }

    fn skip_rest(&mut self, head: &Head, depth: usize) -> Result<(), DecodeError> {
        if depth > DEPTH_MAX {
            return Err(DecodeError::Depth);
        }
        match head.major {
            major::BYTES | major::TEXT => self.bytes(head).map(drop),
            major::ARRAY | major::MAP => {
                let mut count = Reader::count(head);
                while self.more(&mut count) {
                    self.skip(depth + 1)?;
                    if head.major == major::MAP {
                        self.skip(depth + 1)?;
                    }
                }
                Ok(())
            }
            major::TAG => self.skip(depth + 1),
            major::SIMPLE if head.is_indefinite() => Err(malformed("a CBOR break where an item belongs")),
            _ => Ok(()),
        }
    }

    fn any(&mut self, depth: usize) -> Result<Value, DecodeError> {
        let head = self.head()?;
        self.any_rest(&head, depth)
    }

    fn any_rest(&mut self, head: &Head, depth: usize) -> Result<Value, DecodeError> {
        if depth > DEPTH_MAX {
            return Err(DecodeError::Depth);
        }
        Ok(match head.major {
            major::UNSIGNED | major::NEGATIVE => number(head),
            major::BYTES => Value::Blob(self.bytes(head)?),
            major::TEXT => Value::String(self.text(head)?),
            major::ARRAY => {
                let mut count = Reader::count(head);
                let mut items = Vec::new();
                while self.more(&mut count) {
                    items.push(self.any(depth + 1)?);
                }
                Value::List(items)
            }
            major::MAP => {
                let mut count = Reader::count(head);
                let mut entries = Vec::new();
                while self.more(&mut count) {
                    entries.push((self.key()?.into(), self.any(depth + 1)?));
                }
                Value::Map(entries)
            }
            major::TAG => match (head.argument, self.any(depth + 1)?) {
                (TAG_EPOCH, Value::Integer(seconds)) => Value::Timestamp(seconds as f64),
                (TAG_EPOCH, Value::Float(seconds)) => Value::Timestamp(seconds),
                (_, other) => other,
            },
            _ => match head.info {
                20 => Value::Bool(false),
                21 => Value::Bool(true),
                22 | 23 => Value::Null,
                25..=27 => Value::Float(float(head)),
                _ => return Err(malformed("unknown CBOR simple value")),
            },
        })
    }
}

fn number(head: &Head) -> Value {
    let negative = head.major == major::NEGATIVE;
    match i64::try_from(head.argument) {
        Ok(it) => Value::Integer(if negative { -1 - it } else { it }),
        Err(_) if negative => Value::Float(-1.0 - head.argument as f64),
        Err(_) => Value::Float(head.argument as f64),
    }
}

fn float(head: &Head) -> f64 {
    match head.info {
        25 => half(head.argument as u16),
        26 => f64::from(f32::from_bits(head.argument as u32)),
        _ => f64::from_bits(head.argument),
    }
}

/// A 16-bit float.
fn half(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => mantissa * 2f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + mantissa / 1024.0) * 2f64.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

fn shaped(
    reader: &mut Reader<'_>,
    reading: &mut Reading<'_>,
    reference: &Reference,
) -> Result<Value, DecodeError> {
    let head = reader.head()?;
    if head.is_null() {
        return Ok(Value::Null);
    }
    let model = reading.model;
    match (&model.shape(reference.shape).kind, head.major) {
        (Kind::Structure(structure), major::MAP) => read_structure(reader, reading, structure, &head),
        (Kind::Map { value, .. }, major::MAP) => read_map(reader, reading, value, &head),
        (Kind::List { member, .. }, major::ARRAY) => read_list(reader, reading, member, &head),
        (Kind::Document, _) => reader.any_rest(&head, 0),
        (Kind::String, major::TEXT) => reader.text(&head).map(Value::String),
        (Kind::Blob { .. }, major::BYTES) => reader.bytes(&head).map(Value::Blob),
        (kind, major::UNSIGNED | major::NEGATIVE | major::TAG | major::SIMPLE) => {
            let value = reader.any_rest(&head, 0)?;
            scalar(kind, value)
        }
        (kind, _) => Err(mismatch(kind)),
    }
}

fn mismatch(kind: &Kind) -> DecodeError {
    let expected = match kind {
        Kind::Structure(_) | Kind::Document => "a structure",
        Kind::Map { .. } => "a map",
        Kind::List { .. } => "a list",
        Kind::String => "a String",
        Kind::Boolean => "a Boolean",
        Kind::Integer => "an Integer",
        Kind::Long => "a Long",
        Kind::Float | Kind::Double => "a Double",
        Kind::Timestamp(_) => "a Timestamp",
        Kind::Blob { .. } => "a Blob",
    };
    DecodeError::Type(format!("Expected {expected} or null"))
}

fn scalar(kind: &Kind, value: Value) -> Result<Value, DecodeError> {
    match (kind, value) {
        (_, Value::Null) => Ok(Value::Null),
        (Kind::Boolean, Value::Bool(it)) => Ok(Value::Bool(it)),
        (Kind::Integer, Value::Integer(it)) if i32::try_from(it).is_ok() => Ok(Value::Integer(it)),
        (Kind::Long, Value::Integer(it)) => Ok(Value::Integer(it)),
        (Kind::Float | Kind::Double, Value::Float(it)) => Ok(Value::Float(it)),
        (Kind::Float | Kind::Double, Value::Integer(it)) => Ok(Value::Float(it as f64)),
        (Kind::Timestamp(_), Value::Timestamp(it) | Value::Float(it)) => Ok(Value::Timestamp(it)),
        (Kind::Timestamp(_), Value::Integer(it)) => Ok(Value::Timestamp(it as f64)),
        (kind, _) => Err(mismatch(kind)),
    }
}

fn read_structure(
    reader: &mut Reader<'_>,
    reading: &mut Reading<'_>,
    structure: &Structure,
    head: &Head,
) -> Result<Value, DecodeError> {
    reading.enter()?;
    let mut members: Vec<(Key, Value)> = Vec::with_capacity(structure.members.len().min(8));
    let mut count = Reader::count(head);
    while reader.more(&mut count) {
        let key = reader.head()?;
        if key.major != major::TEXT {
            return Err(malformed("a CBOR key is no text"));
        }
        let name = reader.bytes(&key)?;
        let name = std::str::from_utf8(&name).map_err(|_| malformed("CBOR text is no UTF-8"))?;
        let Some(member) = structure.by_wire_name(name) else {
            if name != "__type" {
                reading.note_unknown(name);
            }
            reader.skip(0)?;
            continue;
        };
        let nested = reading.is_nested(&member.reference);
        let step = || Step::Name(member.name.into());
        let value = reading.within(step, nested, |reading| shaped(reader, reading, &member.reference))?;
        if !value.is_null() {
            members.retain(|(held, _)| held != member.name);
            members.push((Key::Borrowed(member.name), value));
        }
    }
    reading.leave();
    Ok(Value::Map(members))
}

fn read_map(
    reader: &mut Reader<'_>,
    reading: &mut Reading<'_>,
    value: &Reference,
    head: &Head,
) -> Result<Value, DecodeError> {
    reading.enter()?;
    let nested = reading.is_nested(value);
    let mut entries = Vec::new();
    let mut count = Reader::count(head);
    while reader.more(&mut count) {
        let key = reader.key()?;
        let step = || Step::Name(key.clone().into());
        let value = reading.within(step, nested, |reading| shaped(reader, reading, value))?;
        entries.push((Key::Owned(key), value));
    }
    reading.leave();
    Ok(Value::Map(entries))
}

fn read_list(
    reader: &mut Reader<'_>,
    reading: &mut Reading<'_>,
    member: &Reference,
    head: &Head,
) -> Result<Value, DecodeError> {
    reading.enter()?;
    let nested = reading.is_nested(member);
    let mut items = Vec::new();
    let mut count = Reader::count(head);
    while reader.more(&mut count) {
        let step = || Step::Index(items.len());
        let item = reading.within(step, nested, |reading| shaped(reader, reading, member))?;
        items.push(item);
    }
    reading.leave();
    Ok(Value::List(items))
}
