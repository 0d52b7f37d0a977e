//! How API Gateway's logs write maps, headers, bodies and secrets.

use std::fmt::Write;

/// `{name=value, other=value}`.
pub(crate) fn map(
    pairs: impl IntoIterator<Item = (impl std::fmt::Display, impl std::fmt::Display)>,
) -> String {
    let mut text = "{".to_owned();
    for (at, (name, value)) in pairs.into_iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        write!(text, "{comma}{name}={value}").expect("a String takes all text");
    }
    text.push('}');
    text
}

/// Characters of a secret that are shown, its last ones.
const SHOWN: usize = 6;

/// A secret as logs show it: but for its last six characters stars; of one that has no more nothing is shown.
pub(crate) fn masked(secret: &str) -> String {
    let count = secret.chars().count();
    let hidden = if count > SHOWN { count - SHOWN } else { count };
    let shown = secret.chars().skip(hidden);
    std::iter::repeat_n('*', hidden).chain(shown).collect()
}

/// Stars before what is shown of an API key, whatever its length: those that API Gateway makes have 40 characters.
const KEY_STARS: usize = 34;

/// An API key as logs show it.
pub(crate) fn masked_key(key: &str) -> String {
    let from = key.char_indices().rev().nth(SHOWN - 1).map_or(0, |(at, _)| at);
    ["*".repeat(KEY_STARS).as_str(), &key[from..]].concat()
}

/// Headers by the names that they are shown under, those of one name together.
pub(crate) fn headers<'h>(
    headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    shown: impl Fn(&str) -> String,
) -> String {
    let mut joined: Vec<(String, String)> = Vec::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value);
        let value = match name {
            name if name.eq_ignore_ascii_case("x-api-key") => masked_key(&value),
            name if is_secret(name) => masked(&value),
            _ => value.into_owned(),
        };
        match joined.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, values)) => values.extend([",", value.as_str()]),
            None => joined.push((shown(name), value)),
        }
    }
    map(joined)
}

/// Source: API Gateway developer guide, "Set up CloudWatch logging for REST APIs": authorization headers, API keys "and similar
/// sensitive request parameters" are redacted.
fn is_secret(name: &str) -> bool {
    const SECRET: [&str; 3] = ["authorization", "proxy-authorization", "x-amz-security-token"];
    SECRET.iter().any(|secret| secret.eq_ignore_ascii_case(name))
}

/// A body, or what stands for one that is no text.
pub(crate) fn body(body: &[u8]) -> &str {
    // More than is ever shown needn't be read; but where it is cut a character may be.
    let seen = &body[..body.len().min(4 * super::LINE_CHARACTERS_MAX + 4)];
    match std::str::from_utf8(seen) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && seen.len() < body.len() => {
            std::str::from_utf8(&seen[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => "[Binary Data]",
    }
}

/// The usual spelling of a header's name: each word's first letter in upper case.
pub(crate) fn usual_spelling(name: &str) -> String {
    const OWN: [&str; 5] = [
        "x-amz-apigw-id",
        "x-amzn-ErrorType",
        "x-amzn-RequestId",
        "x-amzn-apigateway-api-id",
        "x-amzn-lambda-integration-tag",
    ];
    if let Some(own) = OWN.iter().find(|own| own.eq_ignore_ascii_case(name)) {
        return (*own).to_owned();
    }
    let mut is_first = true;
    let letter = |letter: char| {
        let shown = if is_first { letter.to_ascii_uppercase() } else { letter };
        is_first = letter == '-';
        shown
    };
    name.chars().map(letter).collect()
}
