/// A message's fields, at most `limit` of them, the last then being all that is left. What stands between brackets or
/// quotes is one field, without them.
pub fn split(message: &str, limit: usize) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = message.trim();
    while !rest.is_empty() && fields.len() < limit {
        let (field, after) = first(rest);
        if fields.len() + 1 == limit && !after.is_empty() {
            fields.push(rest);
            break;
        }
        fields.push(field);
        rest = after;
    }
    fields
}

/// The first field and what follows it.
fn first(text: &str) -> (&str, &str) {
    let closing = match text.as_bytes().first() {
        Some(b'"') => closing_quote(text),
        Some(b'[') => text.find(']'),
        _ => None,
    };
    // Without an end it is a field like any other.
    if let Some(end) = closing {
        return (&text[1..end], text[end + 1..].trim_start());
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

/// The quote that ends a field; one after a backslash doesn't.
fn closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().enumerate().skip(1).find_map(|(place, byte)| {
        let closes = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        closes.then_some(place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_quotes_hold_a_field_together() {
        let line = r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /a.html \"x\"" 404 1534"#;
        let fields =
            ["127.0.0.1", "-", "frank", "10/Oct/2000:13:25:15 -0700", r#"GET /a.html \"x\""#, "404", "1534"];
        assert_eq!(split(line, usize::MAX), fields);
        assert_eq!(split(line, 7), fields);
        assert_eq!(split("2025Z\tid\t{\"a\": 1}\n", 3), ["2025Z", "id", "{\"a\": 1}"]);
        assert_eq!(split("ERROR 12:00 Failed to do it", 2), ["ERROR", "12:00 Failed to do it"]);
        assert_eq!(split("[open \"open", usize::MAX), ["[open", "\"open"]);
        assert_eq!(split("  ", 3), [""; 0]);
    }
}
