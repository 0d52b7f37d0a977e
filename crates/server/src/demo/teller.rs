//! How the story is told: live on a terminal, in plain lines, or at its end as JSON.

use std::io::{self, Write};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pitbird_cli::Output;
use pitbird_cli::terminal::{Block, Terminal, WIDTH, width};
use pitbird_cli::watch::{self, RolloutView};
use serde_json::Value;

use super::report::{Release, Report};
use super::traffic::{Answers, Tally};

/// Plain lines about a running rollout come at most this often, seconds.
const LINE_EVERY_S: f64 = 1.0;

pub struct Teller {
    mode: Mode,
    color: bool,
    began: Instant,
    block: Block,
    last_line: Option<Instant>,
    last_step: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// A block that is drawn over and over.
    Live,
    Plain,
    /// Nothing until the end.
    Json,
}

impl Teller {
    pub fn new(headless: bool, output: Output) -> Teller {
        let terminal = Terminal::of_stdout();
        let mode = match output {
            Output::Json => Mode::Json,
            _ if headless || !terminal.is_live => Mode::Plain,
            _ => Mode::Live,
        };
        let (block, began) = (Block::default(), Instant::now());
        Teller {
            mode,
            color: terminal.color && mode != Mode::Json,
            began,
            block,
            last_line: None,
            last_step: None,
        }
    }

    pub fn title(&mut self, endpoint: &str, isolation: &str) {
        self.line(&format!("pitbird serves on {endpoint}; functions are isolated by {isolation}"));
        self.line("All of it is real; only waits are shorter and the margin is wider than careful defaults, as listed at the end.");
    }

    pub fn chapter(&mut self, words: &str) {
        let at = self.began.elapsed().as_secs_f64();
        let words = if self.color { format!("\x1b[1m{words}\x1b[0m") } else { words.to_owned() };
        self.line("");
        self.line(&format!("{at:5.1} s  {words}"));
    }

    /// The command that does the same as what happens now.
    pub fn command(&mut self, command: &str) {
        let command = format!("         $ {command}");
        self.line(&if self.color { format!("\x1b[2m{command}\x1b[0m") } else { command });
    }

    /// What clients see while nothing is rolled out.
    pub fn traffic(&mut self, tally: &Tally) {
        if self.mode == Mode::Live {
            self.draw(&format!("         {}\n", said(tally)));
        }
    }

    pub fn settled(&mut self, tally: &Tally) {
        self.close();
        self.line(&format!("         {}", said(tally)));
    }

    /// A rollout on its way.
    pub fn rollout(&mut self, rollout: &Value, tally: &Tally) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        let view = RolloutView::from_json(rollout, now);
        match self.mode {
            Mode::Live => {
                let width = width().unwrap_or(WIDTH);
                let text = format!(
                    "{}\n         clients: {}\n",
                    watch::render(&view, width, self.color),
                    said(tally)
                );
                self.draw(&text);
            }
            Mode::Plain => {
                let step = format!("{} {}", rollout["Phase"], rollout["Percent"]);
                let is_due = self.last_line.is_none_or(|last| last.elapsed().as_secs_f64() >= LINE_EVERY_S);
                if is_due || self.last_step.as_ref() != Some(&step) {
                    self.last_line = Some(Instant::now());
                    self.last_step = Some(step);
                    let at = self.began.elapsed().as_secs_f64();
                    self.line(&format!("{at:5.1} s  {}", watch::line(&view)));
                }
            }
            Mode::Json => {}
        }
    }

    /// How a release ended.
    pub fn release(&mut self, release: &Release) {
        self.close();
        let Release { name, requests, failed, canary_requests, switch_ms, seconds, .. } = release;
        let verdict = match release.outcome.as_str() {
            "Promoted" => self.paint("32", "PROMOTED"),
            "RolledBack" => self.paint("31", "ROLLED BACK"),
            other => self.paint("33", other),
        };
        let at = self.began.elapsed().as_secs_f64();
        self.line(&format!("{at:5.1} s  {name}: {verdict} after {seconds:.1} s{}", reason(&release.reason)));
        self.line(&format!(
            "         {failed} of {requests} requests saw the fault ({canary_requests} went to the canary); \
             the switch took {switch_ms} ms"
        ));
    }

    /// The end, in any mode.
    pub fn end(&mut self, report: &Report) {
        if self.mode == Mode::Json {
            let text = serde_json::to_string_pretty(report).expect("a report is plain data");
            return self.print(&format!("{text}\n"));
        }
        self.line("");
        for deviation in &report.deviations {
            self.line(&format!("         for this demo: {deviation}"));
        }
        let answers = report.answers_by_release.iter();
        let answers: Vec<String> =
            answers.map(|(release, seen)| format!("{release} {}", seen.good)).collect();
        self.line(&format!(
            "{:5.1} s  {} requests, {} failed, good answers by release: {}",
            report.seconds,
            report.requests,
            report.failed,
            answers.join(", ")
        ));
        let words = if report.ok {
            self.paint("32", "v2 was caught and rolled back, v3 was promoted.")
        } else {
            self.paint("31", "The story did not end as it should; --output json tells the details.")
        };
        self.line(&format!("         {words}"));
    }

    fn paint(&self, code: &str, words: &str) -> String {
        if self.color { format!("\x1b[1;{code}m{words}\x1b[0m") } else { words.to_owned() }
    }

    /// A line that stays, above any live block.
    fn line(&mut self, text: &str) {
        if self.mode != Mode::Json {
            self.close();
            self.print(&format!("{text}\n"));
        }
    }

    fn draw(&mut self, text: &str) {
        // Whoever closed the pipe doesn't want to see more; the story's end still counts.
        let _unseen = self.block.draw(&mut io::stdout().lock(), text);
    }

    /// Leaves the live block where it is and begins anew below.
    fn close(&mut self) {
        self.block = Block::default();
    }

    fn print(&self, text: &str) {
        let mut out = io::stdout().lock();
        let _unseen = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

/// Why it ended, where that is more than how it ended.
fn reason(reason: &str) -> String {
    match reason.split_once(": ") {
        Some((_outcome, why)) => format!(": {why}"),
        None => String::new(),
    }
}

/// How many requests there were, and beside each other what each release did with its own.
fn said(tally: &Tally) -> String {
    let answers = tally.by_release.iter().map(|(release, answers)| {
        let Answers { good, failed, .. } = answers;
        let failures = if *failed > 0 { format!(" and {failed} failures") } else { String::new() };
        let (p50, p99) = (answers.latency_ms(0.5), answers.latency_ms(0.99));
        format!("{release} {good} good{failures}, p50 {p50:.1} ms, p99 {p99:.1} ms")
    });
    let answers: Vec<String> = answers.collect();
    format!("{} requests, {} failed: {}", tally.requests, tally.failed, answers.join(" | "))
}
