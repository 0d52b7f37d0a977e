//! What a call's `FunctionName` and `Qualifier` mean together.

use pitbird_names::{FunctionError, FunctionRef, Qualifier, Scope, arn};
use pitbird_records::{key, prefix};
use pitbird_service::Caller;
use pitbird_snapshot::FunctionKey;
use pitbird_store::Store;

use crate::Error;

/// The pattern of a function's name. Source: Lambda API reference.
const NAME_PATTERN: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?";
/// The pattern of a qualifier. Source: Lambda API reference.
const QUALIFIER_PATTERN: &str = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+";
/// What a resource policy can let another account do; `InvokeFunction` is every way to invoke. Source: Lambda developer guide,
/// "Granting Lambda function access to other accounts".
const SHARED: [&str; 27] = [
    "CreateAlias",
    "DeleteAlias",
    "DeleteFunction",
    "DeleteFunctionConcurrency",
    "DeleteFunctionEventInvokeConfig",
    "DeleteProvisionedConcurrencyConfig",
    "GetAlias",
    "GetFunction",
    "GetFunctionConcurrency",
    "GetFunctionConfiguration",
    "GetFunctionEventInvokeConfig",
    "GetPolicy",
    "GetProvisionedConcurrencyConfig",
    "InvokeFunction",
    "ListAliases",
    "ListFunctionEventInvokeConfigs",
    "ListProvisionedConcurrencyConfigs",
    "ListTags",
    "ListVersionsByFunction",
    "PublishVersion",
    "PutFunctionConcurrency",
    "PutFunctionEventInvokeConfig",
    "PutProvisionedConcurrencyConfig",
    "TagResource",
    "UntagResource",
    "UpdateAlias",
    "UpdateFunctionEventInvokeConfig",
];

/// A function, perhaps one version or alias of it. It need not exist.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    pub scope: Scope,
    pub name: String,
    pub qualifier: Option<Qualifier>,
}

impl Target {
    /// Reads a function's name and the qualifier that may stand beside it. Who is of another account is refused, unless a
    /// policy of just what he names lets him do `operation`.
    pub fn parse(
        store: &Store,
        caller: &Caller,
        operation: &'static str,
        name: &str,
        qualifier: Option<&str>,
    ) -> Result<Target, Error> {
        let target = Target::read(caller, name, qualifier)?;
        if target.is_of(caller) || target.lets_in(store, caller, operation) {
            return Ok(target);
        }
        Err(target.refused(caller, operation))
    }

    /// The same, for operations that no policy opens to other accounts.
    pub fn own(
        caller: &Caller,
        operation: &'static str,
        name: &str,
        qualifier: Option<&str>,
    ) -> Result<Target, Error> {
        let target = Target::read(caller, name, qualifier)?;
        if target.is_of(caller) { Ok(target) } else { Err(target.refused(caller, operation)) }
    }

    fn read(caller: &Caller, name: &str, qualifier: Option<&str>) -> Result<Target, Error> {
        let reference = FunctionRef::parse(name).map_err(|error| malformed(name, &error))?;
        let here = &caller.scope;
        if let Some(region) = reference.region.as_ref().filter(|region| **region != here.region) {
            let (asked, here) = (region.to_string(), here.region.to_string());
            return Err(Error::OtherRegion { asked, here });
        }
        let qualifier = qualifier.map(parse_qualifier).transpose()?;
        let qualifier = match (reference.qualifier.clone(), qualifier) {
            (Some(derived), Some(asked)) if derived != asked => return Err(Error::QualifierMismatch),
            (derived, asked) => derived.or(asked),
        };
        let scope = reference.scope(here);
        Ok(Target { scope, name: reference.name, qualifier })
    }

    fn is_of(&self, caller: &Caller) -> bool {
        self.scope.account == caller.scope.account
    }

    /// Does the policy of what is named let somebody of another account do this?
    fn lets_in(&self, store: &Store, caller: &Caller, operation: &str) -> bool {
        let key = FunctionKey { scope: self.scope.clone(), name: self.name.clone() };
        let snapshot = store.snapshot();
        let policy = snapshot.function(&key).and_then(|function| function.policy(self.qualifier.as_ref()));
        let action = format!("lambda:{operation}");
        let account = caller.scope.account.as_str();
        SHARED.contains(&operation)
            && policy.is_some_and(|policy| policy.allows_account(&action, account, &caller.principal))
    }

    fn refused(&self, caller: &Caller, operation: &'static str) -> Error {
        Error::OtherAccount { principal: caller.principal.clone(), operation, resource: self.arn() }
    }

    /// A function as a whole, for operations that know no versions and aliases; `$LATEST` is taken for the whole.
    pub fn whole(
        store: &Store,
        caller: &Caller,
        operation: &'static str,
        name: &str,
    ) -> Result<Target, Error> {
        let target = Target::parse(store, caller, operation, name, None)?;
        match &target.qualifier {
            None => Ok(target),
            Some(qualifier) if *qualifier == Qualifier::LATEST => Ok(Target { qualifier: None, ..target }),
            Some(_) => Err(Error::WholeFunctionOnly),
        }
    }

    /// The ARN with the qualifier that was asked for.
    pub fn arn(&self) -> String {
        arn::function(&self.scope, &self.name, self.qualifier.as_ref())
    }

    /// The same function with another qualifier.
    pub fn with(&self, qualifier: Qualifier) -> Target {
        Target { qualifier: Some(qualifier), ..self.clone() }
    }

    pub fn not_found(&self) -> Error {
        Error::UnknownFunction(self.arn())
    }

    /// The key of one of the function's versions or aliases.
    pub fn key(&self, part: &str) -> String {
        key(&self.scope, &[&self.name, part])
    }

    /// The prefix of the keys of all its versions, aliases and policies.
    pub fn prefix(&self) -> String {
        prefix(&self.scope, &[&self.name])
    }
}

fn malformed(name: &str, error: &FunctionError) -> Error {
    match error {
        FunctionError::TooLong => Error::NameTooLong(name.to_owned()),
        FunctionError::Partition => Error::UnknownFunction(name.to_owned()),
        FunctionError::Malformed | FunctionError::Qualifier => Error::Constraint {
            member: "functionName",
            value: name.to_owned(),
            constraint: format!("Member must satisfy regular expression pattern: {NAME_PATTERN}"),
        },
    }
}

fn parse_qualifier(text: &str) -> Result<Qualifier, Error> {
    Qualifier::parse(text).ok_or_else(|| match text {
        "$LATEST.PUBLISHED" => Error::unsupported("Qualifier $LATEST.PUBLISHED"),
        _ => Error::Constraint {
            member: "qualifier",
            value: text.to_owned(),
            constraint: format!("Member must satisfy regular expression pattern: {QUALIFIER_PATTERN}"),
        },
    })
}

#[cfg(test)]
mod tests {
    use pitbird_names::VersionId;

    use super::*;

    fn parse(name: &str, qualifier: Option<&str>) -> Result<Target, Error> {
        Target::own(&Caller::root(Scope::default()), "GetFunction", name, qualifier)
    }

    #[test]
    fn a_qualifier_stands_in_the_name_or_beside_it() {
        let live = Some(Qualifier::Alias("live".to_owned()));
        let one = Some(Qualifier::Version(VersionId::Number(1)));
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
        for (name, asked, expected) in [
            ("f", None, None),
            ("f", Some("live"), live.clone()),
            ("f:live", None, live.clone()),
            ("f:live", Some("live"), live),
            ("000000000000:function:f:1", None, one.clone()),
            ("us-east-1:000000000000:function:f:1", None, one.clone()),
            ("000000000000:f:1", None, one.clone()),
            (arn, Some("1"), one),
            (arn, Some("$LATEST"), Some(Qualifier::LATEST)),
        ] {
            let target = parse(name, asked).expect(name);
            assert_eq!((target.name.as_str(), target.qualifier), ("f", expected), "{name} {asked:?}");
        }
    }

    #[test]
    fn what_names_no_function_of_the_callers_is_refused() {
        let long = "f".repeat(65);
        for (name, asked, words) in [
            (
                "f:live",
                Some("old"),
                "The derived qualifier from the function name does not match the specified",
            ),
            (
                "arn:aws:lambda:eu-west-1:000000000000:function:f",
                None,
                "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
            ),
            (
                "arn:aws:lambda:us-east-1:111111111111:function:f",
                None,
                "User: arn:aws:iam::000000000000:root is not authorized to perform: lambda:GetFunction on resource: \
                 arn:aws:lambda:us-east-1:111111111111:function:f because",
            ),
            (
                "111111111111:f",
                None,
                "lambda:GetFunction on resource: arn:aws:lambda:us-east-1:111111111111:function:f",
            ),
            (
                "eu-west-1:f",
                None,
                "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
            ),
            (
                "arn:aws-cn:lambda:us-east-1:000000000000:function:f",
                None,
                "Function not found: arn:aws-cn:lambda:us-east-1:000000000000:function:f",
            ),
            (
                &long,
                None,
                "at 'functionName' failed to satisfy constraint: Member must have length less than or",
            ),
            ("a b", None, "Member must satisfy regular expression pattern: (arn:"),
            ("f", Some("$OLDEST"), "Value '$OLDEST' at 'qualifier' failed to satisfy constraint"),
            ("f", Some("$LATEST.PUBLISHED"), "Qualifier $LATEST.PUBLISHED is not supported"),
        ] {
            let error = parse(name, asked).expect_err(name).to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn only_the_head_stands_for_the_whole() {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path()).expect("a fresh store");
        let caller = Caller::root(Scope::default());
        let whole = |name| Target::whole(&store, &caller, "UpdateFunctionCode", name);
        assert_eq!(whole("f:$LATEST").expect("the head").qualifier, None);
        assert!(matches!(whole("f:1"), Err(Error::WholeFunctionOnly)));
    }
}
