//! What goes on, on a terminal: releases, functions and their error rates, and the end of the log, drawn anew every moment.
//!
//! [`look`] asks, [`draw`] makes lines of the answers and is pure, [`keys`] hears what is pressed. Where there is no terminal, or data is
//! wanted, one look is printed.

mod draw;
mod keys;
mod look;

use std::io::{self, Write};
use std::time::Duration;

use crate::arguments::{Output, TopOptions};
use crate::client::Client;
use crate::failure::Failure;
use crate::streams::Streams;
use crate::{print, terminal};

use draw::{Heading, Size};
use keys::{Key, Keys};
use look::{Looker, Seen};

/// Looks aren't taken more often.
const INTERVAL_MIN: Duration = Duration::from_millis(100);
/// Lines where nothing says how many there is room for.
const ROWS: usize = 40;

/// Another screen, so that what was on this one is there again afterwards; and no cursor.
const BEGIN: &str = "\x1b[?1049h\x1b[?25l";
const END: &str = "\x1b[?25h\x1b[?1049l";

pub async fn run(
    client: &Client,
    options: &TopOptions,
    output: Output,
    streams: &mut Streams,
) -> Result<(), Failure> {
    let mut looker = Looker::new(client, options);
    // Who asks in vain is told so before anything is drawn.
    let seen = looker.look().await?;
    if output != Output::Table {
        streams.data(&print::rendered(&seen.to_json(), output))?;
        return Ok(());
    }
    let heading = Heading { endpoint: client.endpoint().to_string(), trouble: None, is_held: false };
    if !streams.terminal.is_live {
        let size = Size { columns: terminal::width().unwrap_or(terminal::WIDTH), rows: ROWS };
        streams.data(&draw::picture(&seen, &heading, size, false))?;
        return Ok(());
    }
    let keys = Keys::listen()?;
    streams.data(BEGIN)?;
    let drawn =
        until_told(&mut looker, seen, heading, options.interval.max(INTERVAL_MIN), keys, streams).await;
    streams.data(END)?;
    drawn.map_err(Failure::from)
}

/// Looks and draws until somebody has had enough.
async fn until_told(
    looker: &mut Looker<'_>,
    mut seen: Seen,
    mut heading: Heading,
    interval: Duration,
    mut keys: Keys,
    streams: &mut Streams,
) -> io::Result<()> {
    let mut interrupt = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        show(&seen, &heading, streams)?;
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            key = keys.next() => match key {
                Key::Quit => return Ok(()),
                Key::Hold => {
                    heading.is_held = !heading.is_held;
                    continue;
                }
                Key::Other => continue,
            },
            _ = interrupt.as_mut() => return Ok(()),
        }
        if heading.is_held {
            continue;
        }
        // What is known stays on the screen while the server is away.
        match looker.look().await {
            Ok(found) => (seen, heading.trouble) = (found, None),
            Err(error) => heading.trouble = Some(error.to_string()),
        }
    }
}

fn show(seen: &Seen, heading: &Heading, streams: &mut Streams) -> io::Result<()> {
    let size =
        Size { columns: terminal::width().unwrap_or(terminal::WIDTH), rows: terminal::height().min(1000) };
    let color = streams.terminal.color;
    let mut frame = String::from("\x1b[?7l\x1b[H");
    for line in draw::picture(seen, heading, size, color).lines() {
        frame.push_str(line);
        frame.push_str("\x1b[K\n");
    }
    frame.push_str("\x1b[J\x1b[?7h");
    let canvas = streams.canvas();
    canvas.write_all(frame.as_bytes())?;
    canvas.flush()
}
