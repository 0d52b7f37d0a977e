//! Many releases of a model: on all processors, and kept, so that a run that is cut short goes on where it was.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::ending::{End, Ending};

/// How many releases are written down at once.
const CHUNK: u64 = 100;

/// Runs releases, whose numbers begin at 0. What comes out depends on neither processors nor what was kept.
#[derive(Debug, Clone, Default)]
pub struct Runs {
    seed: u64,
    kept: Option<PathBuf>,
    is_closed: bool,
}

impl Runs {
    /// With endings kept in a folder of this planner's and nobody else's; it is made where it isn't there.
    pub fn new(seed: u64, kept: Option<PathBuf>) -> io::Result<Runs> {
        kept.as_ref().map_or(Ok(()), fs::create_dir_all)?;
        Ok(Runs { seed, kept, is_closed: false })
    }

    /// The same, but of a model that has any kept no further ones are run.
    pub fn closed(self) -> Runs {
        Runs { is_closed: true, ..self }
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Releases that nobody keeps.
    pub fn all(&self, count: usize, release: impl Fn(u64) -> Ending + Sync) -> Vec<Ending> {
        each((0..count as u64).collect(), release)
    }

    /// Releases of a model. Those kept are read, the others run and written down.
    pub fn of(
        &self,
        name: &str,
        count: usize,
        release: impl Fn(u64) -> Ending + Sync,
    ) -> io::Result<Vec<Ending>> {
        let Some(folder) = &self.kept else { return Ok(self.all(count, release)) };
        let path = folder.join(format!("{}-{}", self.seed, file_name(name)));
        let mut known = read(&path)?;
        let is_whole = self.is_closed && !known.is_empty();
        let missing: Vec<u64> =
            (0..count as u64).filter(|run| !is_whole && !known.contains_key(run)).collect();
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        for runs in missing.chunks(CHUNK as usize) {
            let ends = each(runs.to_vec(), &release);
            let lines: String = runs.iter().zip(&ends).map(|(run, ending)| line(*run, ending)).collect();
            file.write_all(lines.as_bytes())?;
            known.extend(runs.iter().copied().zip(ends));
        }
        Ok(known.into_iter().take_while(|(run, _)| *run < count as u64).map(|(_, ending)| ending).collect())
    }
}

/// In the order of the numbers.
fn each(runs: Vec<u64>, release: impl Fn(u64) -> Ending + Sync) -> Vec<Ending> {
    let (next, runs, release) = (AtomicU64::new(0), &runs, &release);
    let work = || {
        let take = || runs.get(next.fetch_add(1, Ordering::Relaxed) as usize).copied();
        std::iter::from_fn(take).map(|run| (run, release(run))).collect::<Vec<_>>()
    };
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(runs.len().max(1));
    let mut ends: Vec<(u64, Ending)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("no release panics")).collect()
    });
    ends.sort_by_key(|(run, _)| *run);
    ends.into_iter().map(|(_, ending)| ending).collect()
}

fn file_name(model: &str) -> String {
    model.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

fn line(run: u64, ending: &Ending) -> String {
    let Ending { end, end_s, full_s, onset_s, extra_failures, requests, canary_requests } = ending;
    let end = match end {
        End::Promoted => "promoted",
        End::RolledBack => "rolled-back",
        End::Held => "held",
    };
    let full_s = full_s.map_or("-".to_owned(), |full_s| full_s.to_string());
    format!("{run} {end} {end_s} {full_s} {onset_s} {extra_failures} {requests} {canary_requests}\n")
}

/// A line that was cut short is left out: its release runs once more.
fn read(path: &Path) -> io::Result<BTreeMap<u64, Ending>> {
    match File::open(path) {
        Ok(file) => {
            let lines = BufReader::new(file).lines();
            lines.filter_map(|line| line.map(|line| parsed(&line)).transpose()).collect()
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

fn parsed(line: &str) -> Option<(u64, Ending)> {
    let mut words = line.split(' ');
    let mut word = || words.next();
    let run = word()?.parse().ok()?;
    let end = match word()? {
        "promoted" => End::Promoted,
        "rolled-back" => End::RolledBack,
        "held" => End::Held,
        _ => return None,
    };
    let end_s = word()?.parse().ok()?;
    let full_s = match word()? {
        "-" => None,
        full_s => Some(full_s.parse().ok()?),
    };
    let (onset_s, extra_failures) = (word()?.parse().ok()?, word()?.parse().ok()?);
    let (requests, canary_requests) = (word()?.parse().ok()?, word()?.parse().ok()?);
    Some((run, Ending { end, end_s, full_s, onset_s, extra_failures, requests, canary_requests }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending(run: u64) -> Ending {
        let end = if run.is_multiple_of(2) { End::Promoted } else { End::RolledBack };
        let full_s = (end == End::Promoted).then_some(0.1 * run as f64);
        Ending {
            end,
            full_s,
            end_s: 7.3,
            extra_failures: -0.1 - run as f64,
            requests: run,
            ..Ending::default()
        }
    }

    #[test]
    fn what_was_cut_short_goes_on_where_it_was() {
        let folder = std::env::temp_dir().join(format!("pitbird-runs-{}", std::process::id()));
        let runs = Runs::new(7, Some(folder.clone())).unwrap();
        assert_eq!(runs.of("a model", 150, ending).unwrap().len(), 150);
        let path = folder.join("7-a_model");
        let text = fs::read_to_string(&path).unwrap();
        // The last line lacks its end, as after a crash: it counts neither as what it says nor as anything else.
        fs::write(&path, format!("{}\n", &text[..text.len() - 5])).unwrap();
        let ran = AtomicU64::new(0);
        let again = runs.of("a model", 160, |run| {
            ran.fetch_add(1, Ordering::Relaxed);
            ending(run)
        });
        let shown = |ends: &[Ending]| format!("{ends:?}");
        assert_eq!(shown(&again.unwrap()), shown(&Runs::default().all(160, ending)));
        assert_eq!(ran.into_inner(), 11);
        assert_eq!(runs.of("a model", 20, ending).unwrap().len(), 20);
        let closed = runs.closed();
        assert_eq!(closed.of("a model", 500, ending).unwrap().len(), 160);
        assert_eq!(closed.of("another", 3, ending).unwrap().len(), 3);
        fs::remove_dir_all(folder).unwrap();
    }
}
