//! Many events of one stream in one piece, compressed.
//!
//! Plain form: the count, then four columns (time, number, arrival: zigzag differences; length), then all text.

use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};

use super::EventId;
use crate::code::{Reader, put_signed, put_unsigned};

/// Text at which a block is full, bytes.
pub(crate) const BLOCK_BYTES: usize = 64 << 10;
/// Longest plain form that is believed, bytes: the largest event there can be, and a full block's columns.
const PLAIN_MAX: usize = 4 << 20;
/// A block lies within an hour of UTC, milliseconds.
pub(crate) const HOUR_MS: i64 = 3_600_000;

/// How the plain form is kept.
const STORED: u8 = 0;
const LZ4: u8 = 1;

/// One event in a block; its text is a range of [`Block::text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub id: EventId,
    pub ingested_ms: i64,
    pub start: u32,
    pub end: u32,
}

/// A block's events, by rising [`EventId`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Block {
    pub entries: Vec<Entry>,
    pub text: String,
}

impl Block {
    pub fn push(&mut self, id: EventId, ingested_ms: i64, message: &str) {
        let start = self.text.len() as u32;
        self.text.push_str(message);
        self.entries.push(Entry { id, ingested_ms, start, end: self.text.len() as u32 });
    }

    pub fn message(&self, entry: &Entry) -> &str {
        &self.text[entry.start as usize..entry.end as usize]
    }

    pub fn is_full(&self) -> bool {
        self.text.len() >= BLOCK_BYTES
    }

    pub fn min_ms(&self) -> Option<i64> {
        self.entries.first().map(|entry| entry.id.at_ms)
    }

    pub fn max_ms(&self) -> Option<i64> {
        self.entries.last().map(|entry| entry.id.at_ms)
    }

    pub fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
    }

    fn write_plain(&self, out: &mut Vec<u8>) {
        out.reserve(self.text.len() + self.entries.len() * 6 + 16);
        put_unsigned(out, self.entries.len() as u64);
        let mut column = |value: fn(&Entry) -> i64| {
            let mut before = 0;
            for entry in &self.entries {
                put_signed(out, value(entry).wrapping_sub(before));
                before = value(entry);
            }
        };
        column(|entry| entry.id.at_ms);
        column(|entry| entry.id.number as i64);
        column(|entry| entry.ingested_ms);
        for entry in &self.entries {
            put_unsigned(out, u64::from(entry.end - entry.start));
        }
        out.extend_from_slice(self.text.as_bytes());
    }

    /// Reads the form on disk; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Block> {
        let mut block = Block::default();
        block.decode_again(bytes).then_some(block)
    }

    /// Reads the form on disk into this block's memory; `false` for anything else, and the block is empty then.
    pub fn decode_again(&mut self, bytes: &[u8]) -> bool {
        self.entries.clear();
        let mut plain = std::mem::take(&mut self.text).into_bytes();
        plain.clear();
        let whole = expand(bytes, &mut plain).and_then(|()| self.take_plain(plain));
        if whole.is_none() {
            self.entries.clear();
        }
        whole.is_some()
    }

    fn take_plain(&mut self, mut plain: Vec<u8>) -> Option<()> {
        let mut reader = Reader::new(&plain);
        // Every event takes at least four bytes, so the count can't make us reserve more than the plain form's size.
        let count = usize::try_from(reader.unsigned()?).ok().filter(|count| *count <= plain.len() / 4)?;
        self.entries.reserve(count);
        let mut value = 0i64;
        for _ in 0..count {
            value = value.wrapping_add(reader.signed()?);
            let id = EventId { at_ms: value, number: 0 };
            self.entries.push(Entry { id, ingested_ms: 0, start: 0, end: 0 });
        }
        let mut column = |set: fn(&mut Entry, i64)| {
            let mut value = 0i64;
            for entry in &mut self.entries {
                value = value.wrapping_add(reader.signed()?);
                set(entry, value);
            }
            Some(())
        };
        column(|entry, number| entry.id.number = number as u64)?;
        column(|entry, arrival| entry.ingested_ms = arrival)?;
        let mut start = 0u32;
        for entry in &mut self.entries {
            let end = start.checked_add(u32::try_from(reader.unsigned()?).ok()?)?;
            (entry.start, entry.end) = (start, end);
            start = end;
        }
        let columns = plain.len() - reader.rest().len();
        plain.drain(..columns);
        let text = String::from_utf8(plain).ok()?;
        let whole = text.len() == start as usize
            && self.entries.iter().all(|entry| text.is_char_boundary(entry.start as usize));
        self.text = text;
        whole.then_some(())
    }
}

/// Writes blocks as they lie on disk, in memory that it keeps from one to the next.
#[derive(Default)]
pub(crate) struct Encoder {
    plain: Vec<u8>,
    out: Vec<u8>,
    table: CompressTable,
}

impl Encoder {
    /// The form on disk: a byte that says how, the plain length if compressed, the bytes.
    pub fn encode(&mut self, block: &Block) -> &[u8] {
        let Encoder { plain, out, table } = self;
        plain.clear();
        block.write_plain(plain);
        out.clear();
        out.push(LZ4);
        put_unsigned(out, plain.len() as u64);
        let head = out.len();
        out.resize(head + get_maximum_output_size(plain.len()), 0);
        match compress_into_with_table(plain, &mut out[head..], table) {
            Ok(length) if length < plain.len() => out.truncate(head + length),
            _ => {
                out.clear();
                out.push(STORED);
                out.extend_from_slice(plain);
            }
        }
        out
    }

    /// Keeps no more memory than usual blocks need.
    pub fn trim(&mut self) {
        for buffer in [&mut self.plain, &mut self.out] {
            if buffer.capacity() > 4 * BLOCK_BYTES {
                *buffer = Vec::new();
            }
        }
    }
}

/// The plain form, into an empty buffer.
fn expand(bytes: &[u8], plain: &mut Vec<u8>) -> Option<()> {
    match bytes.split_first()? {
        (&STORED, rest) => plain.extend_from_slice(rest),
        (&LZ4, rest) => {
            let mut reader = Reader::new(rest);
            let length = usize::try_from(reader.unsigned()?).ok().filter(|length| *length <= PLAIN_MAX)?;
            plain.resize(length, 0);
            let found = lz4_flex::block::decompress_into(reader.rest(), plain).ok()?;
            plain.truncate(found);
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_block_comes_back(
            events in proptest::collection::vec((0i64..1 << 50, any::<u64>(), 0i64..1 << 50, ".{0,40}"), 0..50)
        ) {
            let mut block = Block::default();
            for (at_ms, number, ingested_ms, message) in &events {
                block.push(EventId { at_ms: *at_ms, number: *number }, *ingested_ms, message);
            }
            let mut encoder = Encoder::default();
            encoder.encode(&block);
            prop_assert_eq!(Block::decode(encoder.encode(&block)), Some(block), "also in memory that was used");
        }

        #[test]
        fn garbage_is_no_panic(how in 0u8..3, bytes: Vec<u8>) {
            let _ = Block::decode(&[vec![how], bytes].concat());
        }
    }

    #[test]
    fn log_lines_compress() {
        let mut block = Block::default();
        for number in 1..200u64 {
            let id = EventId { at_ms: 1_763_900_000_000 + number as i64, number };
            block.push(id, id.at_ms + 3, "START RequestId: 5f1a Version: $LATEST\n");
        }
        assert!(Encoder::default().encode(&block).len() * 8 < block.text.len());
    }
}
