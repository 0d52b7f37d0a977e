//! What begins with a hash.

use super::{Ending, Parser, Read, push_text};
use crate::ast::{Block, Call, Expression, Macro, Node};
use crate::cursor::Word;
use crate::error::Problem;
use crate::names::Name;

const KNOWN: [&str; 13] = [
    "if", "elseif", "else", "end", "set", "stop", "break", "foreach", "macro", "define", "include", "parse",
    "evaluate",
];

/// Whether a backslash makes this name text.
pub fn is_known(name: &str) -> bool {
    KNOWN.contains(&name) || name == "literal"
}

/// Directives of the grammar itself.
pub fn is_control(name: &str) -> bool {
    matches!(name, "if" | "elseif" | "else" | "end" | "stop")
}

impl Parser<'_, '_> {
    /// `#set(…)` and the blanks before it, when they come next.
    pub(super) fn set_directive(&mut self) -> Read<Option<Node>> {
        let start = self.cursor.position();
        self.cursor.take_while(|byte| matches!(byte, b' ' | b'\t'));
        let is_named = self.cursor.eat("#set") || self.cursor.eat("#{set}");
        if is_named {
            self.cursor.take_while(|byte| byte == b' ');
        }
        if !is_named || !self.cursor.eat("(") {
            self.cursor.return_to(start);
            return Ok(None);
        }
        self.cursor.skip_whitespace();
        let Some(target) = self.reference(0)? else { return Err(Problem::Expected("a reference to set")) };
        self.cursor.skip_whitespace();
        if self.cursor.rest().starts_with("==") || !self.cursor.eat("=") {
            return Err(Problem::Expected("`=`"));
        }
        let value = self.expression()?;
        self.close()?;
        Ok(Some(Node::Set { target, value }))
    }

    /// Reads over what the hash begins; says so when it ended the block.
    pub(super) fn hash(&mut self, nodes: &mut Block) -> Read<Option<Ending>> {
        if self.comment(nodes)? {
            return Ok(None);
        }
        let Some(word) = self.cursor.directive_word() else {
            self.lone_hash(nodes)?;
            return Ok(None);
        };
        let start = self.cursor.position();
        self.cursor.take(word.length);
        match word.name {
            "end" => {
                self.cursor.skip_line_end();
                return Ok(Some(Ending::End));
            }
            "else" => {
                self.cursor.skip_line_end();
                return Ok(Some(Ending::Else));
            }
            "elseif" => return Ok(Some(Ending::ElseIf)),
            "stop" => nodes.push(Node::Stop),
            "break" => nodes.push(Node::Break),
            "if" => nodes.push(self.condition()?),
            "foreach" => nodes.push(self.foreach()?),
            "define" => nodes.push(self.define()?),
            "macro" => self.macro_definition()?,
            "literal" => self.literal(nodes)?,
            "include" => return Err(Problem::Refused("include")),
            "parse" => return Err(Problem::Refused("parse")),
            "evaluate" => return Err(Problem::Refused("evaluate")),
            _ => self.call(word, start, nodes)?,
        }
        Ok(None)
    }

    /// `##`, `#* *#` and `#[[ ]]#`.
    fn comment(&mut self, nodes: &mut Block) -> Read<bool> {
        if self.cursor.eat("##") {
            self.cursor.take_until(|byte| matches!(byte, b'\n' | b'\r'));
            self.cursor.eat_newline();
        } else if self.cursor.eat("#*") {
            // Without an end it goes to the text's.
            if self.cursor.take_over("*#").is_none() {
                self.cursor.take(usize::MAX);
            }
        } else if self.cursor.eat("#[[") {
            let text = self.cursor.take_over("]]#").ok_or(Problem::Unclosed("#[["))?;
            push_text(nodes, text);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn condition(&mut self) -> Read<Node> {
        let mut branches = Vec::new();
        loop {
            self.open()?;
            let condition = self.expression()?;
            self.close()?;
            let (block, end) = self.block()?;
            branches.push((condition, block));
            let otherwise = match end {
                Ending::ElseIf => continue,
                Ending::Else => self.body("#else")?,
                Ending::End => Block::new(),
                Ending::Text => return Err(Problem::Unclosed("#if")),
            };
            return Ok(Node::If { branches, otherwise });
        }
    }

    fn foreach(&mut self) -> Read<Node> {
        self.open()?;
        self.cursor.skip_whitespace();
        let variable = match self.reference(0)? {
            Some(reference) if reference.steps.is_empty() => reference.name,
            _ => return Err(Problem::Expected("a reference of one name")),
        };
        self.cursor.skip_whitespace();
        // Velocity takes any word.
        if self.cursor.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_').is_empty() {
            return Err(Problem::Expected("`in`"));
        }
        let list = self.parameter()?;
        self.close()?;
        Ok(Node::Foreach { variable, list, body: self.body("#foreach")? })
    }

    fn define(&mut self) -> Read<Node> {
        self.open()?;
        self.cursor.skip_whitespace();
        let name = self.plain_reference()?;
        self.cursor.skip_whitespace();
        self.close()?;
        Ok(Node::Define { name, body: self.body("#define")? })
    }

    /// The first macro of a name stays, as with Velocity's own settings.
    fn macro_definition(&mut self) -> Read<()> {
        self.open()?;
        self.cursor.skip_whitespace();
        let name = self.cursor.identifier().ok_or(Problem::Expected("a macro's name"))?;
        let mut parameters = Vec::new();
        loop {
            self.separator();
            if self.cursor.peek() == Some(b')') {
                break;
            }
            parameters.push(self.plain_reference()?);
        }
        self.close()?;
        let body = self.body("#macro")?;
        self.found.macros.entry(name.into()).or_insert(Macro { parameters, body });
        Ok(())
    }

    /// `#literal() … #end`: parsed to find its end, rendered as it was written.
    fn literal(&mut self, nodes: &mut Block) -> Read<()> {
        self.open()?;
        self.cursor.skip_whitespace();
        self.close()?;
        let start = self.cursor.position();
        self.body("#literal")?;
        let written = self.cursor.since(start);
        let end = written.rfind('#').unwrap_or(written.len());
        push_text(nodes, &written[..end]);
        Ok(())
    }

    /// A macro's call, or what looks like one: which it is shows when it is rendered.
    fn call(&mut self, word: Word<'_>, start: usize, nodes: &mut Block) -> Read<()> {
        let with_body = word.name.strip_prefix('@');
        let has_parentheses = self.cursor.is_before_parenthesis();
        if with_body.is_some() && !has_parentheses {
            push_text(nodes, self.cursor.since(start));
            return Ok(());
        }
        let name = with_body.unwrap_or(word.name);
        let mut arguments = Vec::new();
        if has_parentheses {
            self.open()?;
            loop {
                self.separator();
                if self.cursor.peek() == Some(b')') {
                    break;
                }
                arguments.push(self.argument(name)?);
            }
            self.close()?;
        }
        let body = if with_body.is_some() { Some(self.body("#@")?) } else { None };
        let literal = self.cursor.since(start).into();
        nodes.push(Node::Call(Call { name: name.into(), arguments, body, literal }));
        Ok(())
    }

    /// Bare words may stand where no macro is called.
    fn argument(&mut self, name: &str) -> Read<Expression> {
        let begins_word =
            self.cursor.peek().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'@'));
        let is_boolean = ["true", "false"].iter().any(|word| self.is_word(word));
        if !begins_word || is_boolean {
            return self.literal_or_reference();
        }
        if self.found.macros.contains_key(name) {
            return Err(Problem::Expected("a reference or a literal as the macro's argument"));
        }
        let word = self.cursor.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@'));
        Ok(Expression::Text(word.into()))
    }

    /// A block that only `#end` may end.
    fn body(&mut self, of: &'static str) -> Read<Block> {
        match self.block()? {
            (block, Ending::End) => Ok(block),
            (_, Ending::Text) => Err(Problem::Unclosed(of)),
            (_, Ending::Else | Ending::ElseIf) => Err(Problem::Stray("#else")),
        }
    }

    fn open(&mut self) -> Read<()> {
        self.cursor.skip_whitespace();
        if self.cursor.eat("(") { Ok(()) } else { Err(Problem::Expected("`(`")) }
    }

    /// The closing parenthesis takes the rest of its line with it if that is blank.
    fn close(&mut self) -> Read<()> {
        self.cursor.skip_whitespace();
        if !self.cursor.eat(")") {
            return Err(Problem::Expected("`)`"));
        }
        self.cursor.skip_line_end();
        Ok(())
    }

    fn separator(&mut self) {
        self.cursor.skip_whitespace();
        if self.cursor.eat(",") {
            self.cursor.skip_whitespace();
        }
    }

    /// A reference that is a name only.
    fn plain_reference(&mut self) -> Read<Name> {
        match self.reference(0)? {
            Some(reference) if reference.steps.is_empty() => Ok(reference.gives),
            _ => Err(Problem::Expected("a reference of one name")),
        }
    }
}
