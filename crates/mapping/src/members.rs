//! What templates and expressions are given by name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value as Json;

/// Something whose members are asked for by name. Whoever has them makes only those that somebody names.
pub trait Members {
    /// A member; of several values of one name the last. `None` when there is none of this name.
    fn get(&self, name: &str) -> Option<Member<'_>>;

    /// The names of all members in their order, each once.
    fn names(&self) -> Vec<Cow<'_, str>>;

    /// All values of a name in their order, as texts.
    fn values(&self, name: &str, letters: Letters) -> Vec<Cow<'_, str>>;
}

/// Whether a name in other letters is the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// `X-One` isn't `x-one`.
    Exact,
    /// `X-One` is `x-one`.
    Any,
}

#[derive(Debug, Clone)]
pub enum Member<'a> {
    Text(Cow<'a, str>),
    Integer(i64),
    Double(f64),
    Boolean(bool),
    Members(&'a dyn Members),
}

impl fmt::Debug for dyn Members + '_ {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.names()).finish()
    }
}

impl<'a> From<&'a str> for Member<'a> {
    fn from(text: &'a str) -> Member<'a> {
        Member::Text(Cow::Borrowed(text))
    }
}

impl Member<'_> {
    /// As an expression gives it: members as JSON.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Member::Text(text) => text.to_string(),
            Member::Integer(number) => itoa::Buffer::new().format(*number).to_owned(),
            Member::Double(number) => Json::from(*number).to_string(),
            Member::Boolean(truth) => truth.to_string(),
            Member::Members(_) => self.to_json().to_string(),
        }
    }

    fn to_json(&self) -> Json {
        match self {
            Member::Text(text) => Json::from(&**text),
            Member::Integer(number) => Json::from(*number),
            Member::Double(number) => Json::from(*number),
            Member::Boolean(truth) => Json::from(*truth),
            Member::Members(members) => {
                let all = members.names().into_iter().filter_map(|name| {
                    let member = members.get(&name)?.to_json();
                    Some((name.into_owned(), member))
                });
                Json::Object(all.collect())
            }
        }
    }
}

/// Pairs of a name and a text.
impl<const COUNT: usize> Members for [(&str, &str); COUNT] {
    fn get(&self, name: &str) -> Option<Member<'_>> {
        self.iter().rfind(|(known, _)| *known == name).map(|(_, text)| Member::from(*text))
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        let is_first = |at: usize, name: &str| !self[..at].iter().any(|(known, _)| *known == name);
        let names = self.iter().enumerate().filter(|(at, (name, _))| is_first(*at, name));
        names.map(|(_, (name, _))| Cow::Borrowed(*name)).collect()
    }

    fn values(&self, name: &str, letters: Letters) -> Vec<Cow<'_, str>> {
        let is_it = |known: &str| match letters {
            Letters::Exact => known == name,
            Letters::Any => known.eq_ignore_ascii_case(name),
        };
        self.iter().filter(|(known, _)| is_it(known)).map(|(_, text)| Cow::Borrowed(*text)).collect()
    }
}

/// An object's members without those that are null; anything else has none. An array is the text that JSON writes for it.
impl Members for Json {
    fn get(&self, name: &str) -> Option<Member<'_>> {
        Some(match self.as_object()?.get(name)? {
            Json::Null => return None,
            Json::Bool(truth) => Member::Boolean(*truth),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Member::Integer(whole),
                None => Member::Double(number.as_f64().unwrap_or_default()),
            },
            Json::String(text) => Member::from(text.as_str()),
            array @ Json::Array(_) => Member::Text(Cow::Owned(array.to_string())),
            object @ Json::Object(_) => Member::Members(object),
        })
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        let members = self.as_object().into_iter().flatten();
        members
            .filter(|(_, member)| !member.is_null())
            .map(|(name, _)| Cow::Borrowed(name.as_str()))
            .collect()
    }

    fn values(&self, name: &str, _: Letters) -> Vec<Cow<'_, str>> {
        Members::get(self, name).map(|member| Cow::Owned(member.to_text())).into_iter().collect()
    }
}

impl Members for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<Member<'_>> {
        BTreeMap::get(self, name).map(|text| Member::from(text.as_str()))
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        self.keys().map(|name| Cow::Borrowed(name.as_str())).collect()
    }

    fn values(&self, name: &str, _: Letters) -> Vec<Cow<'_, str>> {
        BTreeMap::get(self, name).map(|text| Cow::Borrowed(text.as_str())).into_iter().collect()
    }
}
