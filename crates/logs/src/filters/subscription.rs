use std::sync::Arc;

use pitbird_filterpattern::Pattern;
use pitbird_names::{FunctionName, FunctionRef, Qualifier, Scope, arn};
use pitbird_records::SubscriptionFilter;

use crate::Error;

/// A subscription filter, ready to look at events.
#[derive(Debug)]
pub struct Subscription {
    pub name: String,
    pub group: Arc<str>,
    pub function: FunctionName,
    pub qualifier: Option<Qualifier>,
    pattern: Pattern,
}

impl Subscription {
    /// Holds a record against all rules but whether the function is there.
    pub fn compile(record: &SubscriptionFilter) -> Result<Subscription, Error> {
        let pattern = Pattern::parse(&record.pattern)?;
        let (function, qualifier) = destination(&record.destination_arn, &record.scope)?;
        Ok(Subscription {
            name: record.name.clone(),
            group: record.group.as_str().into(),
            function,
            qualifier,
            pattern,
        })
    }

    /// Regular expressions in its pattern.
    pub fn regexes(&self) -> usize {
        self.pattern.regexes()
    }

    pub fn takes(&self, message: &str) -> bool {
        self.pattern.takes(message)
    }
}

/// The function that a destination's ARN names: the only kind of destination here.
fn destination(text: &str, scope: &Scope) -> Result<(FunctionName, Option<Qualifier>), Error> {
    let parsed = arn::parse(text).ok_or_else(|| Error::Destination(text.to_owned()))?;
    if parsed.service != "lambda" {
        return Err(match parsed.service {
            "kinesis" | "firehose" | "logs" => {
                Error::unsupported(format!("A destination of {}", parsed.service))
            }
            _ => Error::Destination(text.to_owned()),
        });
    }
    if parsed.account != scope.account.as_str() {
        return Err(Error::CrossAccount);
    }
    let function = FunctionRef::parse(text).map_err(|_| Error::Destination(text.to_owned()))?;
    if parsed.region != scope.region.as_str() {
        return Err(Error::Destination(text.to_owned()));
    }
    Ok((function.name, function.qualifier))
}
