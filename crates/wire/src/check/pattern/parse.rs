use super::{Class, Item, Node};
use std::iter::Peekable;
use std::str::Chars;

/// Groups within groups.
const DEPTH_MAX: usize = 32;

/// Parses Java's notation as far as the models use it; `None` for anything beyond.
pub fn parse(pattern: &str) -> Option<Node> {
    let mut parser = Parser { rest: pattern.chars().peekable(), depth: 0 };
    let node = parser.either()?;
    parser.rest.next().is_none().then_some(node)
}

struct Parser<'p> {
    rest: Peekable<Chars<'p>>,
    depth: usize,
}

impl Parser<'_> {
    fn eat(&mut self, wanted: char) -> bool {
        self.rest.next_if_eq(&wanted).is_some()
    }

    fn either(&mut self) -> Option<Node> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let mut branches = vec![self.sequence()?];
        while self.eat('|') {
            branches.push(self.sequence()?);
        }
        self.depth -= 1;
        Some(if branches.len() == 1 { branches.pop()? } else { Node::Either(branches) })
    }

    fn sequence(&mut self) -> Option<Node> {
        let mut nodes = Vec::new();
        while let Some(&next) = self.rest.peek() {
            if next == '|' || next == ')' {
                break;
            }
            let atom = self.atom()?;
            nodes.push(self.repeated(atom)?);
        }
        Some(if nodes.len() == 1 { nodes.pop()? } else { Node::Sequence(nodes) })
    }

    fn repeated(&mut self, atom: Node) -> Option<Node> {
        let mut node = atom;
        loop {
            let (min, max) = match self.rest.peek() {
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('?') => (0, Some(1)),
                Some('{') => {
                    self.rest.next();
                    let bounds = self.bounds()?;
                    node = Node::Repeat { node: Box::new(node), min: bounds.0, max: bounds.1 };
                    continue;
                }
                _ => return Some(node),
            };
            self.rest.next();
            node = Node::Repeat { node: Box::new(node), min, max };
        }
    }

    /// `2}`, `2,}` or `2,5}`.
    fn bounds(&mut self) -> Option<(usize, Option<usize>)> {
        let min = self.number()?;
        let max = match self.rest.next()? {
            '}' => return Some((min, Some(min))),
            ',' if self.eat('}') => return Some((min, None)),
            ',' => self.number()?,
            _ => return None,
        };
        (self.rest.next()? == '}' && min <= max).then_some((min, Some(max)))
    }

    fn number(&mut self) -> Option<usize> {
        let mut digits = String::new();
        while let Some(digit) = self.rest.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        digits.parse().ok()
    }

    fn atom(&mut self) -> Option<Node> {
        Some(match self.rest.next()? {
            '(' => return self.group(),
            '[' => Node::Class(self.class()?),
            '.' => {
                let breaks = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
                Node::Class(Class { items: breaks.map(|c| Item::Range(c, c)).into(), negated: true })
            }
            '^' => Node::Start,
            '$' => Node::End,
            '\\' => Node::Class(Class { items: self.escape()?, negated: false }),
            '*' | '+' | '?' | '{' => return None,
            other => Node::Class(Class { items: vec![Item::Range(other, other)], negated: false }),
        })
    }

    fn group(&mut self) -> Option<Node> {
        let mut look = None;
        if self.eat('?') {
            match self.rest.next()? {
                ':' => {}
                '=' => look = Some((false, false)),
                '!' => look = Some((false, true)),
                '<' => match self.rest.next()? {
                    '=' => look = Some((true, false)),
                    '!' => look = Some((true, true)),
                    _ => return None,
                },
                _ => return None,
            }
        }
        let node = self.either()?;
        if !self.eat(')') {
            return None;
        }
        match (look, node) {
            (None, node) => Some(node),
            (Some((false, negated)), node) => Some(Node::Ahead { node: Box::new(node), negated }),
            (Some((true, negated)), Node::Class(class)) => Some(Node::Behind { class, negated }),
            (Some((true, _)), _) => None,
        }
    }

    /// What stands between brackets. A hyphen that can't make a range is itself, as in Java.
    fn class(&mut self) -> Option<Class> {
        let negated = self.eat('^');
        let mut items = Vec::new();
        loop {
            let found = match self.rest.next()? {
                ']' if !items.is_empty() => return Some(Class { items, negated }),
                '\\' => self.escape()?,
                // Classes within classes and their intersections.
                '[' => return None,
                '&' if self.rest.peek() == Some(&'&') => return None,
                other => vec![Item::Range(other, other)],
            };
            let mut ahead = self.rest.clone();
            let single = match found[..] {
                [Item::Range(low, high)] if low == high => Some(low),
                _ => None,
            };
            if let Some(low) = single
                && ahead.next() == Some('-')
                && ahead.peek().is_some_and(|next| *next != ']')
            {
                self.rest.next();
                let high = match self.rest.next()? {
                    '\\' => self.escape()?,
                    other => vec![Item::Range(other, other)],
                };
                match high[..] {
                    [Item::Range(high, same)] if high == same && low <= high => {
                        items.push(Item::Range(low, high))
                    }
                    [Item::Range(high, same)] if high == same => return None,
                    _ => {
                        items.extend([Item::Range(low, low), Item::Range('-', '-')]);
                        items.extend(high);
                    }
                }
            } else {
                items.extend(found);
            }
        }
    }

    /// What follows a backslash, as items of a class.
    fn escape(&mut self) -> Option<Vec<Item>> {
        let one = |character| Some(vec![Item::Range(character, character)]);
        match self.rest.next()? {
            'd' => Some(vec![Item::Range('0', '9')]),
            'w' => Some(vec![
                Item::Range('a', 'z'),
                Item::Range('A', 'Z'),
                Item::Range('0', '9'),
                Item::Range('_', '_'),
            ]),
            's' => Some(vec![Item::Range('\t', '\r'), Item::Range(' ', ' ')]),
            'S' => Some(vec![
                Item::Range('\0', '\u{8}'),
                Item::Range('\u{e}', '\u{1f}'),
                Item::Range('!', char::MAX),
            ]),
            'D' => Some(vec![Item::Range('\0', '/'), Item::Range(':', char::MAX)]),
            'W' => Some(vec![
                Item::Range('\0', '/'),
                Item::Range(':', '@'),
                Item::Range('[', '^'),
                Item::Range('`', '`'),
                Item::Range('{', char::MAX),
            ]),
            'n' => one('\n'),
            'r' => one('\r'),
            't' => one('\t'),
            'x' => one(self.hex(2)?),
            'u' => one(self.hex(4)?),
            'p' => self.property(),
            other if !other.is_ascii_alphanumeric() => one(other),
            _ => None,
        }
    }

    fn hex(&mut self, digits: u32) -> Option<char> {
        let mut number = 0;
        for _ in 0..digits {
            number = number * 16 + self.rest.next()?.to_digit(16)?;
        }
        char::from_u32(number)
    }

    fn property(&mut self) -> Option<Vec<Item>> {
        let mut name = String::new();
        if self.rest.next()? != '{' {
            return None;
        }
        loop {
            match self.rest.next()? {
                '}' => break,
                other => name.push(other),
            }
        }
        Some(vec![match &*name {
            "L" => Item::Letter,
            "N" => Item::Number,
            "Z" => Item::Separator,
            _ => return None,
        }])
    }
}
