//! The calls that the pages make: by JSON, through the registry that serves AWS's protocols too.

use http::{Response, StatusCode};
use pitbird_cli::json::{self, Files};
use pitbird_control::Control;
use pitbird_service::{Answer as Answered, Call, Caller};
use pitbird_wire::{Catalog, Fault, Model, Operation, Value};
use serde_json::{Value as Json, json};

use crate::answer::{self, Answer};
use crate::now_ms;

/// What the pages need, and no more: a page that was talked into something else can't do it.
const OPERATIONS: &[(&str, &[&str])] = &[
    ("apigateway", &["GetResources", "GetRestApis", "GetStages"]),
    ("apigatewayv2", &["GetApis", "GetRoutes", "GetStages"]),
    ("cloudwatch", &["DescribeAlarmHistory", "DescribeAlarms", "GetMetricData", "ListMetrics"]),
    (
        "lambda",
        &[
            "GetFunctionConcurrency",
            "Invoke",
            "ListAliases",
            "ListFunctions",
            "ListProvisionedConcurrencyConfigs",
            "ListVersionsByFunction",
        ],
    ),
    ("logs", &["DescribeLogGroups", "FilterLogEvents", "GetQueryResults", "StartQuery", "StopQuery"]),
    (
        "rollouts",
        &[
            "AbortRollout",
            "GetRollout",
            "GetRolloutMeasures",
            "PauseRollout",
            "PromoteRollout",
            "ResumeRollout",
        ],
    ),
    ("usage", &["ListEnvironments"]),
];

/// A model's operation, if pages may call it.
fn found(service: &str, operation: &str) -> Option<(&'static Model, &'static Operation)> {
    let (_, operations) = OPERATIONS.iter().find(|(known, _)| *known == service)?;
    let operation = operations.iter().find(|known| **known == operation)?;
    let model = Catalog::embedded().model(service)?;
    Some((model, model.operation(operation)?))
}

/// Makes a call and answers with its output, and with the command that does the same.
pub async fn answer(
    control: &Control,
    caller: Caller,
    endpoint: String,
    (service, operation): (&str, &str),
    input: &Json,
) -> Response<Answer> {
    let Some((model, found)) = found(service, operation) else {
        let words = format!("no page calls {service} {operation}");
        return answer::refused(StatusCode::NOT_FOUND, "Operation", &words);
    };
    let mut value = match json::to_value(model, found.input, input, Files::Refused) {
        Ok(value) => value,
        Err(error) => {
            return answer::refused(StatusCode::BAD_REQUEST, "ValidationException", &error.to_string());
        }
    };
    let token = || pitbird_names::uuid(fastrand::u128(..));
    pitbird_wire::client::fill_tokens(model, found, &mut value, token);
    let made = made(caller, endpoint, value);
    match control.call(service, operation, made).await {
        Ok(output) => {
            let output = json::from_value(&output.into_output());
            let command = pitbird_cli::aws_command(service, operation, input);
            answer::json(StatusCode::OK, &json!({"output": output, "command": command}))
        }
        Err(fault) => {
            let status =
                StatusCode::from_u16(fault.form(Some(model)).status).unwrap_or(StatusCode::BAD_REQUEST);
            // Whose session is over is told so by 401 alone.
            let status = if status == StatusCode::UNAUTHORIZED { StatusCode::FORBIDDEN } else { status };
            answer::refused(status, &fault.code, &fault.message)
        }
    }
}

/// A call's output or events, or why not, for what the console itself asks.
pub async fn ask(
    control: &Control,
    caller: Caller,
    (service, operation): (&str, &str),
    input: Value,
) -> Result<Answered, Fault> {
    control.call(service, operation, made(caller, String::new(), input)).await
}

fn made(caller: Caller, endpoint: String, input: Value) -> Call<Value> {
    Call {
        caller,
        request_id: pitbird_names::uuid(fastrand::u128(..)),
        now_ms: now_ms() as i64,
        endpoint,
        trace_id: None,
        input,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_on_the_list_exists() {
        for (service, operations) in OPERATIONS {
            for operation in *operations {
                assert!(found(service, operation).is_some(), "{service} {operation}");
            }
        }
    }

    #[test]
    fn what_no_page_needs_is_not_there() {
        for (service, operation) in
            [("lambda", "DeleteFunction"), ("iam", "ListRoles"), ("sts", "AssumeRole"), ("rollouts", "")]
        {
            assert!(found(service, operation).is_none(), "{service} {operation}");
        }
    }
}
