use crate::reply::{Answer, Header, Malformed, is_token};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use std::borrow::Cow;

/// Turns a function's output into an answer by payload format 2.0: an object with a `statusCode` says what the answer is, any
/// other JSON is the body itself, a string without its quotes. `content_type` is for those that don't name theirs. Header
/// names come out in lower case; each cookie is a `set-cookie` of its own.
pub fn http_reply(payload: &Bytes, content_type: &'static str) -> Result<Answer<'static>, Malformed> {
    let output: Value =
        serde_json::from_slice(payload).map_err(|error| Malformed::Shape(error.to_string()))?;
    match output {
        Value::Object(mut members) if members.contains_key("statusCode") => {
            members.remove("multiValueHeaders");
            said(members, content_type)
        }
        Value::String(text) => Ok(inferred(Bytes::from(text))),
        _ => Ok(inferred(payload.clone())),
    }
}

/// Turns a function's output into an answer by payload format 1.0, as HTTP APIs have it: an object that says a status, and else
/// it is none. Unlike behind a REST API a body that is marked as base64 is always decoded.
pub fn http_reply_1(payload: &Bytes, content_type: &'static str) -> Result<Answer<'static>, Malformed> {
    let output: Value =
        serde_json::from_slice(payload).map_err(|error| Malformed::Shape(error.to_string()))?;
    let Value::Object(mut members) = output else {
        return Err(Malformed::Shape("the output is no object".to_owned()));
    };
    if !members.contains_key("statusCode") {
        return Err(Malformed::Shape("there is no statusCode".to_owned()));
    }
    members.remove("cookies");
    said(members, content_type)
}

/// What ends the text before a streamed answer's body.
pub const PRELUDE_END: [u8; 8] = [0; 8];

/// The head of a streamed answer: the JSON that stands before its body, up to [`PRELUDE_END`]. Its own body is empty;
/// without a `statusCode` it is 200.
pub fn stream_prelude(json: &[u8], content_type: &'static str) -> Result<Answer<'static>, Malformed> {
    let mut members = prelude_members(json)?;
    members.remove("multiValueHeaders");
    said(members, content_type)
}

/// The same of a REST API, which takes headers of several values too: a name among them is none of the single ones. Source: API Gateway
/// developer guide, "Set up a Lambda proxy integration with payload response streaming".
pub fn rest_stream_prelude(json: &[u8]) -> Result<Answer<'static>, Malformed> {
    said(prelude_members(json)?, "application/json")
}

fn prelude_members(json: &[u8]) -> Result<serde_json::Map<String, Value>, Malformed> {
    let parsed = serde_json::from_slice(json);
    let mut members: serde_json::Map<String, Value> =
        parsed.map_err(|error| Malformed::Shape(error.to_string()))?;
    members.remove("body");
    members.entry("statusCode").or_insert(Value::from(200));
    Ok(members)
}

fn inferred(body: Bytes) -> Answer<'static> {
    let headers = vec![(Cow::Borrowed("content-type"), Cow::Borrowed("application/json"))];
    Answer { status: 200, headers, body }
}

fn said(
    mut members: serde_json::Map<String, Value>,
    content_type: &'static str,
) -> Result<Answer<'static>, Malformed> {
    let status = match &members["statusCode"] {
        Value::Number(status) => status.as_i64(),
        Value::String(status) => status.parse().ok(),
        _ => None,
    };
    let status = status.ok_or_else(|| Malformed::Shape("statusCode is no number".to_owned()))?;
    let status = u16::try_from(status).ok().filter(|status| (200..=599).contains(status));
    let status = status.ok_or_else(|| Malformed::Shape("statusCode is not from 200 to 599".to_owned()))?;
    let is_base64 = members.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or(false);
    let body = match members.remove("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) if is_base64 => {
            Bytes::from(STANDARD.decode(text).map_err(|_| Malformed::Base64)?)
        }
        Some(Value::String(text)) => Bytes::from(text),
        Some(_) => return Err(Malformed::Shape("body is no string".to_owned())),
    };
    let mut headers = Vec::new();
    if let Some(Value::Object(given)) = members.remove("headers") {
        for (name, value) in given {
            push(&mut headers, name.to_ascii_lowercase(), text(value)?)?;
        }
    }
    if let Some(Value::Object(given)) = members.remove("multiValueHeaders") {
        for (name, values) in given {
            let name = name.to_ascii_lowercase();
            headers.retain(|(known, _)| *known != name);
            let Value::Array(values) = values else {
                return Err(Malformed::Shape("a header's values are no list".to_owned()));
            };
            for value in values {
                push(&mut headers, name.clone(), text(value)?)?;
            }
        }
    }
    if let Some(Value::Array(cookies)) = members.remove("cookies") {
        for cookie in cookies {
            push(&mut headers, "set-cookie".to_owned(), text(cookie)?)?;
        }
    }
    if !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push((Cow::Borrowed("content-type"), Cow::Borrowed(content_type)));
    }
    Ok(Answer { status, headers, body })
}

/// Lengths and framing are ours to say.
const OWN: [&str; 3] = ["content-length", "transfer-encoding", "connection"];

fn push(headers: &mut Vec<Header<'static>>, name: String, value: String) -> Result<(), Malformed> {
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err(Malformed::HeaderName(name));
    }
    if value.bytes().any(|byte| byte < b' ' && byte != b'\t' || byte == 0x7f) {
        return Err(Malformed::HeaderValue(name));
    }
    if headers.len() >= crate::reply::ANSWER_HEADERS_MAX {
        return Err(Malformed::Shape("too many headers".to_owned()));
    }
    if !OWN.contains(&name.as_str()) {
        headers.push((Cow::Owned(name), Cow::Owned(value)));
    }
    Ok(())
}

fn text(value: Value) -> Result<String, Malformed> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(is_so) => Ok(is_so.to_string()),
        _ => Err(Malformed::Shape("a header's value is no text".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Status, headers and body.
    type Told = (u16, Vec<(String, String)>, String);

    fn reply(payload: &str) -> Result<Told, Malformed> {
        let answer = http_reply(&Bytes::from(payload.to_owned()), "text/plain")?;
        let headers = answer.headers.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned()));
        let body = String::from_utf8(answer.body.to_vec()).expect("text");
        Ok((answer.status, headers.collect(), body))
    }

    fn json(body: &str) -> Told {
        (200, vec![("content-type".to_owned(), "application/json".to_owned())], body.to_owned())
    }

    #[test]
    fn json_without_a_status_is_the_body() {
        for (payload, body) in [
            (r#"{"a": 1}"#, r#"{"a": 1}"#),
            ("[1]", "[1]"),
            ("null", "null"),
            (r#""plain \"words\"""#, r#"plain "words""#),
        ] {
            assert_eq!(reply(payload).expect(payload), json(body));
        }
    }

    #[test]
    fn a_stream_says_its_head_first() {
        let said = |json: &str| stream_prelude(json.as_bytes(), "text/plain");
        let head = said(r#"{"headers":{"X-A":"b"},"cookies":["c=1"],"body":"none"}"#).expect("a head");
        assert_eq!((head.status, head.body.len(), head.headers.len()), (200, 0, 3));
        assert_eq!(said(r#"{"statusCode":404}"#).expect("a head").status, 404);
        for json in ["", "[]", "7", r#"{"statusCode":99}"#, r#"{"headers":{"a b":"c"}}"#] {
            assert!(said(json).is_err(), "{json}");
            assert!(rest_stream_prelude(json.as_bytes()).is_err(), "{json}");
        }
        let multi =
            r#"{"headers":{"X-A":"1","X-B":"2"},"multiValueHeaders":{"x-a":["3","4"]},"cookies":["c=1"]}"#;
        let names = |head: &Answer<'_>| {
            let mut pairs: Vec<_> =
                head.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            pairs.sort();
            pairs
        };
        let rest = rest_stream_prelude(multi.as_bytes()).expect("a head");
        let usual = "content-type: application/json";
        assert_eq!(names(&rest), [usual, "set-cookie: c=1", "x-a: 3", "x-a: 4", "x-b: 2"]);
        let url = said(multi).expect("a head");
        assert_eq!(names(&url), ["content-type: text/plain", "set-cookie: c=1", "x-a: 1", "x-b: 2"]);
    }

    #[test]
    fn a_status_says_what_the_rest_is() {
        let payload = r#"{"statusCode": "201", "headers": {"X-Count": 3, "Content-Length": "9", "X-So": true},
            "cookies": ["a=1; Secure", "b=2"], "body": "aGk=", "isBase64Encoded": true}"#;
        let (status, headers, body) = reply(payload).expect("an answer");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!((status, body.as_str()), (201, "hi"));
        let expected = [
            pair("x-count", "3"),
            pair("x-so", "true"),
            pair("set-cookie", "a=1; Secure"),
            pair("set-cookie", "b=2"),
            pair("content-type", "text/plain"),
        ];
        assert_eq!(headers, expected);
    }

    #[test]
    fn what_is_no_answer_is_said_to_be_none() {
        for payload in [
            "no JSON",
            r#"{"statusCode": 99}"#,
            r#"{"statusCode": []}"#,
            r#"{"statusCode": 200, "body": {}}"#,
            r#"{"statusCode": 200, "headers": {"a b": "c"}}"#,
            r#"{"statusCode": 200, "headers": {"a": "b\nc"}}"#,
            r#"{"statusCode": 200, "headers": {"a": []}}"#,
            r#"{"statusCode": 200, "body": "?", "isBase64Encoded": true}"#,
        ] {
            assert!(reply(payload).is_err(), "{payload}");
        }
    }

    #[test]
    fn the_first_format_says_a_status_or_is_none() {
        let run = |payload: &str| http_reply_1(&Bytes::copy_from_slice(payload.as_bytes()), "text/plain");
        let answer = run(
            r#"{"statusCode":201,"headers":{"X-A":"1","X-B":"2"},"multiValueHeaders":{"x-a":["3","4"]},"body":"aGk=",
                "isBase64Encoded":true}"#,
        );
        let answer = answer.expect("an answer");
        assert_eq!((answer.status, &answer.body[..]), (201, &b"hi"[..]));
        let mut headers: Vec<String> =
            answer.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        headers.sort();
        assert_eq!(headers, ["content-type: text/plain", "x-a: 3", "x-a: 4", "x-b: 2"]);
        for payload in ["{}", "\"text\"", "[]", r#"{"body":"x"}"#, r#"{"statusCode":"x"}"#, ""] {
            assert!(run(payload).is_err(), "{payload}");
        }
    }
}
