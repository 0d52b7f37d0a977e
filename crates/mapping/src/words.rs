//! What stands after a dot, and what that means to the objects that a template is given: read when the template is, so that
//! rendering compares no texts.

/// A property's or a method's name.
#[derive(Debug)]
pub struct Word {
    pub text: Box<str>,
    pub meaning: Meaning,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing that is known beforehand: a member of a map, a method of Java's.
    Other,
    /// `$context`'s that can be set.
    Override,
    /// Of every value.
    Equals,
    /// Of texts and lists.
    Empty,
    /// `$input`'s.
    Body,
    Json,
    Params,
    Path,
    /// `$util`'s.
    Base64Decode,
    Base64Encode,
    EscapeJavaScript,
    ParseJson,
    UrlDecode,
    UrlEncode,
    /// `$foreach`'s.
    Count,
    First,
    HasNext,
    Index,
    Last,
    Parent,
    Topmost,
}

const MEANINGS: [(&str, Meaning); 21] = [
    ("requestOverride", Meaning::Override),
    ("responseOverride", Meaning::Override),
    ("equals", Meaning::Equals),
    ("empty", Meaning::Empty),
    ("body", Meaning::Body),
    ("json", Meaning::Json),
    ("params", Meaning::Params),
    ("path", Meaning::Path),
    ("base64Decode", Meaning::Base64Decode),
    ("base64Encode", Meaning::Base64Encode),
    ("escapeJavaScript", Meaning::EscapeJavaScript),
    ("parseJson", Meaning::ParseJson),
    ("urlDecode", Meaning::UrlDecode),
    ("urlEncode", Meaning::UrlEncode),
    ("count", Meaning::Count),
    ("first", Meaning::First),
    ("hasNext", Meaning::HasNext),
    ("index", Meaning::Index),
    ("last", Meaning::Last),
    ("parent", Meaning::Parent),
    ("topmost", Meaning::Topmost),
];

impl Meaning {
    pub fn of(text: &str) -> Meaning {
        let known = MEANINGS.iter().find(|(known, _)| *known == text);
        known.map_or(Meaning::Other, |(_, meaning)| *meaning)
    }

    /// As a method without arguments has it: `getIndex` and `isFirst` read `index` and `first`.
    pub fn of_getter(text: &str) -> Meaning {
        let Some(rest) = text.strip_prefix("get").or_else(|| text.strip_prefix("is")) else {
            return Meaning::of(text);
        };
        let mut letters = rest.chars();
        match letters.next() {
            Some(first) => Meaning::of(&first.to_lowercase().chain(letters).collect::<String>()),
            None => Meaning::of(text),
        }
    }
}

impl From<&str> for Word {
    fn from(text: &str) -> Word {
        Word { text: text.into(), meaning: Meaning::of(text) }
    }
}
