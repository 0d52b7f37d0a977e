//! A function's environment variables.

use pitbird_records::Texts;

use crate::Error;

/// All names and values as JSON, bytes. Source: Lambda quotas.
const BYTES_MAX: usize = 4096;

/// The pattern of a variable's name. Source: Lambda API reference, `Environment`.
const NAME_PATTERN: &str = "[a-zA-Z]([a-zA-Z0-9_])+";

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
    if !variables.keys().all(|name| is_name(name)) {
        return Err(Error::VariableName(NAME_PATTERN));
    }
    let measured = serde_json::to_string(variables).expect("texts serialise");
    if measured.len() > BYTES_MAX { Err(Error::EnvironmentTooLarge(measured)) } else { Ok(()) }
}

fn is_name(text: &str) -> bool {
    let is_inner = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    text.len() > 1 && text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(is_inner)
}
