//! Which runtimes there are, which are past, and which of them run here.

use crate::Error;

/// Runtimes that AWS creates functions with. Source: Lambda developer guide, "Lambda runtimes".
const SUPPORTED: [&str; 26] = [
    "nodejs16.x",
    "nodejs18.x",
    "nodejs20.x",
    "nodejs22.x",
    "nodejs24.x",
    "python3.8",
    "python3.9",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "java8.al2",
    "java11",
    "java17",
    "java21",
    "java25",
    "dotnet6",
    "dotnet8",
    "dotnet10",
    "ruby3.2",
    "ruby3.3",
    "ruby3.4",
    "provided.al2",
    "provided.al2023",
    "ruby4.0",
];

/// Runtimes that AWS creates no more functions with. Source: the same, "Deprecated runtimes".
const RETIRED: [&str; 20] = [
    "nodejs",
    "nodejs4.3",
    "nodejs4.3-edge",
    "nodejs6.10",
    "nodejs8.10",
    "nodejs10.x",
    "nodejs12.x",
    "nodejs14.x",
    "python2.7",
    "python3.6",
    "python3.7",
    "java8",
    "go1.x",
    "provided",
    "ruby2.5",
    "ruby2.7",
    "dotnetcore1.0",
    "dotnetcore2.0",
    "dotnetcore2.1",
    "dotnetcore3.1",
];

pub fn check(runtime: &str) -> Result<(), Error> {
    if RETIRED.contains(&runtime) {
        return Err(Error::RetiredRuntime(runtime.to_owned()));
    }
    if !SUPPORTED.contains(&runtime) {
        return Err(Error::UnknownRuntime(runtime.to_owned(), SUPPORTED.join(", ")));
    }
    let runs_here =
        ["provided.", "python", "nodejs", "java"].iter().any(|family| runtime.starts_with(family));
    if runs_here { Ok(()) } else { Err(Error::unsupported(format!("Runtime {runtime}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_runtime_is_run_or_refused_for_its_reason() {
        for (runtime, words) in [
            ("python3.12", None),
            ("nodejs22.x", None),
            ("provided.al2023", None),
            (
                "go1.x",
                Some("The runtime parameter of go1.x is no longer supported for creating or updating AWS"),
            ),
            ("java8.al2", None),
            ("java21", None),
            ("java8", Some("The runtime parameter of java8 is no longer supported")),
            ("dotnet8", Some("Runtime dotnet8 is not supported")),
            (
                "cobol",
                Some("Value cobol at 'runtime' failed to satisfy constraint: Member must satisfy enum value"),
            ),
        ] {
            let error = check(runtime).err().map(|error| error.to_string());
            assert_eq!(error.is_some(), words.is_some(), "{runtime}: {error:?}");
            assert!(error.unwrap_or_default().starts_with(words.unwrap_or_default()), "{runtime}");
        }
    }
}
