//! Lines that know how wide they are.

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    Careful,
    Canary,
}

impl Style {
    /// Select Graphic Rendition parameters, ECMA-48; the sixteen basic colours, so that the terminal's theme holds.
    pub fn parameters(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Good => "32",
            Style::Bad => "31;1",
            Style::Careful => "33",
            Style::Canary => "33",
        }
    }
}

/// One line under way. What goes beyond `width` is cut.
#[derive(Debug)]
pub struct Line {
    text: String,
    columns: usize,
    width: usize,
    color: bool,
}

impl Line {
    pub fn new(width: usize, color: bool) -> Line {
        Line { text: String::new(), columns: 0, width, color }
    }

    /// Appends text. A control character becomes a space: names and reasons come from outside.
    #[must_use]
    pub fn push(mut self, style: Style, text: &str) -> Line {
        let room = self.width.saturating_sub(self.columns);
        let count = text.chars().count();
        let mut piece: String =
            text.chars().take(room).map(|c| if c.is_control() { ' ' } else { c }).collect();
        if count > room && room > 0 {
            piece.pop();
            piece.push('…');
        }
        self.columns += count.min(room);
        if self.color && style != Style::Plain && !piece.is_empty() {
            self.text.push_str(&format!("\x1b[{}m{piece}\x1b[0m", style.parameters()));
        } else {
            self.text.push_str(&piece);
        }
        self
    }

    /// Appends spaces up to a column.
    #[must_use]
    pub fn to(self, column: usize) -> Line {
        let gap = column.saturating_sub(self.columns);
        self.push(Style::Plain, &" ".repeat(gap))
    }

    /// Adds the line to a block.
    pub fn end(self, out: &mut String) {
        out.push_str(self.text.trim_end());
        out.push('\n');
    }
}

/// A bar of `columns` cells, filled to `share`; a little of anything shows, and only all of it is full.
pub fn bar(share: f64, columns: usize) -> (String, String) {
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let mut filled = (share * columns as f64).round() as usize;
    if share > 0.0 {
        filled = filled.max(1);
    }
    if share < 1.0 {
        filled = filled.min(columns.saturating_sub(1));
    }
    ("█".repeat(filled), "░".repeat(columns - filled))
}
