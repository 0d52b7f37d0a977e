//! Headers and query parameters: names with one value or more, written once as a map to the last value and once as a
//! map to all of them.

use crate::json;
use std::borrow::Cow;
use std::cmp::Ordering;

/// Names that never reach the function: those that belong to one connection, and those that the gateway writes itself.
/// Source: AWS developer guide, "Amazon API Gateway important notes", and recordings of the service.
const DROPPED: [Known; 17] = [
    Known::new("connection"),
    Known::new("content-length"),
    Known::new("content-md5"),
    Known::new("expect"),
    Known::new("host"),
    Known::new("max-forwards"),
    Known::new("proxy-authenticate"),
    Known::new("server"),
    Known::new("te"),
    Known::new("trailer"),
    Known::new("transfer-encoding"),
    Known::new("upgrade"),
    Known::new("www-authenticate"),
    Known::new("x-amzn-trace-id"),
    Known::new("x-forwarded-for"),
    Known::new("x-forwarded-port"),
    Known::new("x-forwarded-proto"),
];

/// What belongs to one connection, and the cookies, which payload format 2.0 tells by themselves.
const OF_CONNECTION: [&str; 8] = [
    "connection",
    "cookie",
    "keep-alive",
    "proxy-authenticate",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Names that the service shows in its own case, whatever the client wrote.
const RECASED: [Known; 2] = [Known::new("Authorization"), Known::new("User-Agent")];

/// A header's name that every header is compared with.
struct Known {
    name: &'static str,
    prefix: u64,
}

impl Known {
    const fn new(name: &'static str) -> Known {
        Known { name, prefix: prefix(name, true) }
    }

    fn is(&self, name: &str, prefix: u64) -> bool {
        self.prefix == prefix && self.name.eq_ignore_ascii_case(name)
    }
}

struct Field<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
    /// The name's first eight bytes, for quick comparison.
    prefix: u64,
}

/// Fields sorted by name; those of one name are neighbours in the order of arrival.
pub(crate) struct Fields<'a> {
    sorted: Vec<Field<'a>>,
    same: fn(&str, &str) -> bool,
}

impl<'a> Fields<'a> {
    /// The headers that a function sees: the client's and `added`, the gateway's own.
    pub(crate) fn of_headers<const ADDED: usize>(
        client: &[(&'a str, &'a [u8])],
        added: [(&'a str, Cow<'a, str>); ADDED],
    ) -> Fields<'a> {
        let mut sorted: Vec<Field<'a>> = Vec::with_capacity(client.len() + added.len());
        for &(name, value) in client {
            let prefix = prefix(name, true);
            if DROPPED.iter().any(|dropped| dropped.is(name, prefix)) {
                continue;
            }
            let recased = RECASED.iter().find(|recased| recased.is(name, prefix));
            let name = recased.map_or(name, |recased| recased.name);
            sorted.push(Field { prefix, name: Cow::Borrowed(name), value: text(value) });
        }
        for (name, value) in added {
            sorted.push(Field { prefix: prefix(name, true), name: Cow::Borrowed(name), value });
        }
        sorted.sort_by(|a, b| a.prefix.cmp(&b.prefix).then_with(|| without_case(&a.name, &b.name)));
        Fields { sorted, same: str::eq_ignore_ascii_case }
    }

    /// The headers that a function behind an HTTP API or a URL sees, with names in lower case: the client's and `added`, the
    /// gateway's own. Cookies are told elsewhere, unless `keeps_cookies`.
    pub(crate) fn of_http_headers(
        client: &[(&'a str, &'a [u8])],
        added: [(&'a str, Cow<'a, str>); 5],
        keeps_cookies: bool,
    ) -> Fields<'a> {
        let mut sorted: Vec<Field<'a>> = Vec::with_capacity(client.len() + added.len());
        for &(name, value) in client {
            let is_added = added.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
            let is_cookie = keeps_cookies && name.eq_ignore_ascii_case("cookie");
            let is_dropped = || OF_CONNECTION.iter().any(|dropped| dropped.eq_ignore_ascii_case(name));
            if !is_added && (is_cookie || !is_dropped()) {
                let name = Cow::Borrowed(name);
                sorted.push(Field { prefix: prefix(&name, true), name, value: text(value) });
            }
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
        let mut sorted: Vec<_> = parameters
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

    pub(crate) fn is_empty(&self) -> bool {
        self.sorted.is_empty()
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

    /// Writes the map from name to last value, `between`, and the map from name to all values; `nothing` in place of either if there is no
    /// member. What the second has in common with the first is copied from there.
    pub(crate) fn write_both(&self, out: &mut Vec<u8>, between: &str, nothing: &str) {
        if self.is_empty() {
            for json in [nothing, between, nothing] {
                json::raw(out, json);
            }
            return;
        }
        // Where a name begins, its value, and what comes after both.
        let mut places = Vec::with_capacity(self.sorted.len());
        let mut lead = b'{';
        for group in self.groups() {
            out.push(lead);
            lead = b',';
            let name = out.len();
            json::string(out, &group[0].name);
            out.push(b':');
            let value = out.len();
            json::string(out, &group.last().expect("a group has a field").value);
            places.push((name, value, out.len()));
        }
        out.push(b'}');
        json::raw(out, between);
        lead = b'{';
        for (group, (name, value, end)) in self.groups().zip(places) {
            out.push(lead);
            lead = b',';
            out.extend_from_within(name..value);
            let (_, earlier) = group.split_last().expect("a group has a field");
            out.push(b'[');
            for field in earlier {
                json::string(out, &field.value);
                out.push(b',');
            }
            out.extend_from_within(value..end);
            out.push(b']');
        }
        out.push(b'}');
    }

    /// Writes the map from name to all values, joined by commas; at least `{}`.
    pub(crate) fn write_joined(&self, out: &mut Vec<u8>) {
        let mut lead = b'{';
        for group in self.groups() {
            out.push(lead);
            lead = b',';
            json::string(out, &group[0].name);
            out.push(b':');
            match group {
                [alone] => json::string(out, &alone.value),
                many => {
                    let values: Vec<&str> = many.iter().map(|field| &*field.value).collect();
                    json::string(out, &values.join(","));
                }
            }
        }
        json::raw(out, if lead == b',' { "}" } else { "{}" });
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

const fn prefix(name: &str, fold: bool) -> u64 {
    let name = name.as_bytes();
    let mut prefix = 0;
    let mut at = 0;
    while at < 8 {
        let byte = if at < name.len() { name[at] } else { 0 };
        prefix = prefix << 8 | (if fold { byte.to_ascii_lowercase() } else { byte }) as u64;
        at += 1;
    }
    prefix
}

fn without_case(a: &str, b: &str) -> Ordering {
    a.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()))
}
