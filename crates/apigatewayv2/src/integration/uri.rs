//! Where an integration leads: a function, by its ARN or within an invocation's path, or a URL.

use pitbird_names::{FunctionRef, arn};

use crate::Error;

/// Checks the URI of an integration or an authorizer that is a function: `arn:aws:lambda:…:function:…` or
/// `arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations`. Any part of the function's name and
/// qualifier may be a `${stageVariables.NAME}`.
pub fn check_function(uri: &str) -> Result<(), Error> {
    let filled = with_variables_filled(uri).ok_or(Error::IntegrationUri)?;
    let parts = arn::parse(&filled).ok_or(Error::IntegrationUri)?;
    let function = match parts.service {
        "lambda" => Some(filled.as_str()),
        // In these ARNs the invoked service stands where others have the account.
        "apigateway" if parts.account == "lambda" => {
            let path = parts.resource.strip_prefix("path/2015-03-31/functions/");
            path.and_then(|path| path.strip_suffix("/invocations"))
        }
        _ => None,
    };
    let known = function.and_then(|function| FunctionRef::parse(function).ok());
    known.map(|_| ()).ok_or(Error::IntegrationUri)
}

/// Is the URI one of an HTTP endpoint (its host may be a stage variable)?
pub fn is_http(uri: &str) -> bool {
    let host = ["http://", "https://"].iter().find_map(|scheme| uri.strip_prefix(scheme));
    host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
}

/// The text with each `${stageVariables.NAME}` replaced by a name; `None` when one has no name or no end.
fn with_variables_filled(text: &str) -> Option<String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${stageVariables.") {
        let (name, tail) = after.split_once('}')?;
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        filled.push_str(is_name.then_some(before)?);
        filled.push('x');
        rest = tail;
    }
    filled.push_str(rest);
    Some(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_have_two_forms() {
        let path = |function: &str| {
            format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations")
        };
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
        for uri in [
            arn.to_owned(),
            format!("{arn}:live"),
            format!("{arn}:${{stageVariables.alias}}"),
            path(arn),
            path(&format!("{arn}-${{stageVariables.a_1}}:${{stageVariables.b}}")),
        ] {
            assert!(check_function(&uri).is_ok(), "{uri}");
        }
        for uri in [
            "".to_owned(),
            "f".to_owned(),
            "https://example.com".to_owned(),
            "arn:aws:s3:::bucket".to_owned(),
            "arn:aws:apigateway:us-east-1:sqs:path/000000000000/queue".to_owned(),
            format!("{arn}:${{stageVariables.}}"),
            format!("{arn}:${{stageVariables.a"),
            path("f f"),
            path(""),
        ] {
            assert!(check_function(&uri).is_err(), "{uri}");
        }
    }
}
