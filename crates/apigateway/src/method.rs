//! What a method and its responses may be, and how patches change them.

use std::collections::{BTreeMap, BTreeSet};

use pitbird_records::{Method, MethodResponse, Texts};

use crate::patch::{Op, Patch};
use crate::{Error, mapping};

/// The verbs that a method may have.
pub const VERBS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"];
/// The models that every API has from the start; others can't be made here yet.
const MODELS: [&str; 2] = ["Empty", "Error"];

pub fn check_verb(verb: &str) -> Result<(), Error> {
    if VERBS.contains(&verb) { Ok(()) } else { Err(Error::Verb) }
}

/// Checks a method as a whole. Who may call it can't be restricted here yet: whatever would do so is refused.
pub fn check(method: &Method) -> Result<(), Error> {
    match method.authorization_type.as_str() {
        "NONE" => {}
        "AWS_IAM" => return Err(Error::unsupported("authorizationType AWS_IAM")),
        // An authorizer can't be made yet, so none is valid.
        "CUSTOM" | "COGNITO_USER_POOLS" => return Err(Error::Authorizer),
        _ => return Err(Error::AuthorizationType),
    }
    if method.api_key_required {
        return Err(Error::unsupported("apiKeyRequired"));
    }
    if !method.authorization_scopes.is_empty() {
        return Err(Error::unsupported("authorizationScopes"));
    }
    if method.request_validator_id.is_some() {
        return Err(Error::RequestValidator);
    }
    check_models(&method.request_models)?;
    let mut names = BTreeSet::new();
    for parameter in method.request_parameters.keys() {
        if !names.insert(mapping::request_parameter(parameter)?) {
            return Err(Error::ParameterTwice);
        }
    }
    Ok(())
}

/// Checks a method response as a whole.
pub fn check_response(response: &MethodResponse) -> Result<(), Error> {
    check_models(&response.response_models)?;
    response.response_parameters.keys().try_for_each(|name| mapping::response_parameter(name).map(|_| ()))
}

/// Applies one patch operation to a method. [`check`] it after the last one.
pub fn apply(method: &mut Method, patch: &Patch<'_>) -> Result<(), Error> {
    let pieces = patch.pieces();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    match pieces.as_slice() {
        ["operationName"] => {
            patch.must_replace()?;
            method.operation_name = patch.text().map(str::to_owned);
        }
        ["apiKeyRequired"] => {
            patch.must_replace()?;
            method.api_key_required = patch.switch();
        }
        ["authorizationType"] => {
            patch.must_replace()?;
            patch.value.unwrap_or_default().clone_into(&mut method.authorization_type);
        }
        // A method that is open to all has no use for an authorizer; API Gateway drops its id without a word, too.
        ["authorizerId"] => patch.must_replace()?,
        ["requestValidatorId"] => {
            patch.must_replace()?;
            method.request_validator_id = patch.text().map(str::to_owned);
        }
        ["authorizationScopes"] => {
            patch.item(&mut method.authorization_scopes, patch.value.unwrap_or_default())?
        }
        ["requestParameters", name] => flag(&mut method.request_parameters, name, patch)?,
        ["requestModels", media] => model(&mut method.request_models, media, patch)?,
        _ => return Err(patch.bad_path()),
    }
    Ok(())
}

/// Applies one patch operation to a method response. [`check_response`] it after the last one.
pub fn apply_to_response(response: &mut MethodResponse, patch: &Patch<'_>) -> Result<(), Error> {
    let pieces = patch.pieces();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    match pieces.as_slice() {
        ["responseParameters", name] => flag(&mut response.response_parameters, name, patch),
        ["responseModels", media] => model(&mut response.response_models, media, patch),
        _ => Err(patch.bad_path()),
    }
}

fn flag(flags: &mut BTreeMap<String, bool>, name: &str, patch: &Patch<'_>) -> Result<(), Error> {
    let is_on = patch.switch();
    patch.entry(flags, name, |_| is_on, Error::UnknownParameter)
}

fn model(models: &mut Texts, media: &str, patch: &Patch<'_>) -> Result<(), Error> {
    if patch.op != Op::Remove {
        mapping::check_template(media, "")?;
    }
    patch.entry(models, media, str::to_owned, Error::UnknownContentType)
}

fn check_models(models: &Texts) -> Result<(), Error> {
    match models.values().find(|name| !MODELS.contains(&name.as_str())) {
        Some(unknown) => Err(Error::ModelName(unknown.clone())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> Method {
        Method { authorization_type: "NONE".to_owned(), ..Method::default() }
    }

    fn patched(op: Op, path: &str, value: Option<&str>) -> Result<Method, String> {
        let mut method = open();
        method.request_parameters.insert("method.request.header.a".to_owned(), false);
        let patch = Patch { op, path, value, from: None };
        apply(&mut method, &patch).and_then(|()| check(&method)).map_err(|error| error.to_string())?;
        Ok(method)
    }

    #[test]
    fn patches_reach_their_member() {
        let name = "/requestParameters/method.request.querystring.b";
        assert_eq!(patched(Op::Add, name, Some("true")).expect("added").request_parameters.len(), 2);
        let own = "/requestParameters/method.request.header.a";
        assert!(
            patched(Op::Replace, own, Some("true"))
                .expect("replaced")
                .request_parameters
                .values()
                .all(|on| *on)
        );
        assert!(patched(Op::Remove, own, None).expect("removed").request_parameters.is_empty());
        assert_eq!(
            patched(Op::Replace, "/operationName", Some("Op")).expect("named").operation_name,
            Some("Op".into())
        );
        let models = patched(Op::Add, "/requestModels/application~1json", Some("Empty")).expect("added");
        assert_eq!(models.request_models["application/json"], "Empty");
        assert!(
            patched(Op::Replace, "/apiKeyRequired", Some("whatever")).is_ok(),
            "what isn't true is false"
        );
        assert!(patched(Op::Replace, "/authorizerId", Some("abc123")).is_ok(), "dropped, as nobody is asked");
    }

    #[test]
    fn patches_that_make_no_method_are_refused() {
        let only_replace = "Invalid patch operation specified. Must be one of: [replace]";
        let authorizer = "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or \
                          COGNITO_USER_POOLS requires a valid authorizer.";
        for (op, path, value, text) in [
            (Op::Add, "/operationName", Some("x"), only_replace),
            (Op::Add, "/requestValidatorId", Some("x"), only_replace),
            (Op::Add, "/httpMethod", Some("PUT"), "Invalid patch path /httpMethod"),
            (Op::Replace, "/requestParameters", Some("x"), "Invalid patch path /requestParameters"),
            (
                Op::Add,
                "/requestModels/application/json",
                Some("Empty"),
                "Invalid patch path /requestModels/application/json",
            ),
            (Op::Replace, "/authorizationType", Some("CUSTOM"), authorizer),
            (
                Op::Replace,
                "/authorizationType",
                Some("AWS_IAM"),
                "authorizationType AWS_IAM is not supported",
            ),
            (Op::Replace, "/apiKeyRequired", Some("true"), "apiKeyRequired is not supported"),
            (Op::Replace, "/requestValidatorId", Some("x"), "Invalid Request Validator identifier specified"),
            (
                Op::Add,
                "/requestModels/application~1json",
                Some("Pet"),
                "Invalid model identifier specified: Pet",
            ),
            (
                Op::Add,
                "/requestParameters/method.request.querystring.a",
                Some("true"),
                "Parameter names must be unique across querystring, header and path",
            ),
            (Op::Remove, "/requestParameters/x", None, "Invalid parameter name specified"),
        ] {
            assert_eq!(patched(op, path, value).expect_err(text), text);
        }
    }
}
