//! Follows a rollout to its end.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::{call, exit_code, now};
use crate::arguments::Output;
use crate::client::{self, Client};
use crate::failure::Failure;
use crate::print;
use crate::terminal::{self, Block, Terminal};
use crate::watch::{self, Progress, RolloutView, Verdict};

/// How long a server may be away. Rollouts survive its restart.
const PATIENCE: Duration = Duration::from_secs(60);
/// Without news, a line says so after this time.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// As shells know a command that SIGINT ended.
const INTERRUPTED: u8 = 130;

/// Shows the rollout until it has ended: as a live block on a terminal, else as a line whenever something changes. With
/// JSON or text output, standard output gets the ended rollout alone and the lines go to standard error.
pub async fn to_the_end(
    client: &Client,
    name: &str,
    interval: Duration,
    output: Output,
) -> Result<ExitCode, Failure> {
    let mut screen = Screen::new(output);
    let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
    let mut away: Option<Instant> = None;
    let mut was_there = false;
    loop {
        match call(client, "GetRollout", &json!({"Name": name, "MaxRecords": 0})).await {
            Ok(rollout) => {
                (away, was_there) = (None, true);
                let view = RolloutView::from_json(&rollout, now());
                screen.show(&view)?;
                if matches!(view.progress, Progress::Ended(_)) {
                    return ended(&rollout, &view, output);
                }
            }
            Err(error) if was_there && may_wait(&error, &mut away) => screen.say_away(&error)?,
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = tokio::time::sleep(interval.max(Duration::from_millis(50))) => {}
            _ = interrupt.as_mut() => {
                eprintln!("the rollout goes on; `pitbird rollout watch {name}` follows it again");
                return Ok(ExitCode::from(INTERRUPTED));
            }
        }
    }
}

fn ended(rollout: &Json, view: &RolloutView, output: Output) -> Result<ExitCode, Failure> {
    if output != Output::Table {
        print::to_stdout(&print::rendered(rollout, output))?;
    }
    Ok(exit_code(view.progress))
}

fn may_wait(error: &client::Error, away: &mut Option<Instant>) -> bool {
    let since = *away.get_or_insert_with(Instant::now);
    error.is_passing() && since.elapsed() < PATIENCE
}

/// Where the rollout is shown.
struct Screen {
    terminal: Terminal,
    block: Block,
    lines_to_stderr: bool,
    last: Option<(Shown, Instant)>,
    said_away: bool,
}

/// What makes a new line worth writing.
#[derive(PartialEq)]
struct Shown {
    progress: Progress,
    percent: f64,
    step: Option<usize>,
    verdict: Verdict,
}

impl Screen {
    fn new(output: Output) -> Screen {
        let lines_to_stderr = output != Output::Table;
        let mut terminal = Terminal::of_stdout();
        terminal.is_live &= !lines_to_stderr;
        Screen { terminal, block: Block::default(), lines_to_stderr, last: None, said_away: false }
    }

    fn show(&mut self, view: &RolloutView) -> io::Result<()> {
        self.said_away = false;
        if self.terminal.is_live {
            let text = watch::render(view, terminal::width(), self.terminal.color);
            return self.block.draw(&mut io::stdout().lock(), &text);
        }
        let shown = Shown {
            progress: view.progress,
            percent: view.percent,
            step: view.step,
            verdict: view.evidence.map(|evidence| evidence.verdict).unwrap_or_default(),
        };
        let is_old = |(last, at): &(Shown, Instant)| *last == shown && at.elapsed() < SILENCE_MAX;
        if self.last.as_ref().is_some_and(is_old) {
            return Ok(());
        }
        self.last = Some((shown, Instant::now()));
        self.line(&watch::line(view))
    }

    fn say_away(&mut self, error: &client::Error) -> io::Result<()> {
        if std::mem::replace(&mut self.said_away, true) {
            return Ok(());
        }
        if self.terminal.is_live {
            eprintln!("{error}; still trying");
            // What was said stands below the block; the next one is drawn below it.
            self.block = Block::default();
            return Ok(());
        }
        self.line(&format!("{error}; still trying"))
    }

    fn line(&self, text: &str) -> io::Result<()> {
        if self.lines_to_stderr {
            writeln!(io::stderr().lock(), "{text}")
        } else {
            print::to_stdout(&format!("{text}\n"))
        }
    }
}
