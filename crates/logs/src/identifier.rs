//! How callers name a log group: by its name or by its ARN.

use pitbird_names::{Scope, arn};

use crate::Error;

/// The group that a call means, of which it must give the name or an identifier and not both.
pub fn one_of(name: Option<String>, identifier: Option<String>, scope: &Scope) -> Result<String, Error> {
    match (name, identifier) {
        (Some(name), None) => Ok(name),
        (None, Some(identifier)) => parse(&identifier, scope),
        _ => Err(Error::NameOrIdentifier),
    }
}

/// Reads a name or `arn:aws:logs:{region}:{account}:log-group:{name}`, without `:*` at its end.
pub fn parse(text: &str, scope: &Scope) -> Result<String, Error> {
    if !text.starts_with("arn:") {
        let fits = is_name(text);
        return if fits { Ok(text.to_owned()) } else { Err(Error::Identifier(text.to_owned())) };
    }
    from_arn(text, scope)
}

/// Reads `arn:aws:logs:{region}:{account}:log-group:{name}`, the only way to name a group whose tags are meant.
pub fn from_arn(text: &str, scope: &Scope) -> Result<String, Error> {
    let malformed = || Error::Identifier(text.to_owned());
    let parts = arn::parse(text).ok_or_else(malformed)?;
    let name =
        parts.resource.strip_prefix("log-group:").filter(|name| is_name(name)).ok_or_else(malformed)?;
    if parts.service != "logs" {
        return Err(malformed());
    }
    // Other accounts' groups can't be seen from here.
    let is_own = parts.region == scope.region.as_str() && parts.account == scope.account.as_str();
    if is_own { Ok(name.to_owned()) } else { Err(Error::NoGroup) }
}

fn is_name(text: &str) -> bool {
    let fits = (1..=512).contains(&text.len());
    fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_/#".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_named_or_identified() {
        let scope = Scope::default();
        let one = |name: Option<&str>, identifier: Option<&str>| {
            one_of(name.map(str::to_owned), identifier.map(str::to_owned), &scope).ok()
        };
        let arn = "arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f";
        assert_eq!(one(Some("g"), None).as_deref(), Some("g"));
        assert_eq!(one(None, Some("/aws/lambda/f")).as_deref(), Some("/aws/lambda/f"));
        assert_eq!(one(None, Some(arn)).as_deref(), Some("/aws/lambda/f"));
        for (name, identifier) in [
            (None, None),
            (Some("g"), Some("g")),
            (None, Some("arn:aws:logs:us-east-1:000000000000:log-group:g:*")),
            (None, Some("arn:aws:logs:us-east-1:000000000000:destination:g")),
            (None, Some("arn:aws:lambda:us-east-1:000000000000:log-group:g")),
            (None, Some("arn:aws:logs:eu-west-1:000000000000:log-group:g")),
            (None, Some("arn:aws:logs:us-east-1:111111111111:log-group:g")),
            (None, Some("a b")),
            (None, Some("")),
        ] {
            assert_eq!(one(name, identifier), None, "{name:?} {identifier:?}");
        }
    }
}
