//! Fields of JSON messages, found in one pass that keeps only what a query names.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use smallvec::SmallVec;

use crate::event::Event;
use crate::field::is_lambda;
use crate::value::{Print, Value};

/// Fields of a message that are looked at; what follows isn't found. Source: AWS, fields in JSON logs.
pub const JSON_FIELDS_MAX: usize = 200;

/// A field that is looked for: its name in the message and the slot that it goes to.
pub(crate) type Want<'w> = (&'w str, usize);
type Wants<'w> = SmallVec<[Want<'w>; 4]>;

/// The name of a field inside of the message: a leading at sign is doubled outside. Source: AWS, discovered fields.
pub(crate) fn inner_name(name: &str) -> &str {
    name.strip_prefix('@').unwrap_or(name)
}

/// Gives `found` each field that is wanted and there, then forgets about them if the message isn't JSON after all
/// (answers false). A Lambda function's line may have text around its first JSON object. Source: as above.
pub(crate) fn find<'e>(
    event: &Event<'e>,
    wants: &[Want<'_>],
    found: &mut dyn FnMut(usize, Value<'e>),
) -> bool {
    let message = event.message;
    let start = match message.find(|c: char| !c.is_whitespace()) {
        Some(start) if message[start..].starts_with('{') => start,
        _ if is_lambda(event) => match message.find('{') {
            Some(start) => start,
            None => return true,
        },
        _ => return true,
    };
    let mut reader = serde_json::Deserializer::from_str(&message[start..]);
    // Each field but the first has a comma before it: with few of them no field is beyond the bound, and none need be counted.
    let mut count = match memchr::memchr_iter(b',', message.as_bytes()).count() < JSON_FIELDS_MAX {
        true => None,
        false => Some(0),
    };
    let flatten = Flatten { wants: wants.into(), found, count: &mut count };
    flatten.deserialize(&mut reader).is_ok() && (reader.end().is_ok() || is_lambda(event))
}

/// All fields of a JSON message with their values, at most [`JSON_FIELDS_MAX`].
pub fn fields(event: &Event<'_>) -> Vec<(String, String)> {
    let Ok(json) = serde_json::from_str::<serde_json::Value>(event.message) else { return Vec::new() };
    let mut fields = Vec::new();
    if json.is_object() {
        collect(&json, String::new(), &mut fields);
    }
    fields
}

fn collect(json: &serde_json::Value, name: String, fields: &mut Vec<(String, String)>) {
    let under = |key: &str| if name.is_empty() { outer(key) } else { format!("{name}.{key}") };
    match json {
        _ if fields.len() == JSON_FIELDS_MAX => {}
        serde_json::Value::Object(members) => {
            members.iter().for_each(|(key, value)| collect(value, under(key), fields));
        }
        serde_json::Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| collect(value, under(&at.to_string()), fields));
        }
        serde_json::Value::Null => {}
        serde_json::Value::Bool(is) => fields.push((name, if *is { "1" } else { "0" }.to_owned())),
        serde_json::Value::String(text) => fields.push((name, text.clone())),
        serde_json::Value::Number(number) => fields.push((name, number.to_string())),
    }
}

fn outer(key: &str) -> String {
    if key.starts_with('@') { format!("@{key}") } else { key.to_owned() }
}

struct Flatten<'f, 'w, 'e> {
    /// What is wanted from here on; a name that is used up means this very value.
    wants: Wants<'w>,
    found: &'f mut dyn FnMut(usize, Value<'e>),
    /// Fields so far, where there may be more than are looked at.
    count: &'f mut Option<usize>,
}

impl<'w, 'e> Flatten<'_, 'w, 'e> {
    fn leaf<E>(self, value: impl FnOnce() -> Value<'e>) -> Result<(), E> {
        if let Some(count) = self.count {
            *count += 1;
        }
        if self.count.is_none_or(|count| count <= JSON_FIELDS_MAX)
            && let Some((_, slot)) = self.wants.iter().find(|(rest, _)| rest.is_empty())
        {
            (self.found)(*slot, value());
        }
        Ok(())
    }

    /// May what nobody wants be passed over?
    fn passes(&self, wants: &Wants<'_>) -> bool {
        match *self.count {
            None => wants.is_empty(),
            Some(count) => count >= JSON_FIELDS_MAX,
        }
    }

    /// What is wanted of a member.
    fn under(&self, key: &str) -> Wants<'w> {
        let after = |(rest, slot): &Want<'w>| {
            let rest = rest.strip_prefix(key)?;
            if rest.is_empty() { Some((rest, *slot)) } else { Some((rest.strip_prefix('.')?, *slot)) }
        };
        self.wants.iter().filter_map(after).collect()
    }
}

impl<'w, 'e> DeserializeSeed<'e> for Flatten<'_, 'w, 'e> {
    type Value = ();
    fn deserialize<D: Deserializer<'e>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'w, 'e> Visitor<'e> for Flatten<'_, 'w, 'e> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, is: bool) -> Result<(), E> {
        self.leaf(|| Value::Bool(is))
    }

    fn visit_i64<E>(self, int: i64) -> Result<(), E> {
        self.leaf(|| Value::Int(int))
    }

    fn visit_u64<E>(self, int: u64) -> Result<(), E> {
        self.leaf(|| match i64::try_from(int) {
            Ok(int) => Value::Int(int),
            Err(_) => Value::Text(int.to_string().into()),
        })
    }

    fn visit_f64<E>(self, float: f64) -> Result<(), E> {
        self.leaf(|| Value::Found(float, Print::AsItIs))
    }

    fn visit_borrowed_str<E>(self, text: &'e str) -> Result<(), E> {
        self.leaf(|| Value::text_of(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.leaf(|| Value::Text(text.to_owned().into()))
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'e>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Key<'e>>()? {
            let wants = self.under(&key.0);
            if self.passes(&wants) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            map.next_value_seed(Flatten { wants, found: self.found, count: self.count })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'e>>(self, mut items: A) -> Result<(), A::Error> {
        for place in 0usize.. {
            let wants = if self.wants.is_empty() { Wants::new() } else { self.under(&place.to_string()) };
            if self.passes(&wants) {
                if items.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(());
                }
                continue;
            }
            let item = Flatten { wants, found: self.found, count: self.count };
            if items.next_element_seed(item)?.is_none() {
                return Ok(());
            }
        }
        Err(A::Error::custom("endless"))
    }
}

/// A member's name, without a copy where it has no escapes.
struct Key<'e>(Cow<'e, str>);

impl<'e> serde::Deserialize<'e> for Key<'e> {
    fn deserialize<D: Deserializer<'e>>(deserializer: D) -> Result<Key<'e>, D::Error> {
        struct Name;
        impl<'e> Visitor<'e> for Name {
            type Value = Key<'e>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, text: &'e str) -> Result<Key<'e>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Key<'e>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(log: &str, message: &str, name: &str) -> Option<String> {
        let event = Event { log, stream: "s", at_ms: 0, ingested_ms: 0, id: 1, pointer: &1, message };
        let mut value = None;
        let whole = find(&event, &[(name, 0)], &mut |_, found| value = Some(found.text().into_owned()));
        value.filter(|_| whole)
    }

    #[test]
    fn nested_fields_are_found_by_their_path() {
        let message = r#"{"a":{"b":[{"c":"x"},7]},"a.d":1.25,"ok":true,"no":null,"big":12345678901234567890,"esc":"a\nb"}"#;
        for (name, value) in [
            ("a.b.0.c", Some("x")),
            ("a.b.1", Some("7")),
            ("a.d", Some("1.25")),
            ("ok", Some("1")),
            ("no", None),
            ("big", Some("12345678901234567890")),
            ("esc", Some("a\nb")),
            ("a", None),
            ("a.b.2", None),
            ("zz", None),
        ] {
            assert_eq!(get("0:g", message, name).as_deref(), value, "{name}");
        }
    }

    #[test]
    fn text_around_json_is_for_lambda_only() {
        let line = "2025-11-28T10:00:00Z\tid\tINFO\t{\"a\":1} {\"a\":2}";
        assert_eq!(get("0:/aws/lambda/f", line, "a").as_deref(), Some("1"));
        assert_eq!(get("0:g", line, "a"), None);
        assert_eq!(get("0:g", "{\"a\":1} x", "a"), None);
        assert_eq!(get("0:g", "{\"a\":1", "a"), None);
        assert_eq!(get("0:g", " {\"a\":1}\n", "a").as_deref(), Some("1"));
    }

    #[test]
    fn fields_end_at_the_bound() {
        let members: Vec<String> = (0..250).map(|n| format!("\"f{n}\":{n}")).collect();
        let message = format!("{{{}}}", members.join(","));
        assert_eq!(get("0:g", &message, "f199").as_deref(), Some("199"));
        assert_eq!(get("0:g", &message, "f200"), None);
        let event = Event {
            log: "0:g",
            stream: "s",
            at_ms: 0,
            ingested_ms: 0,
            id: 1,
            pointer: &1,
            message: &message,
        };
        assert_eq!(fields(&event).len(), JSON_FIELDS_MAX);
        assert_eq!(get("0:g", &"{\"a\":".repeat(100_000), "a"), None);
    }
}
