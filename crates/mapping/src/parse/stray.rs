//! What Velocity's lexer makes of signs that begin nothing, and of what stands directly after a reference. It is text, but the lexer is
//! in another state by then, and some of what follows shows differently or not at all. Templates of JSON with amounts (`"$$price"`,
//! `"5$#end"`) meet this.

use super::{Parser, Read, directive, push_text};
use crate::ast::Block;
use crate::error::Problem;

impl Parser<'_, '_> {
    /// A dollar that begins no reference.
    pub(super) fn lone_dollar(&mut self, nodes: &mut Block) -> Read<()> {
        self.cursor.take(1);
        if self.is_before_control() {
            return Ok(());
        }
        push_text(nodes, "$");
        if self.is_whole && matches!(self.cursor.rest().trim_start_matches('\\'), "" | "!") {
            return Err(Problem::Expected("more after the dollar"));
        }
        let slashes = self.slashes_ahead();
        match self.cursor.peek_at(slashes) {
            Some(b'!') => self.exclamation_mark(slashes, nodes),
            _ => {
                self.plain_slashes(nodes);
                Ok(())
            }
        }
    }

    /// A hash that begins no directive.
    pub(super) fn lone_hash(&mut self, nodes: &mut Block) -> Read<()> {
        self.cursor.take(1);
        push_text(nodes, "#");
        if self.is_whole && self.cursor.peek().is_none() {
            return Err(Problem::Expected("more after the hash"));
        }
        self.plain_slashes(nodes);
        Ok(())
    }

    /// Directly after a reference brackets are tokens of their own, so that a `#set` after them takes the blanks between, and of
    /// `{name}` only the first bracket shows; after a reference that ends in a property `##` is text.
    pub(super) fn after_reference(&mut self, ends_in_property: bool, nodes: &mut Block) -> Read<()> {
        while self.cursor.peek() == Some(b'{') {
            push_text(nodes, self.cursor.take(1));
            if self.cursor.identifier().is_some() {
                return self.discarded_steps(true);
            }
        }
        if self.cursor.peek() == Some(b'}') {
            push_text(nodes, self.cursor.take(1));
        }
        let rest = self.cursor.rest();
        if ends_in_property && rest.starts_with("##") && !rest.starts_with("###") {
            push_text(nodes, self.cursor.take(2));
        }
        Ok(())
    }

    fn slashes_ahead(&self) -> usize {
        self.cursor.rest().bytes().take_while(|byte| *byte == b'\\').count()
    }

    /// Backslashes between a lone sign and a dollar escape nothing.
    fn plain_slashes(&mut self, nodes: &mut Block) {
        let slashes = self.slashes_ahead();
        if self.cursor.peek_at(slashes) == Some(b'$') {
            let slashes = self.cursor.take(slashes);
            push_text(nodes, slashes);
        }
    }

    /// A lone dollar goes where one of the grammar's own directives or a comment in `#*` comes next.
    fn is_before_control(&self) -> bool {
        let rest = self.cursor.rest();
        let rest = rest.strip_prefix('!').unwrap_or(rest);
        if !rest.starts_with('#') {
            return false;
        }
        let mut ahead = self.cursor.clone();
        ahead.eat("!");
        let word = ahead.directive_word();
        rest.starts_with("#*")
            || word.is_some_and(|word| directive::is_control(word.name) || word.name == "set")
    }

    /// `$!` without a name shows as `$`; `$\!name` as `$!name`, and what follows the name goes.
    fn exclamation_mark(&mut self, slashes: usize, nodes: &mut Block) -> Read<()> {
        let mut after = self.cursor.clone();
        after.take(slashes + 1);
        let stays = match after.peek() {
            Some(b'[' | b'#') => true,
            Some(b'$') => after.begins_reference(),
            _ => false,
        };
        if stays {
            return Ok(());
        }
        let slashes = self.cursor.take(slashes);
        let start = self.cursor.position();
        self.cursor.take(1);
        let is_formal = self.cursor.eat("{");
        if slashes.is_empty() || self.cursor.identifier().is_none() {
            if is_formal {
                self.cursor.return_to(start);
            }
            return Ok(());
        }
        push_text(nodes, &slashes[1..]);
        let shown = if is_formal { "!{" } else { self.cursor.since(start) };
        push_text(nodes, shown);
        self.discarded_steps(is_formal)
    }
}
