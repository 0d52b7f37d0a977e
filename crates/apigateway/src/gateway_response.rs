//! Answers that the gateway gives itself: the kinds there are, what each is by default, and how patches change one.
//!
//! Source: API Gateway developer guide, "Gateway response types".

use pitbird_names::Scope;
use pitbird_records::{GatewayResponse, Texts};

use crate::patch::{Op, Patch};
use crate::{Error, mapping};

/// Kinds and their status codes, in the order of the model; the two defaults stand for whole classes and have none.
pub const KINDS: [(&str, Option<&str>); 21] = [
    ("DEFAULT_4XX", None),
    ("DEFAULT_5XX", None),
    ("RESOURCE_NOT_FOUND", Some("404")),
    ("UNAUTHORIZED", Some("401")),
    ("INVALID_API_KEY", Some("403")),
    ("ACCESS_DENIED", Some("403")),
    ("AUTHORIZER_FAILURE", Some("500")),
    ("AUTHORIZER_CONFIGURATION_ERROR", Some("500")),
    ("INVALID_SIGNATURE", Some("403")),
    ("EXPIRED_TOKEN", Some("403")),
    ("MISSING_AUTHENTICATION_TOKEN", Some("403")),
    ("INTEGRATION_FAILURE", Some("504")),
    ("INTEGRATION_TIMEOUT", Some("504")),
    ("API_CONFIGURATION_ERROR", Some("500")),
    ("UNSUPPORTED_MEDIA_TYPE", Some("415")),
    ("BAD_REQUEST_PARAMETERS", Some("400")),
    ("BAD_REQUEST_BODY", Some("400")),
    ("REQUEST_TOO_LARGE", Some("413")),
    ("THROTTLED", Some("429")),
    ("QUOTA_EXCEEDED", Some("429")),
    ("WAF_FILTERED", Some("403")),
];

/// Of a kind that was never put.
pub fn default(scope: &Scope, api_id: &str, kind: &str) -> GatewayResponse {
    let status = KINDS.iter().find(|(name, _)| *name == kind).and_then(|(_, status)| *status);
    let template = "{\"message\":$context.error.messageString}".to_owned();
    GatewayResponse {
        scope: scope.clone(),
        api_id: api_id.to_owned(),
        response_type: kind.to_owned(),
        status_code: status.map(str::to_owned),
        response_parameters: Texts::new(),
        response_templates: [("application/json".to_owned(), template)].into(),
    }
}

/// Checks a gateway response as a whole.
pub fn check(response: &GatewayResponse) -> Result<(), Error> {
    let status = response.status_code.as_deref();
    let is_status = |text: &str| text.len() == 3 && text.parse().is_ok_and(|it| (100..600).contains(&it));
    if !status.is_none_or(is_status) {
        return Err(Error::StatusCode(status.unwrap_or_default().to_owned()));
    }
    for (target, source) in &response.response_parameters {
        mapping::check_gateway_response(target, source)?;
    }
    response.response_templates.iter().try_for_each(|(media, text)| mapping::check_template(media, text))
}

/// Applies one patch operation. [`check`] it after the last one.
pub fn apply(response: &mut GatewayResponse, patch: &Patch<'_>) -> Result<(), Error> {
    let pieces = patch.pieces();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let (map, name) = match pieces.as_slice() {
        ["statusCode"] if patch.op == Op::Replace => {
            response.status_code = patch.text().map(str::to_owned);
            return Ok(());
        }
        [list @ "responseParameters", name] => ((*list, &mut response.response_parameters), *name),
        [list @ "responseTemplates", name] => ((*list, &mut response.response_templates), *name),
        _ => return Err(patch.bad_path()),
    };
    if patch.op != Op::Remove && patch.value.is_none() {
        return Err(Error::NullValue(map.0.to_owned()));
    }
    patch.entry(map.1, name, str::to_owned, Error::UnknownParameter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(op: Op, path: &str, value: Option<&str>) -> Result<GatewayResponse, String> {
        let mut response = default(&Scope::default(), "api", "THROTTLED");
        let patched = apply(&mut response, &Patch { op, path, value, from: None });
        patched.and_then(|()| check(&response)).map(|()| response).map_err(|error| error.to_string())
    }

    #[test]
    fn patches_reach_their_member() {
        let header = "/responseParameters/gatewayresponse.header.X";
        for source in ["'a'", "method.request.header.a", "context.requestId", "stageVariables.v"] {
            let response = run(Op::Add, header, Some(source)).expect(source);
            assert_eq!(response.response_parameters["gatewayresponse.header.X"], source);
        }
        let template = "/responseTemplates/application~1json";
        let response = run(Op::Replace, template, Some("{}")).expect("replaced");
        assert_eq!(response.response_templates["application/json"], "{}");
        assert!(run(Op::Remove, template, None).expect("removed").response_templates.is_empty());
        let response = run(Op::Replace, "/statusCode", Some("400")).expect("replaced");
        assert_eq!(response.status_code.as_deref(), Some("400"));
    }

    #[test]
    fn patches_that_make_no_response_are_refused() {
        for (op, path, value, text) in [
            (Op::Add, "/statusCode", Some("400"), "Invalid patch path /statusCode"),
            (Op::Replace, "/statusCode", Some("600"), "Invalid status code specified: 600"),
            (Op::Replace, "/wrong", Some("x"), "Invalid patch path /wrong"),
            (Op::Add, "/responseTemplates/a~1b", None, "Invalid null or empty value in responseTemplates"),
            (Op::Replace, "/responseParameters/x", Some("y"), "Invalid parameter name specified"),
            (
                Op::Add,
                "/responseParameters/header.x",
                Some("'y'"),
                "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping \
                 expression specified: header.x]",
            ),
        ] {
            assert_eq!(run(op, path, value).expect_err(text), text);
        }
    }
}
