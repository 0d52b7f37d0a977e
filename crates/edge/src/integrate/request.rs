//! A request as mappings see it: decoded, and read by name, so that what no mapping names isn't made.

mod context;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use pitbird_mapping::parameter::Message;
use pitbird_mapping::{Exchange, Letters, Member, Members, RenderError, Rendered, Template};
use smallvec::SmallVec;

use self::context::Context;
use crate::admitted::Admitted;
use crate::arrival::Arrival;
use crate::names_shown::{self, NamesShown};
use crate::routed::Routed;

/// All that a request's templates and parameters may name.
pub(crate) struct Seen<'a> {
    path: Path<'a>,
    querystring: Query<'a>,
    header: Headers<'a>,
    context: Context<'a>,
    stage_variables: &'a BTreeMap<String, String>,
}

impl<'a> Seen<'a> {
    pub fn new<'p: 'a>(
        routed: &'a Routed<'a, 'p>,
        arrival: &'a Arrival<'a>,
        admitted: &'a Admitted,
    ) -> Seen<'a> {
        let mut path = SmallVec::new();
        for (name, text) in routed.matched.captures() {
            path.push((name, text));
        }
        Seen {
            path: Path(path),
            querystring: Query { text: arrival.query(), read: OnceCell::new() },
            header: Headers(arrival),
            context: Context::of(routed, arrival, admitted),
            stage_variables: &routed.track.variables,
        }
    }

    /// Names and decoded texts of what the path's variables stand for.
    pub fn path_parameters(&self) -> Vec<(&str, Cow<'_, str>)> {
        self.path.0.iter().map(|(name, text)| (*name, percent_decode_str(text).decode_utf8_lossy())).collect()
    }

    /// Names and last values of the query's parameters.
    pub fn query_parameters(&self) -> Vec<(Cow<'_, str>, String)> {
        let names = self.querystring.names().into_iter();
        let last = names.filter_map(|name| {
            let value = self.querystring.values(&name, Letters::Exact).pop()?.into_owned();
            Some((name, value))
        });
        last.collect()
    }

    /// Renders a template, `body` being the request's or the backend's.
    pub fn render(&self, template: &Template, body: &str) -> Result<Rendered, RenderError> {
        template.render(&Exchange {
            body,
            path: &self.path,
            querystring: &self.querystring,
            header: &self.header,
            context: &self.context,
            stage_variables: self.stage_variables,
        })
    }

    /// The request as parameters see it.
    pub fn message<'m>(&'m self, body: &'m str) -> Message<'m> {
        self.message_with(body, &self.header)
    }

    /// The same with the headers of a backend's answer in place of the request's.
    pub fn message_with<'m>(&'m self, body: &'m str, header: &'m dyn Members) -> Message<'m> {
        Message {
            path: &self.path,
            querystring: &self.querystring,
            header,
            body,
            context: &self.context,
            stage_variables: self.stage_variables,
        }
    }
}

/// Still percent-encoded.
struct Path<'a>(SmallVec<[(&'a str, &'a str); 4]>);

impl<'a> Path<'a> {
    fn decoded(&self, name: &str) -> Option<Cow<'a, str>> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| percent_decode_str(text).decode_utf8_lossy())
    }
}

impl Members for Path<'_> {
    fn get(&self, name: &str) -> Option<Member<'_>> {
        self.decoded(name).map(Member::Text)
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        self.0.iter().map(|(name, _)| Cow::Borrowed(*name)).collect()
    }

    fn values(&self, name: &str, _: Letters) -> Vec<Cow<'_, str>> {
        self.decoded(name).into_iter().collect()
    }
}

/// A query, read when the first parameter is asked for.
struct Query<'a> {
    text: &'a str,
    read: OnceCell<Pairs<'a>>,
}

type Pairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

impl<'a> Query<'a> {
    fn pairs(&self) -> &Pairs<'a> {
        self.read.get_or_init(|| query(self.text))
    }
}

impl Members for Query<'_> {
    fn get(&self, name: &str) -> Option<Member<'_>> {
        self.pairs().iter().rfind(|(known, _)| known == name).map(|(_, value)| Member::from(&**value))
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        let pairs = self.pairs();
        let is_first = |at: usize, name: &str| !pairs[..at].iter().any(|(known, _)| known == name);
        let names = pairs.iter().enumerate().filter(|(at, (name, _))| is_first(*at, name));
        names.map(|(_, (name, _))| Cow::Borrowed(&**name)).collect()
    }

    fn values(&self, name: &str, _: Letters) -> Vec<Cow<'_, str>> {
        let pairs = self.pairs().iter().filter(|(known, _)| known == name);
        pairs.map(|(_, value)| Cow::Borrowed(&**value)).collect()
    }
}

/// Headers by their names in the client's letters.
struct Headers<'a>(&'a Arrival<'a>);

impl Headers<'_> {
    fn is_shown(&self, name: &str) -> bool {
        names_shown::is_shown(self.0.peer.raw_head, name)
    }
}

impl Members for Headers<'_> {
    fn get(&self, name: &str) -> Option<Member<'_>> {
        let last = self.0.headers().get_all(name).iter().next_back()?;
        self.is_shown(name).then(|| Member::Text(String::from_utf8_lossy(last.as_bytes())))
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        let shown = NamesShown::read(self.0.peer.raw_head);
        let names = self.0.headers().keys();
        names.map(|name| Cow::Borrowed(shown.shown(name.as_str()))).collect()
    }

    fn values(&self, name: &str, letters: Letters) -> Vec<Cow<'_, str>> {
        let values = self.0.headers().get_all(name).iter();
        let is_named = letters == Letters::Any || self.is_shown(name);
        values.filter(|_| is_named).map(|value| String::from_utf8_lossy(value.as_bytes())).collect()
    }
}

/// The headers of a backend's answer, whatever letters their names are asked for in.
pub(crate) struct Answered<'a>(pub &'a http::HeaderMap);

impl Members for Answered<'_> {
    fn get(&self, name: &str) -> Option<Member<'_>> {
        let last = self.0.get_all(name).iter().next_back()?;
        Some(Member::Text(String::from_utf8_lossy(last.as_bytes())))
    }

    fn names(&self) -> Vec<Cow<'_, str>> {
        self.0.keys().map(|name| Cow::Borrowed(name.as_str())).collect()
    }

    fn values(&self, name: &str, _: Letters) -> Vec<Cow<'_, str>> {
        self.0.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect()
    }
}

fn query(text: &str) -> Pairs<'_> {
    let plain = |text| -> Cow<'_, str> {
        let Some(at) = memchr::memchr2(b'+', b'%', str::as_bytes(text)) else { return Cow::Borrowed(text) };
        let spaced = [&text[..at], &text[at..].replace('+', " ")].concat();
        Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
    };
    let pieces = text.split('&').filter(|piece| !piece.is_empty());
    pieces
        .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
        .map(|(n, v)| (plain(n), plain(v)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_and_the_last_of_a_name_counts() {
        let text = "a=1&b=x+y&a=%32&c&=d&%zz=%ff";
        let shown = query(text);
        let shown: Vec<(&str, &str)> = shown.iter().map(|(n, v)| (&**n, &**v)).collect();
        assert_eq!(shown, [("a", "1"), ("b", "x y"), ("a", "2"), ("c", ""), ("", "d"), ("%zz", "\u{fffd}")]);
        let members = Query { text, read: OnceCell::new() };
        assert!(members.read.get().is_none(), "nobody asked yet");
        let last = |name| match members.get(name) {
            Some(Member::Text(text)) => Some(text.into_owned()),
            _ => None,
        };
        assert_eq!((last("a").as_deref(), last("b").as_deref(), last("A")), (Some("2"), Some("x y"), None));
        assert_eq!(members.names(), ["a", "b", "c", "", "%zz"]);
        assert_eq!(members.values("a", Letters::Exact), ["1", "2"]);
    }

    #[test]
    fn headers_are_found_in_the_clients_letters() {
        let request = http::Request::get("/").header("x-odd", "1").header("x-odd", "2").header("accept", "a");
        let (head, ()) = request.body(()).expect("a request").into_parts();
        let raw_head = b"GET / HTTP/1.1\r\nX-ODD: 1\r\nX-ODD: 2\r\naccept: a\r\n\r\n";
        let peer = crate::Peer { source: "192.0.2.1", port: 80, scheme: "http", raw_head, timer: None };
        let target = crate::Target::parse("localhost", "/_aws/execute-api/abc/prod/").expect("an API's");
        let arrival = Arrival::new(target, &head, peer, None);
        let headers = Headers(&arrival);
        let got = |name| matches!(headers.get(name), Some(Member::Text(text)) if text == "2" || text == "a");
        let found = ["X-ODD", "x-odd", "X-Odd", "accept", "Accept", "x-no"].map(got);
        assert_eq!(found, [true, false, false, true, false, false]);
        assert_eq!(headers.names(), ["X-ODD", "accept"]);
        assert_eq!(headers.values("X-ODD", Letters::Exact), ["1", "2"]);
        assert!(headers.values("x-odd", Letters::Exact).is_empty());
    }

    #[test]
    fn an_answers_headers_are_found_in_any_letters() {
        let mut headers = http::HeaderMap::new();
        headers.append("x-one", http::HeaderValue::from_static("1"));
        headers.append("x-one", http::HeaderValue::from_static("2"));
        let answered = Answered(&headers);
        assert_eq!(answered.values("X-One", Letters::Any), ["1", "2"]);
        assert!(matches!(answered.get("X-ONE"), Some(Member::Text(text)) if text == "2"));
        assert!(answered.get("no header's name").is_none());
        assert_eq!(answered.names(), ["x-one"]);
    }
}
