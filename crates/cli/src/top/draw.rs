//! The picture: as many lines as there is room for, none too long.

use super::look::{Function, LogLine, Seen};
use crate::json::epoch_ms;
use crate::watch::{Line, Progress, RolloutView, Style, bar, mark, verdict_words};

/// What is said above everything.
#[derive(Debug, Clone, Default)]
pub struct Heading {
    pub endpoint: String,
    /// Why what is shown may be old.
    pub trouble: Option<String>,
    pub is_held: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
}

/// Where a row's columns begin.
const STATE: usize = 20;
const SPLIT: usize = 36;
const BASE: usize = 52;
const CANARY: usize = 65;
const VERDICT: usize = 80;
const BAR: usize = 8;
/// Lines that titles and what is between take.
const FRAME: usize = 10;

pub fn picture(seen: &Seen, heading: &Heading, size: Size, color: bool) -> String {
    let line = || Line::new(size.columns, color);
    let mut out = String::new();
    head(seen, heading, line()).end(&mut out);
    out.push('\n');
    let room = size.rows.saturating_sub(FRAME).max(6);
    let shown = seen.releases.len().min(room / 3);
    let running = seen.releases.iter().filter(|view| !matches!(view.progress, Progress::Ended(_))).count();
    let words = match (running, seen.releases.len()) {
        (_, 0) => "none yet; `pitbird demo` shows one caught and one promoted".to_owned(),
        (0, _) => "none in progress".to_owned(),
        (running, _) => format!("{running} in progress"),
    };
    line().push(Style::Bold, "RELEASES  ").push(Style::Plain, &words).end(&mut out);
    if shown > 0 {
        let titles = [
            (STATE, "state"),
            (SPLIT, "canary gets"),
            (BASE, "base errors"),
            (CANARY, "canary errors"),
            (VERDICT, "verdict"),
        ];
        titled(line(), &titles).end(&mut out);
    }
    for view in &seen.releases[..shown] {
        release(view, line()).end(&mut out);
    }
    more(seen.releases.len() - shown, line, &mut out);
    out.push('\n');
    let shown = seen.functions.len().min(room / 3);
    let words = match seen.functions.len() {
        0 => "none has been invoked in the last minutes".to_owned(),
        count => format!("{count}, in the newest whole minute"),
    };
    line().push(Style::Bold, "FUNCTIONS  ").push(Style::Plain, &words).end(&mut out);
    if shown > 0 {
        titled(
            line(),
            &[(0, &columns("invoked", "errors", "error rate", "throttled", "p99", "at once", ""))],
        )
        .end(&mut out);
    }
    for function in &seen.functions[..shown] {
        row(function, line()).end(&mut out);
    }
    more(seen.functions.len() - shown, line, &mut out);
    out.push('\n');
    line().push(Style::Bold, "LOG").end(&mut out);
    let left = size.rows.saturating_sub(out.lines().count() + 1);
    for it in &seen.lines[seen.lines.len().saturating_sub(left)..] {
        logged(it, line()).end(&mut out);
    }
    if seen.lines.is_empty() {
        line().push(Style::Dim, "nothing in the last minute").end(&mut out);
    }
    out
}

fn head(seen: &Seen, heading: &Heading, line: Line) -> Line {
    let at = epoch_ms((seen.at_s * 1000.0) as i64).unwrap_or_default();
    let of_day = at.split_once('T').map_or("", |(_, of_day)| of_day).get(..8).unwrap_or_default();
    let line = line.push(Style::Bold, "pitbird top").push(Style::Dim, &format!("  {}  ", heading.endpoint));
    match (&heading.trouble, heading.is_held) {
        (Some(trouble), _) => line.push(Style::Bad, &format!("✘ {trouble}; as of {of_day} UTC")),
        (None, true) => line.push(Style::Careful, &format!("‖ held at {of_day} UTC; p goes on, q quits")),
        (None, false) => line.push(Style::Plain, &format!("{of_day} UTC; p holds, q quits")),
    }
}

fn titled(line: Line, titles: &[(usize, &str)]) -> Line {
    titles.iter().fold(line, |line, (column, words)| line.to(*column).push(Style::Dim, words))
}

fn release(view: &RolloutView, line: Line) -> Line {
    let (style, sign) = mark(view.progress);
    let rate = |arm: &crate::watch::Arm| {
        arm.rate().map_or_else(|| "–".to_owned(), |rate| format!("{:.2} %", rate * 100.0))
    };
    let is_worse = view.canary_arm.rate() > view.base.rate();
    let (full, empty) = bar(view.percent / 100.0, BAR);
    let line = cut(line, Style::Bold, &view.name, STATE)
        .to(STATE)
        .push(style, &format!("{sign} {}", view.progress.words()))
        .to(SPLIT)
        .push(Style::Canary, &full)
        .push(Style::Dim, &empty)
        .push(Style::Plain, &format!(" {} %", view.percent))
        .to(BASE)
        .push(Style::Plain, &rate(&view.base))
        .to(CANARY)
        .push(
            if is_worse { Style::Bad } else { Style::Plain },
            &format!("{}{}", if is_worse { "▲ " } else { "" }, rate(&view.canary_arm)),
        )
        .to(VERDICT);
    match &view.evidence {
        Some(evidence) => {
            let (style, words) = verdict_words(evidence.verdict);
            line.push(style, words)
        }
        None => line.push(Style::Dim, "–"),
    }
}

fn columns(
    invoked: &str,
    errors: &str,
    rate: &str,
    throttled: &str,
    p99: &str,
    at_once: &str,
    name: &str,
) -> String {
    format!("{invoked:>9}{errors:>9}{rate:>12}{throttled:>11}{p99:>11}{at_once:>9}  {name}")
}

fn row(function: &Function, line: Line) -> Line {
    let optional = |value: Option<f64>, unit: &str| {
        value.map_or_else(|| "–".to_owned(), |value| format!("{value:.0}{unit}"))
    };
    let has_errors = function.errors > 0.0;
    let rate = function.rate().map_or_else(
        || "–".to_owned(),
        |rate| format!("{}{:.2} %", if has_errors { "▲ " } else { "" }, rate * 100.0),
    );
    let words = columns(
        &format!("{:.0}", function.invocations),
        &format!("{:.0}", function.errors),
        &rate,
        &format!("{:.0}", function.throttles),
        &optional(function.duration_ms_p99, " ms"),
        &optional(function.concurrent, ""),
        &function.name,
    );
    line.push(if has_errors { Style::Bad } else { Style::Plain }, &words)
}

fn logged(it: &LogLine, line: Line) -> Line {
    let at = epoch_ms(it.at_ms as i64).unwrap_or_default();
    let of_day = at.split_once('T').map_or("", |(_, of_day)| of_day).get(..12).unwrap_or_default();
    let group = it.group.rsplit('/').next().unwrap_or_default();
    line.push(Style::Dim, &format!("{of_day}  {group}  ")).push(Style::Plain, &it.message)
}

/// A name that is longer than its column is cut.
fn cut(line: Line, style: Style, name: &str, columns: usize) -> Line {
    let room = columns.saturating_sub(2);
    if name.chars().count() <= room {
        return line.push(style, name);
    }
    let kept: String = name.chars().take(room - 1).collect();
    line.push(style, &format!("{kept}…"))
}

fn more(count: usize, line: impl Fn() -> Line, out: &mut String) {
    if count > 0 {
        line().push(Style::Dim, &format!("and {count} more")).end(out);
    }
}

#[cfg(test)]
mod tests {
    use pitbird_rollout::Outcome;

    use super::*;
    use crate::watch::{Arm, Evidence, Verdict};

    fn seen() -> Seen {
        let arm = |requests, failures| Arm { requests, failures, ..Arm::default() };
        let running = RolloutView {
            name: "pets-v2".to_owned(),
            percent: 10.0,
            base: arm(1000, 1),
            canary_arm: arm(100, 5),
            evidence: Some(Evidence { verdict: Verdict::Worse, ..Evidence::default() }),
            ..RolloutView::default()
        };
        let ended = RolloutView {
            name: "a-name-that-is-much-too-long".to_owned(),
            progress: Progress::Ended(Outcome::Promoted),
            percent: 100.0,
            ..RolloutView::default()
        };
        let function = Function {
            name: "pets\u{1b}[2J".to_owned(),
            invocations: 600.0,
            errors: 3.0,
            duration_ms_p99: Some(29.4),
            ..Function::default()
        };
        let line = LogLine {
            at_ms: 1_000,
            group: "/aws/lambda/pets".to_owned(),
            message: "hello\u{7}".to_owned(),
            ..LogLine::default()
        };
        Seen { at_s: 3600.0, releases: vec![running, ended], functions: vec![function], lines: vec![line] }
    }

    #[test]
    fn everything_has_a_sign_and_a_word() {
        let heading = Heading { endpoint: "http://127.0.0.1:4566".to_owned(), ..Heading::default() };
        let expected = "\
pitbird top  http://127.0.0.1:4566  01:00:00 UTC; p holds, q quits

RELEASES  1 in progress
                    state           canary gets     base errors  canary errors  verdict
pets-v2             ▶ in progress   █░░░░░░░ 10 %   0.10 %       ▲ 5.00 %       ✘ canary is worse
a-name-that-is-mu…  ✔ promoted      ████████ 100 %  –            –              –

FUNCTIONS  1, in the newest whole minute
  invoked   errors  error rate  throttled        p99  at once
      600        3    ▲ 0.50 %          0      29 ms        –  pets [2J

LOG
00:00:01.000  pets  hello
";
        assert_eq!(picture(&seen(), &heading, Size { columns: 120, rows: 30 }, false), expected);
    }

    #[test]
    fn it_fits() {
        let full = Seen {
            releases: vec![seen().releases[0].clone(); 50],
            functions: vec![seen().functions[0].clone(); 50],
            lines: vec![seen().lines[0].clone(); 50],
            ..seen()
        };
        for (columns, rows) in [(40, 16), (80, 24), (200, 60)] {
            let text = picture(&full, &Heading::default(), Size { columns, rows }, false);
            assert!(text.lines().count() < rows, "{rows}: {text}");
            assert!(text.lines().all(|line| line.chars().count() <= columns), "{columns}: {text}");
        }
    }

    #[test]
    fn an_empty_server_says_what_to_type() {
        let text = picture(&Seen::default(), &Heading::default(), Size { columns: 80, rows: 24 }, false);
        assert!(text.contains("pitbird demo") && text.contains("nothing in the last minute"), "{text}");
    }
}
