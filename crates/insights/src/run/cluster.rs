//! `pattern`: texts by what they share.
//!
//! A text's words that look like they vary (times, ids, addresses, numbers) become tokens; texts that are then alike are
//! counted together, whatever order they come in. In the end patterns of as many words that differ in few become one.

use std::collections::HashMap;

use super::tail::Line;
use crate::field::is_uuid;
use crate::plan::Pattern;
use crate::time;
use crate::value::Value;

/// Words of a text that are looked at; the rest is one token.
const WORDS_MAX: usize = 100;
/// Patterns that are told apart at last; more are only merged when they are alike.
const MERGED_MAX: usize = 1000;
/// What a pattern takes beside its text, bytes.
const PATTERN_BYTES: usize = 96;
/// What stands for a word that varies, until it gets its name. No text has it.
const VARYING: char = '\u{0}';

#[derive(Debug, Clone, Default)]
pub(super) struct Clusters {
    counts: HashMap<String, Counts>,
    bytes: usize,
}

/// How often a pattern is there.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    now: u64,
    before: u64,
}

impl Counts {
    fn add(&mut self, more: Counts) {
        self.now += more.now;
        self.before += more.before;
    }
}

impl Clusters {
    /// Answers how many bytes there are now.
    pub fn push(&mut self, text: Option<Value<'_>>, is_baseline: bool) -> usize {
        if let Some(text) = text {
            let before = u64::from(is_baseline);
            self.add(shape(&text.text()), Counts { now: 1 - before, before });
        }
        self.bytes
    }

    fn add(&mut self, shape: String, count: Counts) {
        if let Some(known) = self.counts.get_mut(&shape) {
            known.add(count);
            return;
        }
        self.bytes += PATTERN_BYTES + shape.len();
        self.counts.insert(shape, count);
    }

    pub fn merge(&mut self, other: Clusters) -> usize {
        other.counts.into_iter().for_each(|(shape, count)| self.add(shape, count));
        self.bytes
    }

    /// A row for each pattern, the most frequent first; where times are compared, those that differ most.
    pub fn finish(self, plan: &Pattern, slots: usize) -> Vec<Line> {
        let all: u64 = self.counts.values().map(|counts| counts.now).sum();
        let mut shapes: Vec<(String, Counts)> = self.counts.into_iter().collect();
        sort(&mut shapes);
        let mut shapes = joined(shapes);
        if plan.diff.is_some() {
            shapes.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.now.abs_diff(counts.before)));
        }
        let line = |(shape, counts): (String, Counts)| {
            let mut cells = vec![None; slots];
            cells[plan.severity] = severity(&shape).map(Value::text_of);
            cells[plan.pattern] = Some(Value::Text(named(&shape).into()));
            cells[plan.ratio] = Value::of(counts.now as f64 / all.max(1) as f64);
            cells[plan.count] = Some(Value::Int(counts.now as i64));
            if let Some(diff) = &plan.diff {
                cells[diff.more] = Some(Value::Int(counts.now as i64 - counts.before as i64));
                cells[diff.words] = Some(Value::Text(compared(counts).into()));
            }
            Line { cells, when: (0, 0), pointer: None }
        };
        shapes.into_iter().map(line).collect()
    }
}

fn sort(shapes: &mut [(String, Counts)]) {
    let key = |counts: &Counts| (counts.now, counts.before);
    shapes.sort_by(|left, right| key(&right.1).cmp(&key(&left.1)).then_with(|| left.0.cmp(&right.0)));
}

/// What has become of a pattern, in a word or in percent of what there was.
fn compared(Counts { now, before }: Counts) -> String {
    match (now, before) {
        (_, 0) => "New".to_owned(),
        (0, _) => "Gone".to_owned(),
        (now, before) if now == before => "Unchanged".to_owned(),
        (now, before) => format!("{:+.0}%", (now as f64 / before as f64 - 1.0) * 100.0),
    }
}

/// A text with its varying words replaced.
fn shape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (place, word) in text.trim().split_inclusive(is_gap).enumerate() {
        if place == WORDS_MAX {
            out.push(VARYING);
            break;
        }
        let end = word.find(is_gap).unwrap_or(word.len());
        if varies(&word[..end]) {
            out.push(VARYING);
            out.push_str(kind_of(&word[..end]));
            out.push(VARYING);
        } else {
            out.extend(word[..end].chars().filter(|c| *c != VARYING));
        }
        out.push_str(&word[end..]);
    }
    out
}

fn is_gap(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, ',' | ';' | '=' | '"' | '\'' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '|')
}

/// Does a word look like another would stand here next time? It has a digit, and is no name such as `http2`.
fn varies(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    digits > 0
        && (digits * 3 >= word.len() || is_uuid(word) || time::parse(word).is_some() || word.contains("://"))
        || word.len() >= 16 && word.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What the token of a word is called. Source: AWS, pattern: `<string-number>`, `<Token-number>` if nothing is known.
fn kind_of(word: &str) -> &'static str {
    let is_clock = word.len() >= 8 && word.as_bytes()[2..].starts_with(b":") && word.is_ascii();
    if time::parse(word).is_some() || time::parse(word.get(..19).unwrap_or("")).is_some() || is_clock {
        "Time"
    } else if is_uuid(word) {
        "UUID"
    } else if word.parse::<std::net::IpAddr>().is_ok() {
        "IPAddress"
    } else if crate::value::number(word).is_some() {
        "Number"
    } else {
        "Token"
    }
}

/// Numbers the tokens: `<Time-1> took <Number-2>`.
fn named(shape: &str) -> String {
    let mut out = String::new();
    let mut parts = shape.split(VARYING);
    out.push_str(parts.next().unwrap_or_default());
    let mut number = 0;
    while let Some(kind) = parts.next() {
        number += 1;
        let kind = if kind.is_empty() { "Token" } else { kind };
        out.push_str(&format!("<{kind}-{number}>"));
        out.push_str(parts.next().unwrap_or_default());
    }
    out
}

/// Joins shapes of as many words that differ in at most a fifth of them, the frequent ones first.
fn joined(shapes: Vec<(String, Counts)>) -> Vec<(String, Counts)> {
    let mut all: Vec<(Vec<String>, Counts)> = Vec::new();
    for (shape, count) in shapes {
        let words: Vec<String> = shape.split(' ').map(str::to_owned).collect();
        let alike = all.iter_mut().take(MERGED_MAX).find(|(other, _)| {
            let differing = other.iter().zip(&words).filter(|(left, right)| left != right).count();
            other.len() == words.len() && differing * 5 <= words.len() && other[0] == words[0]
        });
        match alike {
            Some((other, known)) => {
                known.add(count);
                for (mine, word) in other.iter_mut().zip(&words).filter(|(mine, word)| mine != word) {
                    // A word with marks around a token keeps none of them: all of it varies.
                    let _ = word;
                    *mine = format!("{VARYING}Token{VARYING}");
                }
            }
            None => all.push((words, count)),
        }
    }
    let mut all: Vec<(String, Counts)> =
        all.into_iter().map(|(words, count)| (words.join(" "), count)).collect();
    sort(&mut all);
    all
}

/// The level that a text names.
fn severity(shape: &str) -> Option<&'static str> {
    let upper = shape.to_ascii_uppercase();
    let mut words = upper.split(|c: char| !c.is_ascii_alphabetic());
    words.find_map(|word| match word {
        "FATAL" | "CRITICAL" => Some("Fatal"),
        "ERROR" | "EXCEPTION" => Some("Error"),
        "WARN" | "WARNING" => Some("Warning"),
        "INFO" => Some("Info"),
        "DEBUG" | "TRACE" => Some("Debug"),
        _ => None,
    })
}
