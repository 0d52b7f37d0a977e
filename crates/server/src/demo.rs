//! The story: a bad release is caught, a good one is promoted.

mod function;

use std::process::ExitCode;

/// Is this process the demo's function, started by the Runtime API rather than by a person?
pub fn is_function() -> bool {
    std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() && std::env::args_os().len() == 1
}

/// Runs the function until its environment ends.
pub fn function_main() -> ExitCode {
    match function::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
