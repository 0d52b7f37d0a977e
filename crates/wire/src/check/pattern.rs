//! The models' regular expressions: Java's notation, whole text or nothing.
//!
//! The models use look-ahead and Unicode classes, which the small engines don't have, and hold hostile text against
//! them, which rules out engines that try everything. Here all alternatives are followed side by side, so that the
//! time is at most the pattern's size times the text's length.

mod parse;
mod run;

use run::Program;

/// A compiled pattern.
#[derive(Debug)]
pub struct Pattern(Compiled);

#[derive(Debug)]
enum Compiled {
    /// One class, repeated: nearly all patterns of the models.
    Run {
        class: Class,
        min: usize,
        max: Option<usize>,
    },
    Program(Program),
    /// Beyond what we know; holds for every text.
    Unknown,
}

/// A set of characters.
#[derive(Debug, Clone, PartialEq)]
struct Class {
    items: Vec<Item>,
    negated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Item {
    Range(char, char),
    /// `\p{L}`
    Letter,
    /// `\p{N}`
    Number,
    /// `\p{Z}`
    Separator,
}

impl Class {
    fn holds(&self, character: char) -> bool {
        let found = self.items.iter().any(|item| match item {
            Item::Range(low, high) => (*low..=*high).contains(&character),
            Item::Letter => character.is_alphabetic(),
            Item::Number => character.is_numeric(),
            Item::Separator => character.is_whitespace() && !character.is_control(),
        });
        found != self.negated
    }
}

/// The parsed notation.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Class(Class),
    /// `^`
    Start,
    /// `$`
    End,
    Sequence(Vec<Node>),
    Either(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: usize,
        max: Option<usize>,
    },
    /// `(?=…)` and `(?!…)`
    Ahead {
        node: Box<Node>,
        negated: bool,
    },
    /// `(?<=x)` and `(?<!x)` of one character
    Behind {
        class: Class,
        negated: bool,
    },
}

impl Pattern {
    /// Compiles a pattern. One in an unknown notation holds for every text; [`Pattern::is_known`] tells.
    pub fn parse(pattern: &str) -> Pattern {
        Pattern(match parse::parse(pattern) {
            Some(Node::Repeat { node, min, max }) if matches!(*node, Node::Class(_)) => match *node {
                Node::Class(class) => Compiled::Run { class, min, max },
                _ => Compiled::Unknown,
            },
            Some(node) => Program::compile(&node).map_or(Compiled::Unknown, Compiled::Program),
            None => Compiled::Unknown,
        })
    }

    #[cfg(test)]
    pub fn is_known(&self) -> bool {
        !matches!(self.0, Compiled::Unknown)
    }

    /// Whether the whole text is described.
    pub fn matches(&self, text: &str) -> bool {
        match &self.0 {
            Compiled::Run { class, min, max } => {
                let count = text.chars().count();
                count >= *min
                    && max.is_none_or(|max| count <= max)
                    && text.chars().all(|character| class.holds(character))
            }
            Compiled::Program(program) => program.matches(text),
            Compiled::Unknown => true,
        }
    }
}

#[cfg(test)]
mod tests;
