//! The values of one rendering. Lists and maps live in a [`Heap`] and are known by number: they are shared as Java's are, may hold
//! themselves, and go all at once, however deep they nest.

use std::borrow::Cow;
use std::rc::Rc;

use foldhash::fast::RandomState;
use indexmap::IndexMap;

use crate::error::{Attempt, RenderError};
use crate::members::{Member, Members};

/// Elements of lists and maps that one rendering may make, a parsed body's included. A body of 10 MB (API Gateway's limit)
/// has five million at most.
pub const VALUES_MAX: usize = 6_000_000;

#[derive(Debug, Clone)]
pub enum Text<'a> {
    Borrowed(&'a str),
    Shared(Rc<str>),
}

impl Text<'_> {
    pub fn as_str(&self) -> &str {
        match self {
            Text::Borrowed(text) => text,
            Text::Shared(text) => text,
        }
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Text::Shared(text.into())
    }
}

impl<'a> From<Cow<'a, str>> for Text<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Text::Borrowed(text),
            Cow::Owned(text) => Text::from(text),
        }
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text<'_> {}

impl std::hash::Hash for Text<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl std::borrow::Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListId(usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapId(usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryId(usize);

#[derive(Debug, Clone)]
pub enum Value<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Double(f64),
    Text(Text<'a>),
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

impl<'a> From<Member<'a>> for Value<'a> {
    fn from(member: Member<'a>) -> Self {
        match member {
            Member::Text(text) => Value::Text(Text::from(text)),
            Member::Integer(number) => Value::Integer(number),
            Member::Double(number) => Value::Double(number),
            Member::Boolean(truth) => Value::Boolean(truth),
            Member::Members(members) => Value::Members(members),
        }
    }
}

impl<'a> Value<'a> {
    pub fn text(text: impl Into<String>) -> Self {
        Value::Text(Text::from(text.into()))
    }

    pub fn borrowed(text: &'a str) -> Self {
        Value::Text(Text::Borrowed(text))
    }

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
pub type Map<'a> = IndexMap<Text<'a>, Value<'a>, RandomState>;

#[derive(Debug, Default)]
pub struct Heap<'a> {
    lists: Vec<List<'a>>,
    maps: Vec<Map<'a>>,
    entries: Vec<(Text<'a>, Value<'a>)>,
    made: usize,
}

impl<'a> Heap<'a> {
    /// Counts elements before they are made.
    pub fn reserve(&mut self, elements: usize) -> Attempt<()> {
        self.made = self.made.saturating_add(elements);
        if self.made > VALUES_MAX { Err(RenderError::TooManyValues(VALUES_MAX).into()) } else { Ok(()) }
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

    pub fn new_entry(&mut self, key: Text<'a>, value: Value<'a>) -> Attempt<Value<'a>> {
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

    pub fn entry(&self, id: EntryId) -> &(Text<'a>, Value<'a>) {
        &self.entries[id.0]
    }

    pub fn push(&mut self, id: ListId, value: Value<'a>) -> Attempt<()> {
        self.reserve(1)?;
        self.list_mut(id).push(value);
        Ok(())
    }

    pub fn put(&mut self, id: MapId, key: Text<'a>, value: Value<'a>) -> Attempt<Value<'a>> {
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
                    scalar => Value::from(scalar),
                };
                map.insert(Text::from(name), value);
            }
        }
        self.new_map(map)
    }
}
