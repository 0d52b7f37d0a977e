//! Headers and query parameters: names with one value or more, written once as a map to the last value and once as a
//! map to all of them.

use crate::json;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::cmp::Ordering;

/// Names that never reach the function: those that belong to one connection, and those that the gateway writes itself.
/// Source: AWS developer guide, "Amazon API Gateway important notes", and recordings of the service.
const DROPPED: [&str; 17] = [
    "connection",
    "content-length",
    "content-md5",
    "expect",
    "host",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
    "x-amzn-trace-id",
    "x-forwarded-for",
    "x-forwarded-port",
    "x-forwarded-proto",
];

/// Names that the service shows in its own case, whatever the client wrote.
const RECASED: [&str; 2] = ["Authorization", "User-Agent"];

struct Field<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
    /// The name's first eight bytes, for quick comparison.
    prefix: u64,
}

/// Fields sorted by name; those of one name are neighbours in the order of arrival.
pub(crate) struct Fields<'a> {
    sorted: SmallVec<[Field<'a>; 24]>,
    same: fn(&str, &str) -> bool,
}

impl<'a> Fields<'a> {
    /// The headers that a function sees: the client's and `added`, the gateway's own.
    pub(crate) fn of_headers(
        client: &[(&'a str, &'a [u8])],
        added: [(&'a str, Cow<'a, str>); 5],
    ) -> Fields<'a> {
        let mut sorted: SmallVec<[Field<'a>; 24]> = SmallVec::with_capacity(client.len() + added.len());
        for &(name, value) in client {
            if DROPPED.iter().any(|dropped| dropped.eq_ignore_ascii_case(name)) {
                continue;
            }
            let recased = RECASED.iter().find(|recased| recased.eq_ignore_ascii_case(name));
            let name = recased.copied().unwrap_or(name);
            sorted.push(Field { prefix: prefix(name, true), name: Cow::Borrowed(name), value: text(value) });
        }
        for (name, value) in added {
            sorted.push(Field { prefix: prefix(name, true), name: Cow::Borrowed(name), value });
        }
        sorted.sort_by(|a, b| a.prefix.cmp(&b.prefix).then_with(|| without_case(&a.name, &b.name)));
        Fields { sorted, same: str::eq_ignore_ascii_case }
    }

    /// The parameters of a raw query string. A parameter without `=` has an empty value.
    pub(crate) fn of_query(query: &'a str) -> Fields<'a> {
        let parameters = query.split('&').filter(|piece| !piece.is_empty());
        let mut sorted: SmallVec<_> = parameters
            .map(|piece| {
                let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
                let name = from_form(name);
                Field { prefix: prefix(&name, false), name, value: from_form(value) }
            })
            .collect();
        sorted.sort_by(|a: &Field, b: &Field| a.prefix.cmp(&b.prefix).then_with(|| a.name.cmp(&b.name)));
        Fields { sorted, same: str::eq }
    }

    /// The last value of a header.
    pub(crate) fn last(&self, name: &str) -> Option<&str> {
        let found = self.sorted.iter().rev().find(|field| (self.same)(&field.name, name))?;
        Some(&found.value)
    }

    /// Writes the map from name to last value; `null` if empty.
    pub(crate) fn write_last(&self, out: &mut Vec<u8>) {
        json::object(
            out,
            self.groups().map(|group| {
                let last = group.last().expect("a group has a field");
                (&*group[0].name, &*last.value)
            }),
        );
    }

    /// Writes the map from name to all values; `null` if empty.
    pub(crate) fn write_all(&self, out: &mut Vec<u8>) {
        let mut lead = b'{';
        for group in self.groups() {
            out.push(lead);
            lead = b',';
            json::string(out, &group[0].name);
            json::raw(out, ":[");
            for (at, field) in group.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                json::string(out, &field.value);
            }
            out.push(b']');
        }
        json::raw(out, if lead == b',' { "}" } else { "null" });
    }

    fn groups(&self) -> impl Iterator<Item = &[Field<'a>]> {
        self.sorted.chunk_by(|a, b| a.prefix == b.prefix && (self.same)(&a.name, &b.name))
    }
}

/// Header bytes as text: UTF-8 if they are, else Latin-1, as HTTP once had it.
fn text(value: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(value) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(value.iter().map(|&byte| char::from(byte)).collect()),
    }
}

/// Joins what the client said of earlier hops with the client's own address.
pub(crate) fn forwarded_for<'a>(client: &[(&'a str, &'a [u8])], source_ip: &'a str) -> Cow<'a, str> {
    let mut hops = Cow::Borrowed("");
    for &(name, value) in client {
        if name.eq_ignore_ascii_case("x-forwarded-for") && !value.is_empty() {
            hops.to_mut().push_str(&text(value));
            hops.to_mut().push_str(", ");
        }
    }
    if hops.is_empty() { Cow::Borrowed(source_ip) } else { hops + source_ip }
}

/// Decodes a name or a value of a query string: `+` is a space, `%XX` a byte; bytes that are no UTF-8 become U+FFFD.
fn from_form(raw: &str) -> Cow<'_, str> {
    if !raw.contains(['+', '%']) {
        return Cow::Borrowed(raw);
    }
    let spaced = raw.replace('+', " ");
    let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy();
    Cow::Owned(decoded.into_owned())
}

fn prefix(name: &str, fold: bool) -> u64 {
    let mut bytes = [0; 8];
    let length = name.len().min(8);
    bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
    if fold {
        bytes.make_ascii_lowercase();
    }
    u64::from_be_bytes(bytes)
}

fn without_case(a: &str, b: &str) -> Ordering {
    a.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()))
}
