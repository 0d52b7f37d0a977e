//! Integration URIs: `arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations`,
//! `…/2021-11-15/functions/{function}/response-streaming-invocations` and the others that API Gateway tells apart.

use pitbird_names::{FunctionRef, arn};

use crate::Error;

/// Checks the URI of an `AWS_PROXY` integration: a Lambda function, of whose name and qualifier any part may be a
/// `${stageVariables.NAME}`. One whose answers are streamed is invoked by another operation.
pub fn check_proxy(uri: &str, is_streamed: bool) -> Result<(), Error> {
    check_action(uri)?;
    let parts = arn::parse(uri).ok_or(Error::Arn)?;
    // In these ARNs the invoked service stands where others have the account.
    match parts.account {
        "lambda" => {}
        "firehose" => return Err(Error::unsupported("uri to firehose")),
        _ => return Err(Error::ProxyTarget),
    }
    let (before, after, other) = match is_streamed {
        true => ("path/2021-11-15/functions/", "/response-streaming-invocations", Error::StreamedTarget),
        false => ("path/2015-03-31/functions/", "/invocations", Error::ProxyTarget),
    };
    let function = parts.resource.strip_prefix(before).and_then(|path| path.strip_suffix(after));
    let function = function.ok_or(other)?;
    let rendered = with_variables_filled(function).ok_or(Error::Arn)?;
    FunctionRef::parse(&rendered).map(|_| ()).map_err(|_| Error::Arn)
}

/// Checks the URI of any integration with an AWS service.
pub fn check_action(uri: &str) -> Result<(), Error> {
    let parts = arn::parse(uri).filter(|parts| parts.service == "apigateway").ok_or(Error::Arn)?;
    let action = ["path/", "action/"].iter().any(|kind| parts.resource.starts_with(kind));
    if action { Ok(()) } else { Err(Error::ArnWithoutPath) }
}

/// Checks the URI of an integration with a service whose answers are mapped: one that is served here.
pub fn check_service(uri: &str) -> Result<(), Error> {
    check_action(uri)?;
    let named = arn::parse(uri).map(|parts| parts.account).unwrap_or_default();
    let service = named.rsplit('.').next().unwrap_or(named);
    if SERVED.contains(&service) { Ok(()) } else { Err(Error::unsupported(format!("uri to {service}"))) }
}

/// Services by the names that these URIs have for them.
const SERVED: [&str; 8] = ["apigateway", "cloudwatch", "iam", "lambda", "logs", "monitoring", "s3", "sts"];

/// Is the URI one of an HTTP endpoint (its host may be a stage variable)?
pub fn is_http(uri: &str) -> bool {
    let host = ["http://", "https://"].iter().find_map(|scheme| uri.strip_prefix(scheme));
    host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
}

/// The text with each `${stageVariables.NAME}` replaced by a name; `None` when one has no name or no end.
pub fn with_variables_filled(text: &str) -> Option<String> {
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

    fn proxy(function: &str) -> String {
        format!("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations")
    }

    #[test]
    fn a_function_may_be_named_by_stage_variables() {
        for function in [
            "arn:aws:lambda:us-east-1:000000000000:function:f",
            "arn:aws:lambda:us-east-1:000000000000:function:f:live",
            "arn:aws:lambda:us-east-1:000000000000:function:f:${stageVariables.alias}",
            "arn:aws:lambda:us-east-1:000000000000:function:${stageVariables.fn}",
            "arn:aws:lambda:us-east-1:000000000000:function:f-${stageVariables.a_1}:${stageVariables.b}",
        ] {
            assert!(check_proxy(&proxy(function), false).is_ok(), "{function}");
        }
    }

    #[test]
    fn what_names_no_function_is_refused() {
        let arn = "Invalid ARN specified in the request";
        let target = "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream \
                      invocations.";
        for (uri, text) in [
            ("", arn),
            ("https://example.com", arn),
            ("arn:aws:lambda:us-east-1:000000000000:function:f", arn),
            (
                "arn:aws:apigateway:us-east-1:lambda:functions",
                "AWS ARN for integration must contain path or action",
            ),
            ("arn:aws:apigateway:us-east-1:sqs:path/000000000000/queue", target),
            ("arn:aws:apigateway:us-east-1:lambda:action/Invoke", target),
            ("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f", target),
            ("arn:aws:apigateway:us-east-1:firehose:action/PutRecord", "uri to firehose is not supported"),
            (&proxy(""), arn),
            (&proxy("f f"), arn),
            (&proxy("arn:aws:s3:::bucket"), arn),
            (&proxy("${stageVariables.}"), arn),
            (&proxy("${stageVariables.a"), arn),
            (&proxy("${stageVariables.a-b}"), arn),
            (&proxy("${other}"), arn),
        ] {
            assert_eq!(check_proxy(uri, false).expect_err(uri).to_string(), text, "{uri}");
        }
    }

    #[test]
    fn a_function_that_streams_is_invoked_otherwise() {
        let streamed = |function: &str| {
            let path = "path/2021-11-15/functions";
            format!("arn:aws:apigateway:us-east-1:lambda:{path}/{function}/response-streaming-invocations")
        };
        let function = "arn:aws:lambda:us-east-1:000000000000:function:f:${stageVariables.alias}";
        assert!(check_proxy(&streamed(function), true).is_ok());
        let refused = |uri: &str, is_streamed| check_proxy(uri, is_streamed).expect_err(uri).to_string();
        let only = "Invalid ResponseTransferMode. ResponseTransferMode STREAM is only supported for Lambda functions invoked \
                    by InvokeWithResponseStream for AWS_PROXY integrations.";
        assert_eq!(refused(&proxy(function), true), only);
        let target = "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream \
                      invocations.";
        assert_eq!(refused(&streamed(function), false), target);
        assert_eq!(refused(&streamed("f f"), true), "Invalid ARN specified in the request");
    }

    #[test]
    fn an_http_endpoint_has_a_host() {
        assert!(is_http("https://example.com/a") && is_http("http://${stageVariables.host}/"));
        assert!(!is_http("http://") && !is_http("https:///a") && !is_http("ftp://a") && !is_http(""));
    }
}
