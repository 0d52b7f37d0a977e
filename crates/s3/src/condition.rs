//! What must hold of an object for a call to go on (RFC 9110 §13).

use pitbird_records::Object;

use crate::Error;

/// Conditions of a call. Times in seconds since 1970.
#[derive(Debug, Default)]
pub struct Conditions {
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
    pub if_modified_since: Option<f64>,
    pub if_unmodified_since: Option<f64>,
}

/// Does one of `"a", "b"` or `*` mean this ETag?
fn is_meant(header: &str, etag: &str) -> bool {
    header.split(',').map(str::trim).any(|given| {
        let given = given.strip_prefix("W/").unwrap_or(given).trim_matches('"');
        given == "*" || given == etag
    })
}

impl Conditions {
    /// May the object be read? A match beats the times.
    pub fn check_read(&self, object: &Object) -> Result<(), Error> {
        let modified_s = object.modified_ms.div_euclid(1000) as f64;
        match (&self.if_match, self.if_unmodified_since) {
            (Some(header), _) if !is_meant(header, &object.etag) => {
                return Err(Error::Precondition("If-Match"));
            }
            (None, Some(since)) if modified_s > since => {
                return Err(Error::Precondition("If-Unmodified-Since"));
            }
            _ => {}
        }
        match (&self.if_none_match, self.if_modified_since) {
            (Some(header), _) if is_meant(header, &object.etag) => Err(Error::NotModified),
            (None, Some(since)) if modified_s <= since => Err(Error::NotModified),
            _ => Ok(()),
        }
    }

    /// May the object be taken as a source? Nothing is "not modified" then.
    pub fn check_source(&self, object: &Object) -> Result<(), Error> {
        self.check_read(object).map_err(|error| match error {
            Error::NotModified if self.if_none_match.is_some() => {
                Error::Precondition("x-amz-copy-source-If-None-Match")
            }
            Error::NotModified => Error::Precondition("x-amz-copy-source-If-Modified-Since"),
            other => other,
        })
    }

    /// May what is there under this key, if anything, be replaced?
    pub fn check_write(&self, key: &str, there: Option<&Object>) -> Result<(), Error> {
        match (&self.if_match, there) {
            (Some(_), None) => return Err(Error::NoSuchKey(key.to_owned())),
            (Some(header), Some(object)) if !is_meant(header, &object.etag) => {
                return Err(Error::Precondition("If-Match"));
            }
            _ => {}
        }
        match (&self.if_none_match, there) {
            (Some(header), Some(object)) if is_meant(header, &object.etag) => {
                Err(Error::Precondition("If-None-Match"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use pitbird_records::object::{Checksum, Content};

    use super::*;

    fn object() -> Object {
        Object {
            bucket: "b".into(),
            key: "k".into(),
            content: Content { sha256_hex: String::new(), size_bytes: 0 },
            description: Default::default(),
            etag: "aa".into(),
            modified_ms: 100_900,
            checksum: Checksum { algorithm: String::new(), value: String::new(), is_composite: false },
            part_sizes: Vec::new(),
        }
    }

    fn conditions(names: [Option<&str>; 2], times: [Option<f64>; 2]) -> Conditions {
        let [if_match, if_none_match] = names.map(|name| name.map(str::to_owned));
        let [if_modified_since, if_unmodified_since] = times;
        Conditions { if_match, if_none_match, if_modified_since, if_unmodified_since }
    }

    #[test]
    fn reads_are_judged_in_the_order_of_the_rfc() {
        for (names, times, expected) in [
            ([None, None], [None, None], "ok"),
            ([Some("\"aa\""), None], [None, Some(1.0)], "ok"),
            ([Some("\"bb\", W/\"aa\""), None], [None, None], "ok"),
            ([Some("*"), None], [None, None], "ok"),
            ([Some("bb"), None], [None, None], "If-Match"),
            ([None, None], [None, Some(99.0)], "If-Unmodified-Since"),
            ([None, None], [None, Some(100.0)], "ok"),
            ([None, Some("aa")], [None, None], "304"),
            ([None, Some("bb")], [Some(200.0), None], "ok"),
            ([None, None], [Some(100.0), None], "304"),
            ([None, None], [Some(99.0), None], "ok"),
        ] {
            let seen = match conditions(names, times).check_read(&object()) {
                Ok(()) => "ok",
                Err(Error::NotModified) => "304",
                Err(Error::Precondition(name)) => name,
                Err(other) => panic!("{other}"),
            };
            assert_eq!(seen, expected, "{names:?} {times:?}");
        }
    }

    #[test]
    fn a_write_may_ask_for_nothing_or_for_what_is_there() {
        let none_match = |header| conditions([None, Some(header)], [None, None]);
        let if_match = |header| conditions([Some(header), None], [None, None]);
        let there = object();
        assert!(none_match("*").check_write("k", None).is_ok());
        assert!(none_match("*").check_write("k", Some(&there)).is_err());
        assert!(if_match("\"aa\"").check_write("k", Some(&there)).is_ok());
        assert!(if_match("bb").check_write("k", Some(&there)).is_err());
        assert!(matches!(if_match("aa").check_write("k", None), Err(Error::NoSuchKey(_))));
    }
}
