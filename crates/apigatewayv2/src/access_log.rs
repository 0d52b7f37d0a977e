//! Where a stage writes its access log, and in which format.

use pitbird_names::{Scope, arn};
use pitbird_records::stage::AccessLog;

use crate::Error;

/// Reads access-log settings as a whole: a log group of the same account and region, and a format that says which request
/// a line is about. The group is kept without the `:*` that its ARN may end in. Unlike a REST API's stage this one needs no role
/// of the account's.
pub fn parse(destination: Option<String>, format: Option<String>, scope: &Scope) -> Result<AccessLog, Error> {
    let destination = destination.filter(|text| !text.is_empty()).ok_or(Error::AccessLogEmpty)?;
    let format = format.filter(|text| !text.is_empty()).ok_or(Error::AccessLogEmpty)?;
    let destination = destination.strip_suffix(":*").map_or(destination.clone(), str::to_owned);
    let parts = arn::parse(&destination).ok_or(Error::Arn)?;
    if parts.service == "firehose" {
        return Err(Error::unsupported("accessLogSettings.destinationArn of a Firehose stream"));
    }
    let is_own = parts.account == scope.account.as_str() && parts.region == scope.region.as_str();
    if parts.service != "logs" || !is_own || !names_group(parts.resource) {
        return Err(Error::Arn);
    }
    if format.len() > FORMAT_BYTES {
        return Err(Error::Length { what: "Access Log format", min: 1, max: FORMAT_BYTES });
    }
    if !format.contains("$context.requestId") && !format.contains("$context.extendedRequestId") {
        return Err(Error::AccessLogFormat);
    }
    if format.trim_end_matches(['\r', '\n']).contains(['\r', '\n']) {
        return Err(Error::AccessLogLines);
    }
    Ok(AccessLog { destination_arn: Some(destination), format: Some(format) })
}

/// Source: API Gateway developer guide, "Customize HTTP API access logs".
const FORMAT_BYTES: usize = 3 * 1024;

fn names_group(resource: &str) -> bool {
    let Some(name) = resource.strip_prefix("log-group:") else { return false };
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-/.#".contains(&b));
    is_name && (1..=512).contains(&name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_a_group_and_names_the_request() {
        let run = |destination: &str, format: &str| {
            let given = |text: &str| Some(text.to_owned());
            parse(given(destination), given(format), &Scope::default()).map_err(|error| error.to_string())
        };
        let group = "arn:aws:logs:us-east-1:000000000000:log-group:/api/access";
        let id = "$context.requestId";
        for destination in [group, &format!("{group}:*")] {
            assert_eq!(run(destination, id).expect("a log").destination_arn.as_deref(), Some(group));
        }
        let arn = "Invalid ARN specified in the request";
        for (destination, format, text) in [
            ("", id, "Access Log value must not be empty"),
            (group, "", "Access Log value must not be empty"),
            (
                group,
                "$context.status",
                "Access Log format must contain $context.requestId or $context.extendedRequestId",
            ),
            (group, &"x".repeat(3073), "Access Log format must have 1 to 3072 characters"),
            ("a-group", id, arn),
            ("arn:aws:s3:::bucket", id, arn),
            ("arn:aws:logs:us-east-1:000000000000:log-group:a b", id, arn),
            ("arn:aws:logs:us-east-1:111111111111:log-group:a", id, arn),
            ("arn:aws:logs:eu-west-1:000000000000:log-group:a", id, arn),
        ] {
            assert_eq!(run(destination, format), Err(text.to_owned()));
        }
    }
}
