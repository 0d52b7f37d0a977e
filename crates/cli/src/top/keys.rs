//! What is pressed, without waiting for the end of a line.

use std::io::{self, IsTerminal, Read};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc;

/// What somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Quit,
    /// Stands still, or goes on.
    Hold,
    Other,
}

impl Key {
    fn new(byte: u8) -> Key {
        match byte {
            b'q' | b'Q' => Key::Quit,
            b'p' | b' ' => Key::Hold,
            _ => Key::Other,
        }
    }
}

/// Keys as they are pressed, for as long as this is there; then the terminal is as it was.
pub struct Keys {
    pressed: mpsc::Receiver<Key>,
    before: Option<Termios>,
}

impl Keys {
    /// Where standard input is no terminal, nobody presses anything.
    pub fn listen() -> io::Result<Keys> {
        let (sender, pressed) = mpsc::channel(16);
        if !io::stdin().is_terminal() {
            return Ok(Keys { pressed, before: None });
        }
        let before = tcgetattr(io::stdin())?;
        let mut modes = before.clone();
        // Interrupts stay what they are.
        modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        tcsetattr(io::stdin(), OptionalActions::Now, &modes)?;
        // Nothing ends a read of a terminal, so the thread lasts as long as the process: a runtime would wait for it.
        std::thread::spawn(move || {
            for byte in io::stdin().lock().bytes().map_while(Result::ok) {
                if sender.blocking_send(Key::new(byte)).is_err() {
                    return;
                }
            }
        });
        Ok(Keys { pressed, before: Some(before) })
    }

    /// The next one; for ever nothing once nobody can press any.
    pub async fn next(&mut self) -> Key {
        match self.pressed.recv().await {
            Some(key) => key,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // A terminal that has gone needs nothing put right.
            let _gone = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
