//! What the terminal is like, and redrawing in place.

use std::io::{self, IsTerminal, Write};

use crate::environment;

/// Narrower than this, lines are cut no further.
const WIDTH_MIN: usize = 40;
/// What is drawn for nobody knows what.
pub const WIDTH: usize = 80;

/// How standard output can be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    /// Lines may be drawn over.
    pub is_live: bool,
    pub color: bool,
}

impl Terminal {
    /// What standard output is.
    pub fn of_stdout() -> Terminal {
        Terminal::new(io::stdout().is_terminal(), environment::text)
    }

    /// With the environment's variables; those that are empty count as not set.
    fn new(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> Terminal {
        let is_live = is_terminal && variable(environment::TERM).is_some_and(|name| name != "dumb");
        Terminal { is_live, color: is_live && variable(environment::NO_COLOR).is_none() }
    }
}

/// Columns of standard output now, if it is a terminal; it may be resized at any time.
pub fn width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    let columns = usize::from(size.ws_col);
    Some(if columns == 0 { WIDTH } else { columns.max(WIDTH_MIN) })
}

/// Rows of standard output now; without a terminal, as many as anybody wants.
pub fn height() -> usize {
    let rows = rustix::termios::tcgetwinsize(io::stdout()).map_or(0, |size| usize::from(size.ws_row));
    if rows == 0 { usize::MAX } else { rows }
}

/// What comes from outside has what it likes in it; the terminal must not obey it. Tabs and line ends stay.
pub fn harmless(message: &str) -> String {
    message
        .chars()
        .map(|c| if c.is_control() && !matches!(c, '\t' | '\n') { '\u{fffd}' } else { c })
        .collect()
}

/// A block of lines that is drawn over itself. What doesn't fit on the terminal is left out.
#[derive(Debug, Default)]
pub struct Block {
    lines: usize,
}

impl Block {
    /// Draws `text` in place of what was drawn before.
    pub fn draw(&mut self, out: &mut impl Write, text: &str) -> io::Result<()> {
        let lines = text.lines().take(height().saturating_sub(1));
        // Without automatic wrapping: a line that is too long would count as two.
        let mut frame = String::from("\x1b[?7l");
        if self.lines > 0 {
            frame.push_str(&format!("\x1b[{}F", self.lines));
        }
        self.lines = 0;
        for line in lines {
            self.lines += 1;
            frame.push_str(line);
            // Each line clears what is left of the one before, so that nothing flickers.
            frame.push_str("\x1b[K\n");
        }
        frame.push_str("\x1b[J\x1b[?7h");
        out.write_all(frame.as_bytes())?;
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_needs_a_terminal_that_has_it_and_nobody_against_it() {
        let terminal = |is_terminal, set: &'static [(&str, &str)]| {
            let variable = move |name: &str| {
                set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            let Terminal { is_live, color } = Terminal::new(is_terminal, variable);
            (is_live, color)
        };
        assert_eq!(terminal(true, &[("TERM", "xterm")]), (true, true));
        assert_eq!(terminal(true, &[("TERM", "xterm"), ("NO_COLOR", "1")]), (true, false));
        assert_eq!(terminal(true, &[("TERM", "dumb")]), (false, false));
        assert_eq!(terminal(true, &[]), (false, false));
        assert_eq!(terminal(false, &[("TERM", "xterm")]), (false, false));
    }

    #[test]
    fn a_block_is_drawn_over_itself() {
        let mut block = Block::default();
        let mut out = Vec::new();
        block.draw(&mut out, "one\ntwo\n").unwrap();
        block.draw(&mut out, "three\n").unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\x1b[?7lone\x1b[K\ntwo\x1b[K\n\x1b[J\x1b[?7h\x1b[?7l\x1b[2Fthree\x1b[K\n\x1b[J\x1b[?7h"
        );
    }
}
