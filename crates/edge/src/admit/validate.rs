use std::borrow::Cow;

use http::header::CONTENT_TYPE;
use pitbird_snapshot::{ParameterPlace, RequiredParameter};

use crate::GatewayError;
use crate::arrival::Arrival;
use crate::exchanged::header_spelled;
use crate::routed::Routed;

/// What the request itself must be: its parameters first, then its body.
pub(crate) fn validate(
    routed: &Routed<'_, '_>,
    arrival: &Arrival<'_>,
    body: &[u8],
) -> Result<(), GatewayError> {
    let Some(validation) = &routed.method.validation else { return Ok(()) };
    let missing = validation.required.iter().filter(|parameter| !brings(routed, arrival, parameter));
    let missing: Vec<String> = missing.map(|parameter| parameter.name.clone()).collect();
    if !missing.is_empty() {
        return Err(GatewayError::MissingParameters(missing));
    }
    validation.check_body(arrival.header(CONTENT_TYPE), body).map_err(GatewayError::InvalidBody)
}

fn brings(routed: &Routed<'_, '_>, arrival: &Arrival<'_>, parameter: &RequiredParameter) -> bool {
    let value = match parameter.place {
        ParameterPlace::Header => header_spelled(arrival, &parameter.name).map(Cow::Borrowed),
        ParameterPlace::Path => capture(routed, &parameter.name).map(Cow::Borrowed),
        ParameterPlace::Query => query_parameter(arrival.query(), &parameter.name),
    };
    value.is_some_and(|value| !value.trim().is_empty())
}

/// What stands in the path in a variable's place.
pub(crate) fn capture<'a>(routed: &Routed<'_, 'a>, name: &str) -> Option<&'a str> {
    routed.matched.captures().find(|(of, _)| *of == name).map(|(_, value)| value)
}

/// The last value of a query string's parameter.
pub(crate) fn query_parameter<'q>(query: &'q str, name: &str) -> Option<Cow<'q, str>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.rfind(|(of, _)| decoded(of) == name).map(|(_, value)| decoded(value))
}

/// `+` is a space, `%XX` a byte; bytes that are no UTF-8 become U+FFFD.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['+', '%']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_querys_last_value_counts() {
        for (query, name, value) in [
            ("a=1&a=2", "a", Some("2")),
            ("a+b=%C3%A9+x", "a b", Some("é x")),
            ("a", "a", Some("")),
            ("&&b=1", "a", None),
            ("A=1", "a", None),
        ] {
            assert_eq!(query_parameter(query, name).as_deref(), value, "{query}");
        }
    }
}
