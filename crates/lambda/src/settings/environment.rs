//! A function's environment variables.

use pitbird_records::Texts;

use crate::Error;

/// All names and values as JSON, bytes. Source: Lambda quotas.
const BYTES_MAX: usize = 4096;

/// Set by Lambda itself. Source: Lambda developer guide, "Defined runtime environment variables".
const RESERVED: [&str; 19] = [
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
    "AWS_LAMBDA_MAX_CONCURRENCY",
];

pub fn check(variables: &Texts) -> Result<(), Error> {
    let reserved: Vec<&str> =
        variables.keys().map(String::as_str).filter(|name| RESERVED.contains(name)).collect();
    if !reserved.is_empty() {
        return Err(Error::ReservedKeys(reserved.join(", ")));
    }
    let measured = serde_json::to_string(variables).expect("texts serialise");
    if measured.len() > BYTES_MAX { Err(Error::EnvironmentTooLarge(measured)) } else { Ok(()) }
}
