use serde_json::{Map, Value};

/// What a verified token says.
#[derive(Debug, Clone, PartialEq)]
pub struct Claims(pub(crate) Map<String, Value>);

impl Claims {
    /// Every claim as text, as events and logs have it: a list is `[a b]`, an object `map[a:b]`.
    pub fn texts(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(|(name, value)| (name.as_str(), text(value)))
    }

    /// Every claim as the token has it.
    pub fn values(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// One claim as text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(text)
    }

    /// The scopes that the token was given: `scope`, a text with spaces, or `scp`, a text or a list.
    pub fn scopes(&self) -> Vec<&str> {
        let claim = self.0.get("scope").or_else(|| self.0.get("scp"));
        match claim {
            Some(Value::String(text)) => text.split_ascii_whitespace().collect(),
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Of the scopes that are asked for, those that the token was given.
    pub fn scopes_of<'s>(&self, asked: &'s [String]) -> Vec<&'s str> {
        let given = self.scopes();
        asked.iter().map(String::as_str).filter(|scope| given.contains(scope)).collect()
    }
}

fn text(value: &Value) -> String {
    let joined = |texts: Vec<String>| texts.join(" ");
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(is_so) => is_so.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", joined(items.iter().map(text).collect())),
        Value::Object(members) => {
            let mut members: Vec<String> =
                members.iter().map(|(name, value)| format!("{name}:{}", text(value))).collect();
            members.sort();
            format!("map[{}]", joined(members))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(json: &str) -> Claims {
        Claims(serde_json::from_str(json).expect("an object"))
    }

    #[test]
    fn claims_are_texts() {
        let claims = claims(r#"{"a":"b","n":1583798639,"t":true,"l":["x","y",1],"o":{"k":"v","j":[2]}}"#);
        for (name, expected) in
            [("a", "b"), ("n", "1583798639"), ("t", "true"), ("l", "[x y 1]"), ("o", "map[j:[2] k:v]")]
        {
            assert_eq!(claims.text(name).as_deref(), Some(expected));
        }
        assert_eq!((claims.text("none"), claims.texts().count()), (None, 5));
    }

    #[test]
    fn scopes_have_three_forms() {
        let asked = ["write".to_owned(), "read".to_owned()];
        for json in [r#"{"scope":"read  other"}"#, r#"{"scp":["read","other"]}"#, r#"{"scp":"other read"}"#] {
            assert_eq!(claims(json).scopes_of(&asked), ["read"], "{json}");
        }
        assert!(claims(r#"{"scope":7}"#).scopes_of(&asked).is_empty());
    }
}
