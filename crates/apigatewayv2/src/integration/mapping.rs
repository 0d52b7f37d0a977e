//! Parameter mappings as far as they can be told wrong when they are written.

use std::collections::BTreeMap;

use pitbird_records::Texts;

use crate::{Error, api};

/// Headers that no mapping may touch; those that begin so, and those that are so. Source: API Gateway developer guide,
/// "Transforming API requests and responses".
const RESERVED_PREFIXES: [&str; 4] = ["access-control-", "apigw-", "x-amz-", "x-amzn-"];
const RESERVED: [&str; 20] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-location",
    "forwarded",
    "keep-alive",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "via",
    "host",
    "expect",
];

pub fn check_request(parameters: &Texts) -> Result<(), Error> {
    parameters.iter().try_for_each(|(key, value)| {
        let refused = || Error::Mapping(key.clone());
        let (action, place) = key.split_once(':').ok_or_else(refused)?;
        match (action, place.split_once('.')) {
            ("append" | "overwrite" | "remove", Some(("header", name))) => {
                check_header(name).ok_or_else(refused)?
            }
            ("append" | "overwrite" | "remove", Some(("querystring", name))) if !name.is_empty() => {}
            ("overwrite", None) if place == "path" => {}
            _ => return Err(refused()),
        }
        check_value(value, "$request.")
    })
}

pub fn check_response(by_status: &BTreeMap<String, Texts>) -> Result<(), Error> {
    for (status, parameters) in by_status {
        let number: Option<u16> = status.parse().ok();
        if !number.is_some_and(|number| (200..=599).contains(&number)) {
            return Err(Error::Mapping(status.clone()));
        }
        for (key, value) in parameters {
            let refused = || Error::Mapping(key.clone());
            let (action, place) = key.split_once(':').ok_or_else(refused)?;
            match (action, place.split_once('.')) {
                ("append" | "overwrite" | "remove", Some(("header", name))) => {
                    check_header(name).ok_or_else(refused)?;
                }
                ("overwrite", None) if place == "statuscode" => {}
                _ => return Err(refused()),
            }
            check_value(value, "$response.")?;
        }
    }
    Ok(())
}

fn check_header(name: &str) -> Option<()> {
    let name = name.to_ascii_lowercase();
    let is_reserved =
        RESERVED.contains(&name.as_str()) || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    (!name.is_empty() && name.bytes().all(api::is_token) && !is_reserved).then_some(())
}

/// A value is plain text, one variable, or text with `${…}` in it.
fn check_value(value: &str, own: &str) -> Result<(), Error> {
    let refused = || Error::Mapping(value.to_owned());
    if value.starts_with('$') && !value.starts_with("${") {
        return is_variable(value, own).then_some(()).ok_or_else(refused);
    }
    let mut rest = value;
    while let Some((_, after)) = rest.split_once("${") {
        let (name, tail) = after.split_once('}').ok_or_else(refused)?;
        let name = if name.starts_with('$') { name.to_owned() } else { format!("${name}") };
        is_variable(&name, own).then_some(()).ok_or_else(refused)?;
        rest = tail;
    }
    Ok(())
}

fn is_variable(text: &str, own: &str) -> bool {
    let named = |prefix: &str| text.strip_prefix(prefix).is_some_and(|name| !name.is_empty());
    if named("$context.") || named("$stageVariables.") {
        return true;
    }
    let Some(rest) = text.strip_prefix(own) else { return false };
    let body = rest == "body"
        || rest.strip_prefix("body.").is_some_and(|path| !rest.contains("..") && !path.contains('?'));
    let header = rest.strip_prefix("header.").is_some_and(|name| !name.is_empty());
    let of_request = own == "$request."
        && (rest == "path"
            || ["path.", "querystring."]
                .iter()
                .any(|it| rest.strip_prefix(it).is_some_and(|name| !name.is_empty())));
    body || header || of_request
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(key: &str, value: &str) -> Texts {
        [(key.to_owned(), value.to_owned())].into()
    }

    #[test]
    fn requests_change_headers_the_query_and_the_path() {
        for (key, value) in [
            ("append:header.x-a", "$request.header.b"),
            ("overwrite:header.x-a", "a ${request.path.id} ${context.requestId}"),
            ("remove:querystring.q", "''"),
            ("overwrite:path", "$request.path"),
            ("overwrite:querystring.q", "$request.body.a.b"),
            ("overwrite:querystring.q", "$stageVariables.v"),
        ] {
            assert!(check_request(&one(key, value)).is_ok(), "{key} {value}");
        }
        for (key, value) in [
            ("x-a", "b"),
            ("append:path", "b"),
            ("append:header.", "b"),
            ("append:header.Authorization", "b"),
            ("append:header.X-Amz-Date", "b"),
            ("append:header.access-control-allow-origin", "b"),
            ("overwrite:statuscode", "200"),
            ("append:header.x-a", "$response.header.b"),
            ("append:header.x-a", "$request.body..b"),
            ("append:header.x-a", "$nothing"),
            ("append:header.x-a", "${request.header.b"),
        ] {
            assert!(check_request(&one(key, value)).is_err(), "{key} {value}");
        }
    }

    #[test]
    fn responses_change_headers_and_the_status() {
        let by = |status: &str, key: &str, value: &str| {
            check_response(&[(status.to_owned(), one(key, value))].into())
        };
        assert!(by("200", "overwrite:statuscode", "403").is_ok());
        assert!(by("500", "append:header.x-a", "$response.body.message").is_ok());
        for (status, key, value) in [
            ("199", "overwrite:statuscode", "403"),
            ("x", "overwrite:statuscode", "403"),
            ("200", "overwrite:path", "/a"),
            ("200", "append:querystring.q", "a"),
            ("200", "append:header.x-a", "$request.header.b"),
        ] {
            assert!(by(status, key, value).is_err(), "{status} {key} {value}");
        }
    }
}
