//! Tree and exchange to text.

mod expression;
mod input;
mod methods;
mod reference;
mod show;
mod variables;

use self::expression::Range;
use self::variables::Variables;
use crate::ast::{self, Block, Expression, Method, Node, Reference, Step};
use crate::encoding;
use crate::error::{Attempt, RenderError, refused};
use crate::members::Member;
use crate::names::Name;
use crate::parse::Parsed;
use crate::template::Exchange;
use crate::texts::Texts;
use crate::value::{Group, Heap, ListId, MapId, Object, Value};
use crate::words::Meaning;

/// Output of a template: API Gateway's limit for a payload (10 MB).
pub const OUTPUT_BYTES_MAX: usize = 10 << 20;

/// One text that a template makes.
pub const TEXT_BYTES_MAX: usize = 10 << 20;

/// Nodes, expressions and calls of one rendering; sixteen bytes of a text that is made or searched count as one.
pub const STEPS_MAX: u64 = 10_000_000;

/// API Gateway's quota: iterations of a `#foreach` loop. Further elements are left out, as Velocity does it.
pub const FOREACH_MAX: usize = 1000;

/// Velocity's `velocimacro.max.depth`.
pub const MACRO_DEPTH_MAX: usize = 20;

/// Velocity's `directive.define.maxdepth`: how often a block may be in itself; deeper its reference shows.
const DEFINE_DEPTH_MAX: usize = 2;

/// Blocks, expressions and definitions in each other while rendering. Bounds the stack; the tests reach it on threads of 2 MiB without
/// optimisation.
pub const DEPTH_MAX: usize = 200;

pub struct Renderer<'a> {
    template: &'a Parsed,
    exchange: &'a Exchange<'a>,
    heap: Heap<'a>,
    /// The template's own variables by their names' numbers, null where there is none.
    variables: Vec<Value<'a>>,
    calls: Vec<Call<'a>>,
    /// The call where names are looked up first; [`NO_CALL`] is outside of all.
    frame: usize,
    loops: Vec<Loop>,
    loop_now: Option<usize>,
    /// The template has given the name of one of AWS's objects to something else.
    renames: bool,
    blocks: Vec<Defined<'a>>,
    /// `#stop` was met, wherever that was: nothing more is rendered.
    is_stopped: bool,
    out: String,
    /// Where the text begins that is being rendered: before it stands what waits for that.
    begins: usize,
    steps: u64,
    depth: usize,
    made: Made<'a>,
}

/// The caller's objects, made when they are first asked for.
#[derive(Default)]
struct Made<'a> {
    body: Option<Value<'a>>,
    parameters: Option<MapId>,
    /// By [`Group`].
    groups: [Option<MapId>; Group::COUNT],
    request_override: Option<MapId>,
    response_override: Option<MapId>,
}

/// The number of no call.
const NO_CALL: usize = usize::MAX;

/// A macro's call.
struct Call<'a> {
    /// Evaluated whenever they are named, where they were written.
    arguments: Vec<(Name, &'a Expression)>,
    /// The call around it, or [`NO_CALL`].
    caller: usize,
    variables: Variables<'a>,
    level: usize,
}

#[derive(Debug, Clone, Copy)]
struct Loop {
    index: usize,
    length: usize,
    outer: Option<usize>,
}

/// What a loop goes through.
#[derive(Debug, Clone, Copy)]
enum Elements {
    Of(ListId),
    Range(Range),
}

/// What `#define` or a macro's caller gave.
#[derive(Debug, Clone, Copy)]
struct Defined<'a> {
    block: &'a Block,
    frame: usize,
    /// How often it is being rendered right now.
    under_way: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Stop,
}

impl<'a> Renderer<'a> {
    pub fn new(template: &'a Parsed, exchange: &'a Exchange<'a>, texts: &'a Texts) -> Self {
        Self {
            template,
            exchange,
            heap: Heap::new(texts),
            variables: vec![Value::Null; template.names],
            calls: Vec::new(),
            frame: NO_CALL,
            loops: Vec::new(),
            loop_now: None,
            renames: false,
            blocks: Vec::new(),
            is_stopped: false,
            out: String::with_capacity(template.bytes_expected),
            begins: 0,
            steps: 0,
            depth: 0,
            made: Made::default(),
        }
    }

    pub fn run(mut self) -> Attempt<crate::Rendered> {
        let template = self.template;
        self.block(&template.block)?;
        let request = self.request_overrides()?;
        let response = self.response_overrides()?;
        Ok(crate::Rendered { text: self.out, request, response })
    }

    fn block(&mut self, block: &'a Block) -> Attempt<Flow> {
        self.deeper(|renderer| {
            for node in block {
                renderer.spend(1)?;
                match node {
                    Node::Text(text) => {
                        renderer.write(text)?;
                        continue;
                    }
                    Node::Reference(reference) => {
                        if renderer.write_variable(reference)? {
                            continue;
                        }
                        renderer.write_reference(reference)?;
                    }
                    other => {
                        let flow = renderer.directive(other)?;
                        if flow != Flow::Next {
                            return Ok(flow);
                        }
                    }
                }
                if renderer.is_stopped {
                    return Ok(Flow::Stop);
                }
            }
            Ok(Flow::Next)
        })
    }

    fn directive(&mut self, node: &'a Node) -> Attempt<Flow> {
        match node {
            Node::Set { target, value } => {
                let value = self.value(value)?;
                if !value.is_null() {
                    self.assign(target, value)?;
                }
            }
            Node::If { branches, otherwise } => {
                for (condition, block) in branches {
                    if self.is_true(condition)? {
                        return self.block(block);
                    }
                }
                return self.block(otherwise);
            }
            Node::Foreach { variable, list, body } => return self.foreach(*variable, list, body),
            Node::Define { name, body } => {
                self.spend(5)?;
                let block = self.new_block(body);
                self.put(*name, block);
            }
            Node::Call(call) => return self.call(call),
            Node::Break => return Ok(Flow::Break),
            Node::Text(_) | Node::Reference(_) => {}
            Node::Stop => self.is_stopped = true,
        }
        Ok(Flow::Next)
    }

    #[inline(never)]
    fn foreach(&mut self, variable: Name, list: &'a Expression, body: &'a Block) -> Attempt<Flow> {
        let Some(elements) = self.elements(list)? else { return Ok(Flow::Next) };
        // Loops and blocks are kept to the end, since values may name them.
        self.spend(5)?;
        let saved = (self.lookup(variable)?, self.lookup(Name::FOREACH)?);
        let saved = (self.settled(saved.0)?, saved.1);
        let outer = self.loop_now;
        let number = self.loops.len();
        self.loops.push(Loop { index: 0, length: 0, outer });
        self.loop_now = Some(number);
        self.put(Name::FOREACH, Value::Object(Object::Loop(number)));
        let flow = self.iterate(variable, elements, number, body);
        self.loop_now = outer;
        self.put(Name::FOREACH, saved.1);
        self.put(variable, saved.0);
        Ok(if flow? == Flow::Stop { Flow::Stop } else { Flow::Next })
    }

    fn iterate(
        &mut self,
        variable: Name,
        elements: Elements,
        number: usize,
        body: &'a Block,
    ) -> Attempt<Flow> {
        for index in 0..FOREACH_MAX {
            let (element, length) = match elements {
                Elements::Of(list) => {
                    let list = self.heap.list(list);
                    (list.get(index).copied(), list.len())
                }
                Elements::Range(range) => ((index < range.count).then(|| range.at(index)), range.count),
            };
            let Some(element) = element else { break };
            self.spend(1)?;
            let here = &mut self.loops[number];
            (here.index, here.length) = (index, length);
            self.put(variable, element);
            let flow = self.block(body)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    /// What `#foreach` goes through: a list's elements, a map's values or a range.
    fn elements(&mut self, list: &'a Expression) -> Attempt<Option<Elements>> {
        if let Expression::Range(ends) = list {
            self.spend(1)?;
            let range = self.range_of(ends)?;
            // It counts as the list that it would be.
            self.heap.reserve(range.map_or(0, |range| range.count + 1))?;
            return Ok(range.map(Elements::Range));
        }
        let value = self.value(list)?;
        let list = match self.whole(value)? {
            Value::Map(id) => {
                let values = self.heap.map(id).values().copied().collect();
                self.heap.new_list(values)?
            }
            other => other,
        };
        Ok(match list {
            Value::List(id) => Some(Elements::Of(id)),
            _ => None,
        })
    }

    /// A call of a name that no macro has is text.
    #[inline(never)]
    fn call(&mut self, call: &'a ast::Call) -> Attempt<Flow> {
        let template = self.template;
        let Some(definition) = template.macros.get(&call.name) else {
            self.write(&call.literal)?;
            return Ok(Flow::Next);
        };
        let caller = self.frame;
        let level = self.calls.get(caller).map_or(0, |call| call.level) + 1;
        if level > MACRO_DEPTH_MAX {
            return Err(RenderError::MacroTooDeep(MACRO_DEPTH_MAX).into());
        }
        self.spend(20)?;
        self.renames |= definition.parameters.iter().any(|name| name.is_given());
        let arguments = definition.parameters.iter().copied().zip(call.arguments.iter()).collect();
        let mut variables = Variables::default();
        if let Some(body) = &call.body {
            let block = self.new_block(body);
            variables.insert(Name::BODY_CONTENT, block);
        }
        self.frame = self.calls.len();
        self.calls.push(Call { arguments, caller, variables, level });
        let flow = self.block(&definition.body);
        self.frame = caller;
        Ok(if flow? == Flow::Stop { Flow::Stop } else { Flow::Next })
    }

    fn new_block(&mut self, block: &'a Block) -> Value<'a> {
        self.blocks.push(Defined { block, frame: self.frame, under_way: 0 });
        Value::Object(Object::Block(self.blocks.len() - 1))
    }

    /// Renders a block that a value stands for, where it was written; `None` when it is in itself too often.
    fn block_text(&mut self, number: usize) -> Attempt<Option<String>> {
        let Defined { block, frame, under_way } = self.blocks[number];
        if under_way == DEFINE_DEPTH_MAX {
            return Ok(None);
        }
        self.blocks[number].under_way += 1;
        let caller = std::mem::replace(&mut self.frame, frame);
        let text = self.aside(block);
        self.frame = caller;
        self.blocks[number].under_way -= 1;
        text.map(Some)
    }

    /// Renders a block into a text of its own.
    fn aside(&mut self, block: &'a Block) -> Attempt<String> {
        let here = self.out.len();
        let before = std::mem::replace(&mut self.begins, here);
        // Nothing is rendered after an error: only then the buffer is left as it is.
        self.block(block)?;
        let text = self.out.split_off(here);
        self.begins = before;
        self.spend_bytes(text.len())?;
        Ok(text)
    }

    fn write(&mut self, text: &str) -> Attempt<()> {
        if self.out.len() - self.begins + text.len() > OUTPUT_BYTES_MAX {
            return Err(refused(RenderError::OutputTooLong(OUTPUT_BYTES_MAX)));
        }
        self.out.push_str(text);
        Ok(())
    }

    /// The shortest way: a variable of the template's own that has a text or a whole number. Says whether it is one.
    fn write_variable(&mut self, reference: &'a Reference) -> Attempt<bool> {
        if !reference.is_plain || self.frame != NO_CALL {
            return Ok(false);
        }
        match self.variables[reference.name.number()] {
            Value::Text(text) => self.write(text)?,
            Value::Integer(number) => self.write(itoa::Buffer::new().format(number))?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The reference's value; or, when there is none, the reference itself.
    #[inline(never)]
    fn write_reference(&mut self, reference: &'a Reference) -> Attempt<()> {
        if reference.name.is_given()
            && !self.renames
            && reference.backslashes == 0
            && self.write_given(reference)?
        {
            return Ok(());
        }
        let value = self.reference(reference)?;
        let slashes = reference.backslashes;
        if slashes == 0 && !matches!(value, Value::Null | Value::Object(_)) {
            return self.write_value(&value);
        }
        if slashes % 2 == 1 {
            // Escaped: what has a value loses its backslash.
            let kept = slashes / 2 + usize::from(value.is_null());
            self.write(&"\\".repeat(kept))?;
            return self.write(&reference.literal);
        }
        if value.is_null() {
            self.write(&"\\".repeat(slashes))?;
            let literal = self.literal(reference);
            return self.write(literal);
        }
        let shown = match value {
            Value::Object(Object::Block(number)) => self.block_text(number)?,
            _ => {
                self.write(&"\\".repeat(slashes / 2))?;
                return self.write_value(&value);
            }
        };
        match shown {
            Some(text) => {
                self.write(&"\\".repeat(slashes / 2))?;
                self.write(&text)
            }
            None => {
                let literal = self.literal(reference);
                self.write(literal)
            }
        }
    }

    /// The short ways of what most references are: `$context.a.b` and `$util.escapeJavaScript(a)` are written without a value
    /// between. Says whether that could be done.
    fn write_given(&mut self, reference: &'a Reference) -> Attempt<bool> {
        match (reference.name, reference.steps.as_slice()) {
            (Name::CONTEXT, steps) => {
                let Some(found) = self.member_of_context(steps) else { return Ok(false) };
                if matches!(found, Some(Member::Members(_))) {
                    return Ok(false);
                }
                self.spend(steps.len() as u64)?;
                match found {
                    // What isn't there is empty.
                    None => {}
                    Some(Member::Text(text)) => self.write(&text)?,
                    Some(scalar) => {
                        let value = self.heap.given(scalar)?;
                        self.write_value(&value)?;
                    }
                }
                Ok(true)
            }
            (Name::UTIL, [Step::Method(Method { name, arguments, .. })])
                if name.meaning == Meaning::EscapeJavaScript =>
            {
                let [argument] = arguments.as_slice() else { return Ok(false) };
                self.spend(1)?;
                let value = self.deeper(|renderer| renderer.value(argument))?;
                if value.is_null() {
                    let literal = self.literal(reference);
                    self.write(literal)?;
                } else {
                    let text = self.text(&value)?;
                    self.write_escaped(&text)?;
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// What the caller's context has at `a.b`; `None` for other steps, and for what a template may set.
    fn member_of_context(&self, steps: &'a [Step]) -> Option<Option<Member<'a>>> {
        let (Step::Property(last), path) = steps.split_last()? else { return None };
        if matches!(&steps[0], Step::Property(first) if first.meaning == Meaning::Override) {
            return None;
        }
        let mut owner = self.exchange.context;
        for step in path {
            let Step::Property(name) = step else { return None };
            let Some(Member::Members(inner)) = owner.get(&name.text) else { return None };
            owner = inner;
        }
        Some(owner.get(&last.text))
    }

    fn write_escaped(&mut self, text: &str) -> Attempt<()> {
        self.spend_bytes(text.len())?;
        let here = self.out.len();
        encoding::escape_javascript(text, &mut self.out);
        let written = self.out.len() - here;
        if written > TEXT_BYTES_MAX {
            return Err(RenderError::TextTooLong(TEXT_BYTES_MAX).into());
        }
        if self.out.len() - self.begins > OUTPUT_BYTES_MAX {
            return Err(refused(RenderError::OutputTooLong(OUTPUT_BYTES_MAX)));
        }
        if written > text.len() { self.spend_bytes(written) } else { Ok(()) }
    }

    fn spend(&mut self, steps: u64) -> Attempt<()> {
        self.steps += steps;
        if self.steps > STEPS_MAX { Err(refused(RenderError::TooManySteps(STEPS_MAX))) } else { Ok(()) }
    }

    fn spend_bytes(&mut self, bytes: usize) -> Attempt<()> {
        self.spend(bytes as u64 / 16)
    }

    fn deeper<T>(&mut self, act: impl FnOnce(&mut Self) -> Attempt<T>) -> Attempt<T> {
        if self.depth == DEPTH_MAX {
            return Err(refused(RenderError::TooDeep(DEPTH_MAX)));
        }
        self.depth += 1;
        let done = act(self);
        self.depth -= 1;
        done
    }
}
