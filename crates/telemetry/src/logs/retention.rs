//! What is thrown away: expired events, and blocks whose stream has been deleted.

use pitbird_names::Scope;

use super::LogWriter;
use super::catalogue::group;
use crate::day::{DAY_MS, Day};
use crate::error::Result;
use crate::sqlite::Readers;

/// How long a group's events are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRetention {
    pub scope: Scope,
    pub group: String,
    pub days: u32,
}

impl LogWriter {
    /// Removes the days of each group that are older than it keeps them, and blocks of streams that are no more. A
    /// file that has nothing left is deleted. Groups that aren't named keep their events for ever. May be stopped and
    /// repeated at any point.
    pub fn sweep(&mut self, now_ms: i64, retention: &[GroupRetention], readers: &Readers) -> Result<()> {
        self.forget();
        let mut expiry = Vec::new();
        for kept in retention {
            let found = self.catalogue.file.run(|c| group(c, &kept.scope, &kept.group))?;
            expiry.extend(found.map(|group| (group, Day::of(now_ms - i64::from(kept.days) * DAY_MS))));
        }
        let mut swept = Ok(());
        for day in self.files.days()? {
            // A damaged day keeps no other from being swept.
            swept = swept.and(self.sweep_day(day, &expiry, readers));
        }
        // After the events are gone; whoever is stopped before does both once more.
        swept?;
        expiry.iter().try_for_each(|(group, oldest)| self.catalogue.expire(*group, *oldest))?;
        self.catalogue.commit()
    }

    fn sweep_day(&mut self, day: Day, expiry: &[(i64, Day)], readers: &Readers) -> Result<()> {
        let mut removed = 0;
        for (group, _) in expiry.iter().filter(|(_, oldest)| day < *oldest) {
            let file = self.files.get(day)?;
            removed += file.run(|c| c.execute("DELETE FROM block WHERE log_group = ?", [group]))?;
        }
        removed += self.remove_orphans(day)?;
        let file = self.files.get(day)?;
        let left: bool =
            file.run(|c| c.query_row("SELECT EXISTS (SELECT 1 FROM block)", [], |row| row.get(0)))?;
        if !left {
            // One that is being read goes with a later sweep.
            let path = day.path(self.files.dir());
            readers.delete_unused(&path, || self.files.delete(day))?;
        } else if removed > 0 {
            file.give_back()?;
        }
        Ok(())
    }

    fn remove_orphans(&mut self, day: Day) -> Result<usize> {
        let file = self.files.get(day)?;
        let streams: Vec<i64> = file.run(|c| {
            c.prepare("SELECT DISTINCT stream FROM block")?.query_map([], |row| row.get(0))?.collect()
        })?;
        let mut removed = 0;
        for stream in streams {
            if !self.catalogue.has(stream)? {
                let file = self.files.get(day)?;
                removed += file.run(|c| c.execute("DELETE FROM block WHERE stream = ?", [stream]))?;
            }
        }
        Ok(removed)
    }
}
