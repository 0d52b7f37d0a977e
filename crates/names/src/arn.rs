//! Amazon Resource Names: the ones that pitbird makes, and the taking apart of the ones it is given.

use crate::{Account, Qualifier, Scope};

/// `arn:aws:lambda:{region}:{account}:function:{name}[:{qualifier}]`.
pub fn function(scope: &Scope, name: &str, qualifier: Option<&Qualifier>) -> String {
    let base = format!("arn:aws:lambda:{}:{}:function:{name}", scope.region, scope.account);
    match qualifier {
        Some(qualifier) => format!("{base}:{qualifier}"),
        None => base,
    }
}

/// `arn:aws:lambda:{region}:{account}:layer:{name}[:{version}]`.
pub fn layer(scope: &Scope, name: &str, version: Option<u64>) -> String {
    let base = format!("arn:aws:lambda:{}:{}:layer:{name}", scope.region, scope.account);
    version.map_or(base.clone(), |version| format!("{base}:{version}"))
}

/// `arn:aws:execute-api:{region}:{account}:{api}/{stage}/{METHOD}/{path}`, what API Gateway names as the source of an
/// invocation. `path` is the resource template with its leading slash.
pub fn execute_api(scope: &Scope, api: &str, stage: &str, method: &str, path: &str) -> String {
    let rest = path.strip_prefix('/').unwrap_or(path);
    let (region, account) = (scope.region.as_str(), scope.account.as_str());
    // Made for every request, so not by way of a formatter.
    ["arn:aws:execute-api:", region, ":", account, ":", api, "/", stage, "/", method, "/", rest].concat()
}

/// `arn:aws:execute-api:{region}:{account}:{api}`: what all of an API's methods begin with.
pub fn execute_api_root(scope: &Scope, api: &str) -> String {
    ["arn:aws:execute-api:", scope.region.as_str(), ":", scope.account.as_str(), ":", api].concat()
}

/// `arn:aws:iam::{account}:role{path}{name}`; `path` starts and ends with a slash.
pub fn role(scope: &Scope, path: &str, name: &str) -> String {
    format!("arn:aws:iam::{}:role{path}{name}", scope.account)
}

/// `arn:aws:cloudwatch:{region}:{account}:alarm:{name}`.
pub fn alarm(scope: &Scope, name: &str) -> String {
    format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", scope.region, scope.account)
}

/// `arn:aws:cloudwatch::{account}:dashboard/{name}`, without a region.
pub fn dashboard(account: &Account, name: &str) -> String {
    format!("arn:aws:cloudwatch::{account}:dashboard/{name}")
}

/// `arn:aws:logs:{region}:{account}:log-group:{name}`, without the trailing `:*`.
pub fn log_group(scope: &Scope, name: &str) -> String {
    format!("arn:aws:logs:{}:{}:log-group:{name}", scope.region, scope.account)
}

/// The six colon-separated parts of an ARN; `resource` keeps its own colons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    pub partition: &'a str,
    pub service: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    pub resource: &'a str,
}

/// Takes an ARN apart; `None` when the text isn't one.
pub fn parse(text: &str) -> Option<Arn<'_>> {
    let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
    let arn = Arn {
        partition: parts.next()?,
        service: parts.next()?,
        region: parts.next()?,
        account: parts.next()?,
        resource: parts.next()?,
    };
    (!arn.partition.is_empty() && !arn.service.is_empty() && !arn.resource.is_empty()).then_some(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_keeps_its_colons() {
        let arn = parse("arn:aws:lambda:us-east-1:123456789012:function:f:live").expect("an ARN");
        assert_eq!((arn.service, arn.account, arn.resource), ("lambda", "123456789012", "function:f:live"));
        assert_eq!(parse("arn:aws:lambda"), None);
        assert_eq!(parse("function:f"), None);
    }
}
