//! Inputs as a hostile caller would make them: the grammar's own pieces, cut, repeated, nested and joined, and bytes changed.

use std::time::{Duration, Instant};

/// Seconds that each reader is tried; unset, a few hundred inputs. For a night: `PITBIRD_FUZZ_SECONDS=30000`.
const SECONDS: &str = "PITBIRD_FUZZ_SECONDS";
/// Inputs that are made however short the time.
pub const INPUTS_MIN: u64 = 300;
/// Bytes of an input at most.
const BYTES_MAX: usize = 4096;
/// Inputs that others are made from.
const KEPT: usize = 64;
/// How long one input may take, on a machine that does something else beside: what takes longer grows beyond all bounds.
const ONE_MAX: Duration = Duration::from_secs(20);

/// What came of it.
#[derive(Debug)]
pub struct Tried {
    pub inputs: u64,
    /// Inputs that the reader has taken for good.
    pub read: u64,
    pub slowest: Duration,
}

/// Gives `reads` one input after the other; it says whether it could read them. Those are what others are made from.
///
/// # Panics
/// When one input takes too long. Whatever panics, the input is told on stderr first.
pub fn try_hostile(
    name: &str,
    pieces: &[&str],
    seeds: &[&[u8]],
    mut reads: impl FnMut(&[u8]) -> bool,
) -> Tried {
    let seconds = std::env::var(SECONDS).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut maker = Maker::new(pieces, seeds, seconds);
    let mut tried = Tried { inputs: 0, read: 0, slowest: Duration::ZERO };
    for seed in seeds {
        assert!(reads(seed), "{name} can't read the valid input {}", seed.escape_ascii());
    }
    while tried.inputs < INPUTS_MIN || Instant::now() < end {
        let input = Told { name, bytes: maker.make() };
        let began = Instant::now();
        let is_read = reads(&input.bytes);
        let took = began.elapsed();
        assert!(took < ONE_MAX, "{name} took {took:?}");
        tried.slowest = tried.slowest.max(took);
        tried.inputs += 1;
        tried.read += u64::from(is_read);
        maker.keep(input, is_read);
    }
    eprintln!("{name}: {tried:?}");
    tried
}

/// An input that is told when its reader panics.
struct Told<'n> {
    name: &'n str,
    bytes: Vec<u8>,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{} at b\"{}\"", self.name, self.bytes.escape_ascii());
        }
    }
}

struct Maker<'p> {
    pieces: &'p [&'p str],
    kept: Vec<Vec<u8>>,
    state: u64,
}

impl<'p> Maker<'p> {
    fn new(pieces: &'p [&'p str], seeds: &[&[u8]], seed: u64) -> Maker<'p> {
        // Every other one begins with nothing: what is valid is soon left by all that is made of it.
        let empty: &[u8] = &[];
        let begin = seeds.iter().flat_map(|seed| [*seed, empty]).chain([empty]);
        let kept = begin.cycle().take(KEPT).map(<[u8]>::to_vec).collect();
        Maker { pieces, kept, state: 0x9e37_79b9_7f4a_7c15 ^ seed }
    }

    /// A number below `below`, 0 if there is none. Marsaglia's xorshift.
    fn draw(&mut self, below: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state % below.max(1) as u64) as usize
    }

    fn kept(&mut self) -> &Vec<u8> {
        let at = self.draw(self.kept.len());
        &self.kept[at]
    }

    fn make(&mut self) -> Vec<u8> {
        let mut bytes = self.kept().clone();
        for _ in 0..1 + self.draw(6) {
            self.change(&mut bytes);
            bytes.truncate(BYTES_MAX);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let at = self.draw(bytes.len() + 1);
        let to = at + self.draw(bytes.len() + 1 - at);
        let put = |bytes: &mut Vec<u8>, what: &[u8]| drop(bytes.splice(at..at, what.iter().copied()));
        match self.draw(16) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(..at)),
            2 => drop(bytes.drain(at..to)),
            3 => {
                let other = self.kept().clone();
                put(bytes, &other);
            }
            4 => {
                // What is repeated is often what nests.
                let times = 1 + self.draw(64);
                let part = bytes[at..to.min(at + 64)].repeat(times);
                put(bytes, &part);
            }
            5 => {
                let bit = 1 << self.draw(8);
                bytes.get_mut(at).into_iter().for_each(|byte| *byte ^= bit);
            }
            6 => {
                let letter = self.draw(256) as u8;
                bytes.get_mut(at).into_iter().for_each(|byte| *byte = letter);
            }
            7 => {
                let times = 1 + self.draw(200);
                let piece = self.piece().repeat(times);
                put(bytes, &piece);
            }
            8 => bytes.reverse(),
            _ => {
                let piece = self.piece();
                put(bytes, &piece);
            }
        }
    }

    /// One of the grammar's, or of what trips readers of any grammar.
    fn piece(&mut self) -> Vec<u8> {
        const ODD: [&str; 12] = [
            "",
            "\0",
            "\u{feff}",
            "\u{1F600}",
            "\u{202e}",
            "-1",
            "9223372036854775808",
            "1e999",
            "\r\n",
            "%00",
            "%",
            "\\u",
        ];
        let own = self.pieces.len();
        let at = self.draw(own + 2);
        let text = if at < own { self.pieces[at] } else { ODD[self.draw(ODD.len())] };
        text.as_bytes().to_vec()
    }

    /// What was read is worth more to build upon.
    fn keep(&mut self, mut input: Told<'_>, is_read: bool) {
        if is_read || self.draw(20) == 0 {
            let place = self.draw(self.kept.len());
            self.kept[place] = std::mem::take(&mut input.bytes);
        }
        if self.draw(1000) == 0 {
            // Fresh blood, lest all that is kept become one family.
            let place = self.draw(self.kept.len());
            self.kept[place].clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_of_the_pieces_and_within_their_bounds() {
        let (mut longest, mut pairs) = (0, 0);
        let tried = try_hostile("pairs", &["(", ")"], &[b"()"], |input| {
            longest = longest.max(input.len());
            pairs += u64::from(input.windows(2).any(|two| two == b"()"));
            input.starts_with(b"(")
        });
        assert_eq!(tried.inputs, INPUTS_MIN.max(tried.inputs));
        assert!(longest <= BYTES_MAX && pairs > 50 && tried.read > 20, "{longest} {pairs} {tried:?}");
    }

    #[test]
    #[should_panic(expected = "can't read the valid input x")]
    fn a_seed_that_cannot_be_read_is_a_fault_of_the_test() {
        try_hostile("nothing", &[], &[b"x"], |_| false);
    }
}
