//! What a method and its responses may be, and how patches change them.

use std::collections::{BTreeMap, BTreeSet};

use pitbird_names::Scope;
use pitbird_records::{Authorizer, Method, MethodResponse, Model, RequestValidator, Texts};

use crate::find::{self, Records};
use crate::patch::{Op, Patch};
use crate::{Error, mapping};

/// The verbs that a method may have.
pub const VERBS: [&str; 8] = ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY"];
pub fn check_verb(verb: &str) -> Result<(), Error> {
    if VERBS.contains(&verb) { Ok(()) } else { Err(Error::Verb) }
}

/// What the methods of an API can name.
#[derive(Debug, Default)]
pub struct Surroundings {
    pub authorizers: Vec<Authorizer>,
    pub models: Vec<Model>,
    pub validators: Vec<RequestValidator>,
}

impl Surroundings {
    pub fn read(records: &impl Records, scope: &Scope, api_id: &str) -> Result<Surroundings, Error> {
        Ok(Surroundings {
            authorizers: find::children(records, scope, api_id)?,
            models: find::children(records, scope, api_id)?,
            validators: find::children(records, scope, api_id)?,
        })
    }
}

/// Checks a method as a whole, and lets go of an authorizer that nobody asks, as API Gateway does it without a word.
pub fn settle(method: &mut Method, around: &Surroundings) -> Result<(), Error> {
    let is_pool = match method.authorization_type.as_str() {
        "NONE" | "AWS_IAM" => {
            method.authorizer_id = None;
            None
        }
        "CUSTOM" => Some(false),
        "COGNITO_USER_POOLS" => Some(true),
        _ => return Err(Error::AuthorizationType),
    };
    if let Some(is_pool) = is_pool {
        let mut authorizers = around.authorizers.iter();
        let authorizer = authorizers.find(|authorizer| Some(&authorizer.id) == method.authorizer_id.as_ref());
        if authorizer.is_none_or(|authorizer| (authorizer.kind == "COGNITO_USER_POOLS") != is_pool) {
            return Err(Error::Authorizer);
        }
    }
    if is_pool != Some(true) && !method.authorization_scopes.is_empty() {
        return Err(Error::Scopes);
    }
    if let Some(id) = &method.request_validator_id
        && !around.validators.iter().any(|validator| validator.id == *id)
    {
        return Err(Error::RequestValidator);
    }
    check_models(&method.request_models, around)?;
    let mut names = BTreeSet::new();
    for parameter in method.request_parameters.keys() {
        if !names.insert(mapping::request_parameter(parameter)?) {
            return Err(Error::ParameterTwice);
        }
    }
    Ok(())
}

/// Checks a method response as a whole.
pub fn check_response(response: &MethodResponse, around: &Surroundings) -> Result<(), Error> {
    check_models(&response.response_models, around)?;
    response.response_parameters.keys().try_for_each(|name| mapping::response_parameter(name).map(|_| ()))
}

/// Applies one patch operation to a method. [`settle`] it after the last one.
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
        ["authorizerId"] => {
            patch.must_replace()?;
            method.authorizer_id = patch.text().map(str::to_owned);
        }
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

fn check_models(models: &Texts, around: &Surroundings) -> Result<(), Error> {
    let is_known = |name: &String| around.models.iter().any(|model| model.name == *name);
    match models.values().find(|name| !is_known(name)) {
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

    fn around() -> Surroundings {
        let scope = Scope::default();
        let api_id = "api".to_owned();
        let validator = RequestValidator {
            scope: scope.clone(),
            api_id: api_id.clone(),
            id: "v".to_owned(),
            name: None,
            validate_request_body: true,
            validate_request_parameters: false,
        };
        let model = Model {
            scope: scope.clone(),
            api_id: api_id.clone(),
            id: "m".to_owned(),
            name: "Empty".to_owned(),
            description: None,
            schema: None,
            content_type: "application/json".to_owned(),
        };
        let authorizer = |id: &str, kind: &str| Authorizer {
            scope: scope.clone(),
            api_id: api_id.clone(),
            id: id.to_owned(),
            name: id.to_owned(),
            kind: kind.to_owned(),
            provider_arns: Vec::new(),
            auth_type: None,
            uri: None,
            credentials: None,
            identity_source: None,
            identity_validation_expression: None,
            result_ttl_s: None,
        };
        Surroundings {
            authorizers: vec![authorizer("token", "TOKEN"), authorizer("pool", "COGNITO_USER_POOLS")],
            models: vec![model],
            validators: vec![validator],
        }
    }

    #[test]
    fn an_authorizer_must_be_of_the_methods_kind() {
        let run = |kind: &str, id: Option<&str>, scopes: &[&str]| {
            let mut method = Method {
                authorization_type: kind.to_owned(),
                authorizer_id: id.map(str::to_owned),
                authorization_scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
                ..Method::default()
            };
            settle(&mut method, &around()).map(|()| method.authorizer_id).map_err(|error| error.to_string())
        };
        assert_eq!(run("CUSTOM", Some("token"), &[]), Ok(Some("token".to_owned())));
        assert_eq!(run("COGNITO_USER_POOLS", Some("pool"), &["a/b"]), Ok(Some("pool".to_owned())));
        assert_eq!(run("AWS_IAM", Some("token"), &[]), Ok(None), "dropped, as nobody is asked");
        for (kind, id) in [("CUSTOM", "pool"), ("COGNITO_USER_POOLS", "token"), ("CUSTOM", "other")] {
            assert!(run(kind, Some(id), &[]).is_err(), "{kind} {id}");
        }
        assert!(run("CUSTOM", None, &[]).is_err());
        assert!(run("CUSTOM", Some("token"), &["a"]).is_err() && run("NONE", None, &["a"]).is_err());
    }

    fn patched(op: Op, path: &str, value: Option<&str>) -> Result<Method, String> {
        let mut method = open();
        method.request_parameters.insert("method.request.header.a".to_owned(), false);
        let patch = Patch { op, path, value, from: None };
        apply(&mut method, &patch)
            .and_then(|()| settle(&mut method, &around()))
            .map_err(|error| error.to_string())?;
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
        assert!(patched(Op::Replace, "/apiKeyRequired", Some("true")).expect("needed").api_key_required);
        let iam = patched(Op::Replace, "/authorizationType", Some("AWS_IAM")).expect("signed");
        assert_eq!(iam.authorization_type, "AWS_IAM");
        let validated = patched(Op::Replace, "/requestValidatorId", Some("v")).expect("known");
        assert_eq!(validated.request_validator_id.as_deref(), Some("v"));
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
