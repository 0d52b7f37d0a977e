//! Where a stage writes its access log, and in which format.

use pitbird_names::{Scope, arn};
use pitbird_records::stage::AccessLog;

use crate::Error;

/// Checks access-log settings as a whole: a log group of the same account and region, and a format that says which
/// request a line is about.
pub fn check(log: &AccessLog, scope: &Scope) -> Result<(), Error> {
    let destination = log.destination_arn.as_deref().ok_or(Error::AccessLogEmpty)?;
    let format = log.format.as_deref().ok_or(Error::AccessLogEmpty)?;
    let parts = arn::parse(destination).ok_or(Error::Arn)?;
    if parts.service == "firehose" {
        return Err(Error::unsupported("accessLogSettings/destinationArn of a Firehose stream"));
    }
    let is_own = parts.account == scope.account.as_str() && parts.region == scope.region.as_str();
    if parts.service != "logs" || !is_own || group(destination).is_none() {
        return Err(Error::Arn);
    }
    if !format.contains("$context.requestId") && !format.contains("$context.extendedRequestId") {
        return Err(Error::AccessLogFormat);
    }
    if format.trim_end_matches(['\r', '\n']).contains(['\r', '\n']) {
        return Err(Error::AccessLogLines);
    }
    Ok(())
}

/// The log group's name in `arn:aws:logs:{region}:{account}:log-group:{name}`, which may end in `:*`.
fn group(destination: &str) -> Option<&str> {
    let name = arn::parse(destination)?.resource.strip_prefix("log-group:")?;
    let name = name.strip_suffix(":*").unwrap_or(name);
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-/.#".contains(&b));
    (is_name && (1..=512).contains(&name.len())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_a_group_and_names_the_request() {
        let scope = Scope::default();
        let run = |destination: Option<&str>, format: Option<&str>| {
            let log = AccessLog {
                destination_arn: destination.map(str::to_owned),
                format: format.map(str::to_owned),
            };
            check(&log, &scope).map_err(|error| error.to_string())
        };
        let group = "arn:aws:logs:us-east-1:000000000000:log-group:/api/access";
        let id = Some("{\"id\":\"$context.requestId\"}");
        assert_eq!(run(Some(group), id), Ok(()));
        assert_eq!(
            run(Some(&format!("{group}:*")), Some("$context.extendedRequestId $context.nothing")),
            Ok(())
        );
        assert_eq!(run(Some(group), Some("$context.requestId\n")), Ok(()));
        let arn = "Invalid ARN specified in the request";
        for (destination, format, text) in [
            (None, id, "Access Log value must not be empty"),
            (Some(group), None, "Access Log value must not be empty"),
            (
                Some(group),
                Some("$context.status"),
                "Access Log format must contain $context.requestId or $context.extendedRequestId",
            ),
            (
                Some(group),
                Some("$context.requestId\n$context.status"),
                "Access Log format must be single line, new line character is allowed only at end of the format",
            ),
            (Some("a-group"), id, arn),
            (Some("arn:aws:s3:::bucket"), id, arn),
            (Some("arn:aws:logs:us-east-1:000000000000:log-group:"), id, arn),
            (Some("arn:aws:logs:us-east-1:000000000000:log-group:a b"), id, arn),
            (Some("arn:aws:logs:us-east-1:111111111111:log-group:a"), id, arn),
            (Some("arn:aws:logs:eu-west-1:000000000000:log-group:a"), id, arn),
            (
                Some("arn:aws:firehose:us-east-1:000000000000:deliverystream/amazon-apigateway-a"),
                id,
                "accessLogSettings/destinationArn of a Firehose stream is not supported",
            ),
        ] {
            assert_eq!(run(destination, format), Err(text.to_owned()));
        }
    }
}
