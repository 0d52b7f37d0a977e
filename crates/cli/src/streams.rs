//! Where a command writes.

use std::io::{self, Write};

use crate::terminal::Terminal;

/// Standard output for data and standard error for words, or what a test has in their place.
pub struct Streams {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    /// What the data's end is like.
    pub terminal: Terminal,
}

impl Streams {
    /// The process's own.
    pub fn standard() -> Streams {
        let terminal = Terminal::of_stdout();
        Streams { out: Box::new(io::stdout()), err: Box::new(io::stderr()), terminal }
    }

    /// Writes data at once.
    pub fn data(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush())
    }

    /// Writes a line of words. Nobody hears when even that fails.
    pub fn words(&mut self, text: &str) {
        let _nobody_hears = writeln!(self.err, "{text}");
    }

    /// The data's end, to draw on.
    pub fn canvas(&mut self) -> &mut (impl Write + use<>) {
        &mut self.out
    }
}

#[cfg(test)]
pub mod captured {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What a command wrote.
    #[derive(Clone, Default)]
    pub struct Captured {
        pub out: Buffer,
        pub err: Buffer,
    }

    #[derive(Clone, Default)]
    pub struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl Buffer {
        pub fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Captured {
        /// Streams that end here; `is_live` as on a terminal.
        pub fn streams(&self, is_live: bool) -> Streams {
            Streams {
                out: Box::new(self.out.clone()),
                err: Box::new(self.err.clone()),
                terminal: Terminal { is_live, color: false },
            }
        }
    }
}
