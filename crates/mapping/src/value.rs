//! The values of one rendering. Lists and maps live in a [`Heap`] and are known by number: they are shared as Java's are, may hold
//! themselves, and go all at once, however deep they nest. Texts are the caller's, the template's, or kept ([`Texts`]): a value is
//! copied like a number.

use std::borrow::Cow;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use crate::error::{Attempt, RenderError, refused};
use crate::members::{Member, Members};
use crate::texts::Texts;

/// Elements of lists and maps that one rendering may make, a parsed body's included. A body of 10 MB (API Gateway's limit)
/// has five million at most.
pub const VALUES_MAX: usize = 6_000_000;

/// So much of a text that is kept counts as one more value.
const BYTES_A_VALUE: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListId(usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapId(usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryId(usize);

/// Its kind takes a whole word, so that a copy is three moves.
#[derive(Debug, Clone, Copy)]
#[repr(u64)]
pub enum Value<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    /// A whole number of JSON's beyond those: it is written as it came, and reckoned with as a double.
    Wide(u64),
    Double(f64),
    Text(&'a str),
    List(ListId),
    Map(MapId),
    /// A key and its value, from `entrySet()`.
    Entry(EntryId),
    /// Members of `$context`, not copied until somebody needs more than one of them.
    Members(&'a dyn Members),
    Object(Object),
}

/// What a template finds in its names before it sets any, and what its directives make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    Input,
    /// `$util`.
    Functions,
    Context,
    /// `$input.params()`. This and [`Object::Group`] are only met on the way to something in them: what a reference ends with is a map.
    Parameters,
    Group(Group),
    /// `$foreach`: the loop of this number.
    Loop(usize),
    /// What `#define` or a macro's caller gave, by number.
    Block(usize),
}

/// What has members that nobody made yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Path,
    Querystring,
    Header,
    StageVariables,
}

impl Group {
    pub const COUNT: usize = 4;
}

impl Value<'_> {
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

#[derive(Debug)]
struct List<'a> {
    elements: Vec<Value<'a>>,
    /// Lists of JSON show as JSON, those that a template makes as Java's lists do.
    is_json: bool,
}

/// Its hasher is seeded for each process, so that bodies can't be made whose names all meet.
pub type Map<'a> = IndexMap<&'a str, Value<'a>, RandomState>;

#[derive(Debug)]
pub struct Heap<'a> {
    /// Where the next text is kept.
    texts: &'a Texts,
    lists: Vec<List<'a>>,
    maps: Vec<Map<'a>>,
    entries: Vec<(&'a str, Value<'a>)>,
    made: usize,
}

impl<'a> Heap<'a> {
    pub fn new(texts: &'a Texts) -> Heap<'a> {
        Heap { texts, lists: Vec::new(), maps: Vec::new(), entries: Vec::new(), made: 0 }
    }

    /// A text that lives as long as the heap. Who makes one pays for it in steps; what is only given counts here.
    pub fn keep(&mut self, text: impl Into<Box<str>>) -> Attempt<&'a str> {
        let text = text.into();
        self.reserve(text.len() / BYTES_A_VALUE)?;
        let (text, behind) = self.texts.keep(text);
        self.texts = behind;
        Ok(text)
    }

    fn keep_given(&mut self, text: Cow<'a, str>) -> Attempt<&'a str> {
        match text {
            Cow::Borrowed(text) => Ok(text),
            Cow::Owned(text) => self.keep(text),
        }
    }

    /// A member of the caller's.
    pub fn given(&mut self, member: Member<'a>) -> Attempt<Value<'a>> {
        Ok(match member {
            Member::Text(text) => Value::Text(self.keep_given(text)?),
            Member::Integer(number) => Value::Integer(number),
            Member::Double(number) => Value::Double(number),
            Member::Boolean(truth) => Value::Boolean(truth),
            Member::Members(members) => Value::Members(members),
        })
    }

    /// Counts elements before they are made.
    pub fn reserve(&mut self, elements: usize) -> Attempt<()> {
        self.made = self.made.saturating_add(elements);
        if self.made > VALUES_MAX { Err(refused(RenderError::TooManyValues(VALUES_MAX))) } else { Ok(()) }
    }

    pub fn new_list(&mut self, elements: Vec<Value<'a>>) -> Attempt<Value<'a>> {
        self.add_list(List { elements, is_json: false })
    }

    pub fn new_json_list(&mut self, elements: Vec<Value<'a>>) -> Attempt<Value<'a>> {
        self.add_list(List { elements, is_json: true })
    }

    fn add_list(&mut self, list: List<'a>) -> Attempt<Value<'a>> {
        self.reserve(list.elements.len() + 1)?;
        self.lists.push(list);
        Ok(Value::List(ListId(self.lists.len() - 1)))
    }

    pub fn is_json(&self, id: ListId) -> bool {
        self.lists[id.0].is_json
    }

    pub fn new_map(&mut self, map: Map<'a>) -> Attempt<MapId> {
        self.reserve(map.len() + 1)?;
        self.maps.push(map);
        Ok(MapId(self.maps.len() - 1))
    }

    pub fn new_entry(&mut self, key: &'a str, value: Value<'a>) -> Attempt<Value<'a>> {
        self.reserve(1)?;
        self.entries.push((key, value));
        Ok(Value::Entry(EntryId(self.entries.len() - 1)))
    }

    pub fn list(&self, id: ListId) -> &Vec<Value<'a>> {
        &self.lists[id.0].elements
    }

    pub fn list_mut(&mut self, id: ListId) -> &mut Vec<Value<'a>> {
        &mut self.lists[id.0].elements
    }

    pub fn map(&self, id: MapId) -> &Map<'a> {
        &self.maps[id.0]
    }

    pub fn map_mut(&mut self, id: MapId) -> &mut Map<'a> {
        &mut self.maps[id.0]
    }

    pub fn entry(&self, id: EntryId) -> &(&'a str, Value<'a>) {
        &self.entries[id.0]
    }

    pub fn push(&mut self, id: ListId, value: Value<'a>) -> Attempt<()> {
        self.reserve(1)?;
        self.list_mut(id).push(value);
        Ok(())
    }

    pub fn put(&mut self, id: MapId, key: &'a str, value: Value<'a>) -> Attempt<Value<'a>> {
        self.reserve(1)?;
        Ok(self.map_mut(id).insert(key, value).unwrap_or(Value::Null))
    }

    /// A map of all members, with all that is in them. How deep they nest is their owner's to bound.
    pub fn adopt_all(&mut self, members: &'a dyn Members) -> Attempt<MapId> {
        let names = members.names();
        let mut map = Map::with_capacity_and_hasher(names.len(), RandomState::default());
        for name in names {
            if let Some(member) = members.get(&name) {
                let value = match member {
                    Member::Members(inner) => Value::Map(self.adopt_all(inner)?),
                    scalar => self.given(scalar)?,
                };
                map.insert(self.keep_given(name)?, value);
            }
        }
        self.new_map(map)
    }
}
