//! Follows a rollout to its end.

use std::io;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{call, exit_code, now};
use crate::arguments::Output;
use crate::client::{self, Client};
use crate::failure::Failure;
use crate::print;
use crate::streams::Streams;
use crate::terminal::{self, Block};
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
    streams: &mut Streams,
) -> Result<u8, Failure> {
    let mut screen = Screen::new(output, streams);
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
                    if output != Output::Table {
                        screen.streams.data(&print::rendered(&rollout, output))?;
                    }
                    return Ok(exit_code(view.progress));
                }
            }
            Err(error) if was_there && may_wait(&error, &mut away) => screen.say_away(&error)?,
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = tokio::time::sleep(interval.max(Duration::from_millis(50))) => {}
            _ = interrupt.as_mut() => {
                screen.streams.words(&format!("the rollout goes on; `pitbird rollout watch {name}` follows it again"));
                return Ok(INTERRUPTED);
            }
        }
    }
}

fn may_wait(error: &client::Error, away: &mut Option<Instant>) -> bool {
    let since = *away.get_or_insert_with(Instant::now);
    error.is_passing() && since.elapsed() < PATIENCE
}

/// Where the rollout is shown.
struct Screen<'s> {
    streams: &'s mut Streams,
    is_live: bool,
    lines_to_stderr: bool,
    block: Block,
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

impl Screen<'_> {
    fn new(output: Output, streams: &mut Streams) -> Screen<'_> {
        let lines_to_stderr = output != Output::Table;
        let is_live = streams.terminal.is_live && !lines_to_stderr;
        Screen { streams, is_live, lines_to_stderr, block: Block::default(), last: None, said_away: false }
    }

    fn show(&mut self, view: &RolloutView) -> io::Result<()> {
        self.said_away = false;
        if self.is_live {
            let text = watch::render(
                view,
                terminal::width().unwrap_or(terminal::WIDTH),
                self.streams.terminal.color,
            );
            return self.block.draw(self.streams.canvas(), &text);
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
        let words = format!("{error}; still trying");
        if self.is_live {
            // What was said stands below the block; the next one is drawn below it.
            self.block = Block::default();
            self.streams.words(&words);
            return Ok(());
        }
        self.line(&words)
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        if self.lines_to_stderr {
            self.streams.words(text);
            Ok(())
        } else {
            self.streams.data(&format!("{text}\n"))
        }
    }
}
