//! A place in the template's text. Everything that VTL looks at is ASCII, so that it moves by bytes and cuts between them only
//! where a character ends.

#[derive(Debug, Clone)]
pub struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

/// `#name` or `#{name}`, not read over yet.
#[derive(Debug, Clone, Copy)]
pub struct Word<'t> {
    pub name: &'t str,
    /// Bytes from the hash to the end of the name or its bracket.
    pub length: usize,
}

impl<'t> Cursor<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    pub fn position(&self) -> usize {
        self.at
    }

    pub fn return_to(&mut self, position: usize) {
        self.at = position;
    }

    pub fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub fn peek_at(&self, distance: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + distance).copied()
    }

    pub fn take(&mut self, bytes: usize) -> &'t str {
        let start = self.at;
        self.at = start.saturating_add(bytes).min(self.text.len());
        self.since(start)
    }

    pub fn take_while(&mut self, is_part: impl Fn(u8) -> bool) -> &'t str {
        let length = self.rest().bytes().take_while(|byte| is_part(*byte)).count();
        self.take(length)
    }

    pub fn take_until(&mut self, is_end: impl Fn(u8) -> bool) -> &'t str {
        self.take_while(|byte| !is_end(byte))
    }

    /// Reads over `expected` if it comes next.
    pub fn eat(&mut self, expected: &str) -> bool {
        let is_next = self.rest().starts_with(expected);
        if is_next {
            self.at += expected.len();
        }
        is_next
    }

    /// Reads up to and over `end`; `None` when it never comes.
    pub fn take_over(&mut self, end: &str) -> Option<&'t str> {
        let length = self.rest().find(end)?;
        let found = self.take(length);
        self.at += end.len();
        Some(found)
    }

    pub fn skip_whitespace(&mut self) {
        self.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    /// Blanks and a newline after them go with a directive; blanks without a newline stay.
    pub fn skip_line_end(&mut self) {
        let start = self.at;
        self.take_while(|byte| matches!(byte, b' ' | b'\t'));
        if !self.eat_newline() {
            self.at = start;
        }
    }

    pub fn eat_newline(&mut self) -> bool {
        self.eat("\r\n") || self.eat("\n") || self.eat("\r")
    }

    /// `[A-Za-z_][A-Za-z0-9_-]*`.
    pub fn identifier(&mut self) -> Option<&'t str> {
        let begins = self.peek().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        begins.then(|| self.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')))
    }

    /// Whether a reference begins here.
    pub fn begins_reference(&self) -> bool {
        let mut ahead = self.clone();
        let begins = ahead.eat("$");
        ahead.eat("!");
        if ahead.eat("{") {
            ahead.eat("$");
        }
        begins && ahead.identifier().is_some()
    }

    /// The directive's name that comes next, if one does.
    pub fn directive_word(&self) -> Option<Word<'t>> {
        let rest = self.rest().strip_prefix('#')?;
        if let Some(inner) = rest.strip_prefix('{') {
            let name = word(inner)?;
            let closes = !name.starts_with('@') && inner[name.len()..].starts_with('}');
            return closes.then_some(Word { name, length: name.len() + 3 });
        }
        word(rest).map(|name| Word { name, length: name.len() + 1 })
    }

    /// Whether a `(` comes next, or after whitespace.
    pub fn is_before_parenthesis(&self) -> bool {
        self.rest().trim_start_matches([' ', '\t', '\n', '\r']).starts_with('(')
    }
}

fn word(text: &str) -> Option<&str> {
    let begins =
        text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'@'));
    let length =
        text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@')).count();
    begins.then(|| &text[..length])
}
