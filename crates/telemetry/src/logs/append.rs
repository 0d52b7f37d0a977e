//! The writer's side of logs: events in, blocks out.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use pitbird_names::Scope;
use rusqlite::params;

use super::block::{BLOCK_BYTES, Block, Encoder, HOUR_MS};
use super::catalogue::{CATALOGUE, Catalogue, StreamName, StreamRow};
use super::compact::Loose;
use super::event::EventId;
use super::lines::{Drained, Intake, Lines, Mark};
use super::tap::{Filed, Outlet};
use crate::Config;
use crate::day::Day;
use crate::error::{Error, Result};
use crate::sqlite::{DayFiles, Schema};

pub(crate) const SCHEMA: Schema = Schema {
    format: 1,
    sql: "CREATE TABLE block (
              id INTEGER PRIMARY KEY,
              log_group INTEGER NOT NULL, stream INTEGER NOT NULL,
              min_ms INTEGER NOT NULL, max_ms INTEGER NOT NULL,
              events BLOB NOT NULL);
          CREATE INDEX block_by_group ON block (log_group, min_ms, max_ms, stream);
          CREATE INDEX block_by_stream ON block (stream, min_ms, max_ms);",
};

/// Streams remembered between batches; beyond it all are forgotten and looked up again.
const REMEMBERED: usize = 10_000;

pub(crate) struct LogWriter {
    pub(super) catalogue: Catalogue,
    pub(super) files: DayFiles,
    streams: HashMap<StreamName, Stream>,
    intake: Arc<Intake>,
    /// Lines taken from their streams that aren't on disk yet.
    backlog: Vec<Drained>,
    /// Streams that this batch has written to.
    changed: Vec<StreamName>,
    outlets: [Arc<Outlet>; 2],
    /// Memory that is used from batch to batch.
    encoder: Encoder,
    block: Block,
    order: Vec<Place>,
    /// What this batch has filed and each outlet's tap is to see.
    filed: [Vec<Filed>; 2],
    /// Bytes that each group got with this batch, and with those that are on disk and not yet told.
    bytes: HashMap<GroupName, u64>,
    bytes_committed: HashMap<GroupName, u64>,
}

/// Where an event lies in what is filed together.
#[derive(Debug, Clone, Copy)]
struct Place {
    at_ms: i64,
    /// Which of the lines, and where in them.
    lines: u32,
    line: u32,
}

/// Places that are kept between batches.
const ORDER_KEPT: usize = 64 << 10;

/// Puts all events in the order of their times; what has the same time stays in the order it came.
fn put_in_order(order: &mut Vec<Place>, lines: &[Lines]) {
    order.clear();
    for (part, lines) in lines.iter().enumerate() {
        let place =
            |(line, mark): (usize, &Mark)| Place { at_ms: mark.at_ms, lines: part as u32, line: line as u32 };
        order.extend(lines.marks.iter().enumerate().map(place));
    }
    order.sort_by_key(|place| place.at_ms);
}

/// Account, region and group.
pub(crate) type GroupName = (Scope, Arc<str>);

/// A stream that has been written to.
pub(super) struct Stream {
    pub row: StreamRow,
    changed: bool,
    /// Bytes that this batch has brought, by the days of the events.
    days: HashMap<Day, i64>,
    pub loose: Vec<Loose>,
}

impl LogWriter {
    pub fn open(
        dir: &Path,
        config: &Config,
        intake: Arc<Intake>,
        outlets: [Arc<Outlet>; 2],
    ) -> Result<LogWriter> {
        let catalogue = Catalogue::open(dir.join(CATALOGUE), config.durability)?;
        let files = DayFiles::new(dir.to_path_buf(), &SCHEMA, config.durability);
        Ok(LogWriter {
            catalogue,
            files,
            streams: HashMap::new(),
            intake,
            backlog: Vec::new(),
            changed: Vec::new(),
            outlets,
            encoder: Encoder::default(),
            block: Block::default(),
            order: Vec::new(),
            filed: Default::default(),
            bytes: HashMap::new(),
            bytes_committed: HashMap::new(),
        })
    }

    pub fn create_stream(&mut self, name: &StreamName, now_ms: i64) -> Result<()> {
        if self.known(name)? {
            return Err(Error::StreamExists);
        }
        let row = self.catalogue.insert(name, now_ms)?;
        self.streams.insert(name.clone(), Stream::new(row));
        Ok(())
    }

    pub fn delete_stream(&mut self, name: &StreamName) -> Result<()> {
        let row = self.catalogue.find(name)?.ok_or(Error::NoStream)?;
        self.catalogue.remove(row.id)?;
        self.streams.remove(name);
        Ok(())
    }

    /// Removes a group's streams; a group that has none is no error.
    pub fn delete_group(&mut self, scope: &Scope, group: &str) -> Result<()> {
        self.catalogue.remove_group(scope, group)?;
        self.streams.retain(|name, _| name.scope != *scope || *name.group != *group);
        Ok(())
    }

    /// Files events of a stream that exists. Durable after [`LogWriter::commit`].
    pub fn append(&mut self, name: &StreamName, lines: &Lines, now_ms: i64) -> Result<()> {
        if !self.known(name)? {
            return Err(Error::NoStream);
        }
        self.store(name, std::slice::from_ref(lines), now_ms)
    }

    /// Files the lines that have been written since the last drain, and those that couldn't be filed before. After a
    /// failure one stream at a time is filed and committed, so that a damaged file costs only the lines that belong in
    /// it.
    pub fn drain(&mut self, now_ms: i64) -> Result<()> {
        let careful = !self.backlog.is_empty();
        let drained = self.intake.take_dirty();
        if drained.is_empty() {
            self.intake.forget_spares();
        }
        self.backlog.extend(drained.iter().map(|stream| stream.drain()));
        if careful {
            return self.drain_carefully(now_ms);
        }
        let mut backlog = std::mem::take(&mut self.backlog);
        let filed = backlog.iter_mut().try_for_each(|drained| self.file(drained, now_ms));
        self.backlog = backlog;
        filed
    }

    fn drain_carefully(&mut self, now_ms: i64) -> Result<()> {
        self.commit_files()?;
        let mut backlog = std::mem::take(&mut self.backlog).into_iter();
        let mut result = Ok(());
        for mut drained in backlog.by_ref() {
            let filed = self.file(&mut drained, now_ms).and_then(|()| self.commit_files());
            if let Err(error) = filed {
                self.roll_back();
                if !matches!(error, Error::Corrupt { .. } | Error::Format { .. }) {
                    self.backlog.push(drained);
                    result = Err(error);
                    break;
                }
                let lines: usize = drained.lines.iter().map(|lines| lines.marks.len()).sum();
                tracing::error!(%error, lines, stream = &*drained.name.stream, "log lines lost");
            }
            self.intake.give_back(drained.room);
        }
        self.backlog.extend(backlog);
        result
    }

    fn file(&mut self, drained: &mut Drained, now_ms: i64) -> Result<()> {
        let dropped = std::mem::take(&mut drained.dropped);
        if dropped.count > 0 {
            let count = dropped.count;
            let message = format!(
                "[pitbird] {count} log lines dropped here: they came faster than they could be filed"
            );
            let mut told = Lines::default();
            told.push(dropped.last_ms, &message);
            drained.lines.push(told);
        }
        if drained.lines.is_empty() {
            return Ok(());
        }
        if !self.known(&drained.name)? {
            let row = self.catalogue.insert(&drained.name, now_ms)?;
            self.streams.insert(drained.name.clone(), Stream::new(row));
        }
        self.store(&drained.name, &drained.lines, now_ms)
    }

    /// Is there such a stream? Remembers it if so.
    fn known(&mut self, name: &StreamName) -> Result<bool> {
        if self.streams.contains_key(name) {
            return Ok(true);
        }
        let Some(row) = self.catalogue.find(name)? else { return Ok(false) };
        self.streams.insert(name.clone(), Stream::new(row));
        Ok(true)
    }

    fn store(&mut self, name: &StreamName, lines: &[Lines], now_ms: i64) -> Result<()> {
        let stream = self.streams.get_mut(name).expect("a stream is known before it is written to");
        put_in_order(&mut self.order, lines);
        let mut filed = self.outlets.each_ref().map(|outlet| outlet.batch(name, lines, now_ms));
        let block = &mut self.block;
        block.clear();
        for Place { at_ms, lines: part, line } in self.order.iter().copied() {
            let message = lines[part as usize].message(line as usize);
            let other_hour = block.min_ms().is_some_and(|min| min / HOUR_MS != at_ms / HOUR_MS);
            if other_hour || block.is_full() {
                stream.take(&mut self.files, &mut self.encoder, block)?;
                block.clear();
            }
            let id = EventId { at_ms, number: self.catalogue.number() };
            block.push(id, now_ms, message);
            filed.iter_mut().flatten().for_each(|filed| filed.push(id, message));
        }
        self.filed.iter_mut().zip(filed).for_each(|(all, batch)| all.extend(batch));
        stream.take(&mut self.files, &mut self.encoder, block)?;
        if !std::mem::replace(&mut stream.changed, true) {
            self.changed.push(name.clone());
        }
        lines.iter().for_each(|lines| stream.count_in(lines, now_ms));
        *self.bytes.entry((name.scope.clone(), name.group.clone())).or_default() +=
            lines.iter().map(bytes_of).sum::<u64>();
        stream.compact(&mut self.files, &mut self.encoder)
    }

    /// Makes the batch durable.
    pub fn commit(&mut self) -> Result<()> {
        self.commit_files()?;
        for drained in self.backlog.drain(..) {
            self.intake.give_back(drained.room);
            self.intake.reuse(drained.lines.into_iter());
        }
        self.trim();
        if self.streams.len() > REMEMBERED {
            self.streams.clear();
        }
        Ok(())
    }

    /// Gives back memory that only an unusual batch needs.
    fn trim(&mut self) {
        self.encoder.trim();
        if self.block.text.capacity() > 4 * BLOCK_BYTES {
            self.block = Block::default();
        }
        if self.order.capacity() > ORDER_KEPT {
            self.order = Vec::new();
        }
    }

    /// Should the writer look again, though nobody may write?
    pub fn has_spares(&self) -> bool {
        self.intake.has_spares()
    }

    /// First the catalogue, which may know more than the blocks, then the blocks.
    fn commit_files(&mut self) -> Result<()> {
        for name in self.changed.drain(..) {
            // One that has been deleted since isn't remembered any more.
            if let Some(stream) = self.streams.get_mut(&name) {
                self.catalogue.update(&stream.row)?;
                for (day, bytes) in stream.days.drain() {
                    self.catalogue.add_day(stream.row.id, day, bytes)?;
                }
                stream.changed = false;
            }
        }
        self.catalogue.commit()?;
        self.files.commit()?;
        for (outlet, filed) in self.outlets.iter().zip(&mut self.filed) {
            outlet.send(filed.drain(..));
        }
        for (group, bytes) in self.bytes.drain() {
            *self.bytes_committed.entry(group).or_default() += bytes;
        }
        Ok(())
    }

    /// Bytes that each group got and that are on disk, since this was last asked.
    pub fn take_bytes(&mut self) -> impl Iterator<Item = (GroupName, u64)> {
        self.bytes_committed.drain()
    }

    /// What each group holds: scope's key, group and bytes.
    pub fn stored(&self) -> Result<Vec<(String, String, u64)>> {
        self.catalogue.stored()
    }

    /// Undoes the batch. Drained lines stay and go with the next one.
    pub fn roll_back(&mut self) {
        self.files.roll_back();
        self.catalogue.roll_back();
        self.streams.clear();
        self.changed.clear();
        self.filed.iter_mut().for_each(Vec::clear);
        self.bytes.clear();
    }

    /// Forgets what is remembered of streams.
    pub(super) fn forget(&mut self) {
        self.streams.clear();
    }

    /// Are there lines that couldn't be filed?
    pub fn has_backlog(&self) -> bool {
        !self.backlog.is_empty()
    }
}

impl Stream {
    fn new(row: StreamRow) -> Stream {
        Stream { row, changed: false, days: HashMap::new(), loose: Vec::new() }
    }

    /// Writes a block of new events.
    fn take(&mut self, files: &mut DayFiles, encoder: &mut Encoder, block: &Block) -> Result<()> {
        let Some(min_ms) = block.min_ms() else { return Ok(()) };
        let bytes = billed_bytes(block.text.len(), block.entries.len());
        *self.days.entry(Day::of(min_ms)).or_default() += bytes as i64;
        self.write(files, encoder, block, 0)
    }

    /// Writes a block that `level` compactions have made, and remembers it if it is small.
    pub fn write(
        &mut self,
        files: &mut DayFiles,
        encoder: &mut Encoder,
        block: &Block,
        level: u8,
    ) -> Result<()> {
        let (Some(min_ms), Some(max_ms)) = (block.min_ms(), block.max_ms()) else { return Ok(()) };
        let file = files.write(Day::of(min_ms))?;
        let events = encoder.encode(block);
        let id = file.run(|c| {
            c.prepare_cached(
                "INSERT INTO block (log_group, stream, min_ms, max_ms, events) VALUES (?, ?, ?, ?, ?)",
            )?
            .insert(params![self.row.group, self.row.id, min_ms, max_ms, events])
        })?;
        self.loose.extend(Loose::of(block, id, level));
        Ok(())
    }

    fn count_in(&mut self, lines: &Lines, now_ms: i64) {
        let times = || lines.marks.iter().map(|mark| mark.at_ms);
        self.row.first_ms = self.row.first_ms.into_iter().chain(times()).min();
        self.row.last_ms = self.row.last_ms.into_iter().chain(times()).max();
        self.row.ingested_ms = Some(now_ms);
        self.row.bytes += bytes_of(lines) as i64;
    }
}

fn bytes_of(lines: &Lines) -> u64 {
    billed_bytes(lines.text.len(), lines.marks.len())
}

/// What CloudWatch bills: events' text, and 26 bytes beside for each.
fn billed_bytes(text: usize, events: usize) -> u64 {
    (text + events * 26) as u64
}
