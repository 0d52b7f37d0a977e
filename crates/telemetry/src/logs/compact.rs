//! Small blocks become large ones.
//!
//! A stream that gets a few lines at a time gets a block with each batch. Sixteen small blocks of an hour are made one;
//! sixteen of those again; what is half full stays. So an event is written at most a few times, and never alone for
//! long. The last small blocks of an hour are joined when the next hour begins.

use rusqlite::Connection;

use super::append::Stream;
use super::block::{BLOCK_BYTES, Block, Encoder, HOUR_MS};
use crate::day::Day;
use crate::error::{Error, Result};
use crate::sqlite::DayFiles;

/// Small blocks of the same level and hour that are made one.
const FAN_IN: usize = 16;
/// Compactions after which a block stays as it is.
const LEVELS: u8 = 3;

/// A block that is small enough to be joined with others.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loose {
    hour: i64,
    level: u8,
    id: i64,
}

impl Loose {
    pub fn of(block: &Block, id: i64, level: u8) -> Option<Loose> {
        let hour = block.min_ms()? / HOUR_MS;
        (level < LEVELS && block.text.len() < BLOCK_BYTES / 2).then_some(Loose { hour, level, id })
    }
}

impl Stream {
    /// Joins small blocks where enough have come together.
    pub(super) fn compact(&mut self, files: &mut DayFiles, encoder: &mut Encoder) -> Result<()> {
        while let Some((level, chosen)) = self.choose() {
            self.loose
                .retain(|loose| !chosen.iter().any(|taken| taken.id == loose.id && taken.hour == loose.hour));
            self.join(files, encoder, &chosen, level)?;
        }
        Ok(())
    }

    /// Blocks to be joined, and the level of what comes out.
    fn choose(&self) -> Option<(u8, Vec<Loose>)> {
        let newest = self.loose.iter().map(|loose| loose.hour).max()?;
        for level in 0..LEVELS {
            for hour in self.loose.iter().map(|loose| loose.hour) {
                let same = |loose: &&Loose| loose.hour == hour && loose.level == level;
                if self.loose.iter().filter(same).count() >= FAN_IN {
                    return Some((level + 1, self.loose.iter().filter(same).copied().collect()));
                }
            }
        }
        // Of hours that are over nothing more is expected: what is left is joined for good.
        let over = self.loose.iter().find(|loose| loose.hour < newest)?.hour;
        Some((LEVELS, self.loose.iter().filter(|loose| loose.hour == over).copied().collect()))
    }

    fn join(
        &mut self,
        files: &mut DayFiles,
        encoder: &mut Encoder,
        chosen: &[Loose],
        level: u8,
    ) -> Result<()> {
        let [first, _, ..] = chosen else { return Ok(()) };
        let file = files.write(Day::of(first.hour * HOUR_MS))?;
        let mut blocks = Vec::with_capacity(chosen.len());
        for loose in chosen {
            let bytes = file.run(|c| take(c, loose.id))?;
            blocks.push(
                Block::decode(&bytes).ok_or_else(|| Error::corrupt(&file.path, "a block can't be read"))?,
            );
        }
        let mut events: Vec<_> =
            blocks.iter().flat_map(|block| block.entries.iter().map(move |entry| (block, entry))).collect();
        events.sort_by_key(|(_, entry)| entry.id);
        let mut joined = Block::default();
        for (block, entry) in events {
            if joined.is_full() {
                self.write(files, encoder, &std::mem::take(&mut joined), LEVELS)?;
            }
            joined.push(entry.id, entry.ingested_ms, block.message(entry));
        }
        self.write(files, encoder, &joined, level)
    }
}

fn take(c: &Connection, id: i64) -> rusqlite::Result<Vec<u8>> {
    let bytes =
        c.prepare_cached("SELECT events FROM block WHERE id = ?")?.query_row([id], |row| row.get(0))?;
    c.prepare_cached("DELETE FROM block WHERE id = ?")?.execute([id])?;
    Ok(bytes)
}
