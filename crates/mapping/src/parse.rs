//! Text to tree, by the grammar of Apache Velocity 1.7.
//!
//! Velocity's lexer has states and takes the longest token; this parser reads the same language by descent. What looks like
//! VTL but isn't (`$5`, `#fff`, `${}`) is text; what begins like VTL and goes wrong (`${a b}`, `#if` without an end) is an error,
//! as it is there. Whitespace goes where Velocity lets it go: with the newline after a directive's parenthesis, `#else`, `#end` and
//! `##`, and before a `#set` that nothing else than whitespace separates from what came before.

mod directive;
mod expression;
mod reference;
mod stray;

use crate::ast::{Block, Macros, Node};
use crate::cursor::Cursor;
use crate::error::{Problem, SyntaxError};
use crate::names::Names;
use crate::template::TEMPLATE_BYTES_MAX;

/// How deep blocks, parentheses, arguments and strings in strings may nest.
pub const NESTING_MAX: usize = 40;

/// A whole template: its text and what it defines.
#[derive(Debug, Default)]
pub struct Parsed {
    pub block: Block,
    pub macros: Macros,
    /// How many names it has, those that mean something in any template included.
    pub names: usize,
    /// How long a rendering is likely to be, in bytes.
    pub bytes_expected: usize,
}

pub fn parse(text: &str) -> Result<Parsed, SyntaxError> {
    let mut parsed = Parsed::default();
    let mut names = Names::default();
    let cursor = Cursor::new(text);
    let mut parser = Parser { cursor, depth: 0, is_whole: true, found: &mut parsed, names: &mut names };
    let read = parser.template();
    let at = parser.cursor.position();
    let block = read.map_err(|problem| SyntaxError::at(text, at, problem))?;
    parsed.names = names.count();
    parsed.bytes_expected = expected(&block);
    parsed.block = block;
    Ok(parsed)
}

/// The text that is there, and a bit for each reference.
fn expected(block: &Block) -> usize {
    const REFERENCE_BYTES: usize = 48;
    let nodes = block.iter().map(|node| match node {
        Node::Text(text) => text.len(),
        Node::If { branches, .. } => branches.first().map_or(0, |(_, block)| expected(block)),
        Node::Foreach { body, .. } => 3 * expected(body).min(TEMPLATE_BYTES_MAX),
        Node::Reference(_) | Node::Call(_) => REFERENCE_BYTES,
        Node::Set { .. } | Node::Define { .. } | Node::Break | Node::Stop => 0,
    });
    // Of loops in loops nobody knows.
    nodes.sum::<usize>().min(TEMPLATE_BYTES_MAX)
}

struct Parser<'t, 'p> {
    cursor: Cursor<'t>,
    depth: usize,
    /// Whether this is the template's own text, not that of a string in it.
    is_whole: bool,
    found: &'p mut Parsed,
    names: &'p mut Names,
}

/// What ended a block.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Text,
    Else,
    ElseIf,
    End,
}

type Read<T> = Result<T, Problem>;

impl Parser<'_, '_> {
    fn template(&mut self) -> Read<Block> {
        match self.block()? {
            (block, Ending::Text) => Ok(block),
            (_, Ending::End) => Err(Problem::Stray("#end")),
            (_, Ending::Else | Ending::ElseIf) => Err(Problem::Stray("#else")),
        }
    }

    /// Reads to the end of the text or over the next `#end`, `#else` or `#elseif` that belongs to nobody inside.
    fn block(&mut self) -> Read<(Block, Ending)> {
        self.deeper(|parser| {
            let mut nodes = Block::new();
            let end = parser.nodes(&mut nodes)?;
            Ok((nodes, end))
        })
    }

    fn nodes(&mut self, nodes: &mut Block) -> Read<Ending> {
        loop {
            if let Some(set) = self.set_directive()? {
                nodes.push(set);
                continue;
            }
            match self.cursor.peek() {
                None => return Ok(Ending::Text),
                Some(b'\\') => self.backslashes(nodes)?,
                Some(b'$') => self.dollar(0, nodes)?,
                Some(b'#') => {
                    if let Some(end) = self.hash(nodes)? {
                        return Ok(end);
                    }
                }
                Some(_) => {
                    let text = self.cursor.take_until(|byte| matches!(byte, b'$' | b'#' | b'\\'));
                    push_text(nodes, text);
                }
            }
        }
    }

    /// Backslashes mean something before references and directives only.
    fn backslashes(&mut self, nodes: &mut Block) -> Read<()> {
        let slashes = self.cursor.take_while(|byte| byte == b'\\');
        match self.cursor.peek() {
            Some(b'$') => self.dollar(slashes.len(), nodes),
            Some(b'#') => {
                self.escaped_directive(slashes, nodes);
                Ok(())
            }
            _ => {
                push_text(nodes, slashes);
                Ok(())
            }
        }
    }

    /// An odd number of backslashes makes a directive's name text, and two are one where a directive follows.
    fn escaped_directive(&mut self, slashes: &str, nodes: &mut Block) {
        let Some(word) = self.cursor.directive_word() else {
            push_text(nodes, slashes);
            return;
        };
        let is_escape = slashes.len() % 2 == 1;
        let is_known = directive::is_known(word.name) || self.found.macros.contains_key(word.name);
        // Where they escape each other Velocity knows fewer directives: not `#set`, and in brackets its own five only.
        let is_bracketed = word.length > word.name.len() + 1;
        let halves = if is_escape || !is_known {
            is_known
        } else {
            directive::is_control(word.name) || !is_bracketed && word.name != "set"
        };
        let kept = if halves { slashes.len() / 2 } else { slashes.len() };
        push_text(nodes, &slashes[..kept]);
        if is_escape {
            let text = self.cursor.take(word.length);
            push_text(nodes, text);
        }
    }

    fn dollar(&mut self, backslashes: usize, nodes: &mut Block) -> Read<()> {
        match self.reference(backslashes)? {
            Some(reference) => {
                let is_formal = reference.literal.ends_with('}');
                let ends_in_property = reference.ends_in_property();
                nodes.push(Node::Reference(reference));
                if !is_formal {
                    self.after_reference(ends_in_property, nodes)?;
                }
            }
            None => {
                push_text(nodes, &"\\".repeat(backslashes));
                self.lone_dollar(nodes)?;
            }
        }
        Ok(())
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth == NESTING_MAX {
            return Err(Problem::TooDeep(NESTING_MAX));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }
}

/// Neighbouring texts become one node.
fn push_text(nodes: &mut Block, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(Node::Text(before)) = nodes.last_mut() {
        before.push_str(text);
    } else {
        nodes.push(Node::Text(text.to_owned()));
    }
}
