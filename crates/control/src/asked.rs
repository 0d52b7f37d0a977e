//! What a call asks for, in the words of IAM's policies.

use http::request::Parts;
use pitbird_names::{FunctionRef, arn};
use pitbird_service::Caller;
use pitbird_wire::{Call, Value};

mod s3;

/// An action and the resource that it is about, by every name that policies know it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `lambda:InvokeFunction`.
    pub action: String,
    /// Empty where there is none, or it isn't known.
    pub resources: Vec<String>,
}

impl Asked {
    /// All that must be allowed: the call itself, and what it does on the way, such as handing a role to a service or reading
    /// another object.
    pub(crate) fn all(call: &Call<'_>, parts: &Parts, caller: &Caller, input: &Value) -> Vec<Asked> {
        if call.model.key == "s3" {
            return s3::asked(call.operation.name, input);
        }
        let mut all = vec![Asked::of(call, parts, caller, input)];
        if call.model.key == "lambda" {
            let role = input.get("Role").and_then(Value::as_str);
            all.extend(role.map(|role| Asked::one("iam:PassRole", role.to_owned())));
            all.extend(["Code", "Content"].iter().filter_map(|member| s3::code(input.get(member)?)));
            all.extend(s3::code(input));
        }
        all
    }

    fn one(action: &str, resource: String) -> Asked {
        Asked { action: action.to_owned(), resources: vec![resource] }
    }

    /// Source: AWS service authorization reference.
    fn of(call: &Call<'_>, parts: &Parts, caller: &Caller, input: &Value) -> Asked {
        let (service, operation) = (call.model.key, call.operation.name);
        let text = |name: &str| input.get(name).and_then(Value::as_str);
        match service {
            // Its actions are HTTP's methods, its resources the paths.
            "apigateway" | "apigatewayv2" => Asked {
                action: format!("apigateway:{}", parts.method),
                resources: vec![format!("arn:aws:apigateway:{}::{}", caller.scope.region, parts.uri.path())],
            },
            "lambda" => {
                let action = match operation {
                    "Invoke" | "InvokeAsync" | "InvokeWithResponseStream" => "InvokeFunction",
                    other => other,
                };
                let named = text("FunctionName").and_then(|name| function(caller, name, text("Qualifier")));
                let resource = named.or_else(|| text("Resource").map(str::to_owned));
                Asked { action: format!("lambda:{action}"), resources: resource.into_iter().collect() }
            }
            "logs" => {
                let group = text("logGroupName").or_else(|| text("logGroupIdentifier"));
                let group = group.map(|name| match name.starts_with("arn:") {
                    true => name.trim_end_matches(":*").to_owned(),
                    false => arn::log_group(&caller.scope, name),
                });
                let stream = text("logStreamName").unwrap_or_default();
                let names =
                    |group: String| [format!("{group}:*"), format!("{group}:log-stream:{stream}"), group];
                Asked {
                    action: format!("logs:{operation}"),
                    resources: group.into_iter().flat_map(names).collect(),
                }
            }
            _ => {
                let role = text("RoleArn").filter(|_| service == "sts");
                let resources = role.map(str::to_owned).into_iter().collect();
                Asked { action: format!("{service}:{operation}"), resources }
            }
        }
    }

    /// The resource as a refusal names it.
    pub(crate) fn resource(&self) -> &str {
        self.resources.first().map_or("*", String::as_str)
    }

    /// What everybody may do who can sign. Source: STS API reference.
    pub(crate) fn needs_no_permission(&self) -> bool {
        self.action == "sts:GetCallerIdentity"
    }
}

/// The function's ARN with the qualifier that stands in its name or beside it.
fn function(caller: &Caller, name: &str, qualifier: Option<&str>) -> Option<String> {
    let named = FunctionRef::parse(name).ok()?;
    let scope = named.scope(&caller.scope);
    let base = arn::function(&scope, &named.name, named.qualifier.as_ref());
    Some(match (named.qualifier, qualifier) {
        (None, Some(qualifier)) => format!("{base}:{qualifier}"),
        _ => base,
    })
}
