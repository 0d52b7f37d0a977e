//! What a function finds in its environment.

use std::collections::BTreeMap;

use pitbird_records::FunctionVersion;
use pitbird_sandbox::{CODE, RUNTIME};

use crate::aws::Credentials;

/// What one environment is made with.
#[derive(Debug, Clone, Copy)]
pub struct Made<'a> {
    pub log_stream: &'a str,
    pub endpoint_url: Option<&'a str>,
    pub credentials: Option<&'a Credentials>,
    pub is_provisioned: bool,
}

/// The variables of one environment; `managed` is the runtime's name if AWS and not the function brings it. The function's
/// own variables come on top of those that Lambda doesn't reserve. `AWS_LAMBDA_RUNTIME_API` is the sandbox's to add.
pub fn of(record: &FunctionVersion, managed: Option<&str>, made: &Made<'_>) -> BTreeMap<String, String> {
    let settings = &record.settings;
    let mut variables = of_any_function(managed);
    let mut set = |name: &str, value: &str| {
        variables.insert(name.to_owned(), value.to_owned());
    };
    if let Some(url) = made.endpoint_url {
        set("AWS_ENDPOINT_URL", url);
    }
    variables
        .extend(settings.environment.iter().flatten().map(|(name, value)| (name.clone(), value.clone())));

    // From here on nothing can be set by the function.
    let mut set = |name: &str, value: &str| {
        variables.insert(name.to_owned(), value.to_owned());
    };
    set("LAMBDA_TASK_ROOT", CODE);
    set("LAMBDA_RUNTIME_DIR", RUNTIME);
    set("AWS_REGION", record.scope.region.as_str());
    set("AWS_DEFAULT_REGION", record.scope.region.as_str());
    if let Some(Credentials { access_key_id, secret_access_key, session_token }) = made.credentials {
        set("AWS_ACCESS_KEY_ID", access_key_id);
        set("AWS_SECRET_ACCESS_KEY", secret_access_key);
        set("AWS_SESSION_TOKEN", session_token);
    }
    set("AWS_LAMBDA_FUNCTION_NAME", &record.name);
    set("AWS_LAMBDA_FUNCTION_VERSION", &record.version.to_string());
    set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &settings.memory_mib.to_string());
    let initialization = if made.is_provisioned { "provisioned-concurrency" } else { "on-demand" };
    set("AWS_LAMBDA_INITIALIZATION_TYPE", initialization);
    set("AWS_LAMBDA_LOG_GROUP_NAME", &settings.logging.group);
    set("AWS_LAMBDA_LOG_STREAM_NAME", made.log_stream);
    if settings.logging.format == "JSON" {
        set("AWS_LAMBDA_LOG_FORMAT", "JSON");
        set("AWS_LAMBDA_LOG_LEVEL", settings.logging.application_level.as_deref().unwrap_or("INFO"));
    }
    set("_HANDLER", settings.handler.as_deref().unwrap_or_default());
    if let Some(runtime) = managed {
        set("AWS_EXECUTION_ENV", &format!("AWS_Lambda_{runtime}"));
    }
    variables
}

/// Names a program that starts the runtime.
pub const EXEC_WRAPPER: &str = "AWS_LAMBDA_EXEC_WRAPPER";

/// What every function of a runtime finds if it doesn't set it otherwise.
fn of_any_function(managed: Option<&str>) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    let mut set = |name: &str, value: &str| {
        variables.insert(name.to_owned(), value.to_owned());
    };
    set("LANG", "en_US.UTF-8");
    set(
        "LD_LIBRARY_PATH",
        "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib",
    );
    set("PATH", "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin");
    set("TZ", ":UTC");
    set("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR");
    set("AWS_XRAY_DAEMON_ADDRESS", "169.254.100.1:2000");
    if let Some(major) = managed.and_then(|runtime| runtime.strip_prefix("nodejs")?.strip_suffix(".x")) {
        set(
            "NODE_PATH",
            &format!(
                "/opt/nodejs/node{major}/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime"
            ),
        );
    }
    variables
}

/// With what an interpreter starts that is to wait for its function. `None` if this one sets something that interpreters, or the
/// libraries that they are linked to, read when they start.
pub fn before_a_function(record: &FunctionVersion, runtime: &str) -> Option<Vec<(String, String)>> {
    let variables = of_any_function(Some(runtime));
    let mut own = record.settings.environment.iter().flatten();
    let is_late = own.any(|(name, value)| is_read_at_start(name) && variables.get(name) != Some(value));
    (!is_late).then(|| variables.into_iter().collect())
}

/// Sources: ld.so(8), setlocale(3), tzset(3), mallopt(3), `python3 --help-env`, Node's command-line documentation, libuv, OpenSSL,
/// ICU, HotSpot.
fn is_read_at_start(name: &str) -> bool {
    const NAMES: [&str; 12] = [
        EXEC_WRAPPER,
        "HOME",
        "JAVA_TOOL_OPTIONS",
        "JDK_JAVA_OPTIONS",
        "LANG",
        "LANGUAGE",
        "LOCPATH",
        "NLSPATH",
        "PATH",
        "TZ",
        "TZDIR",
        "_JAVA_OPTIONS",
    ];
    const PREFIXES: [&str; 10] =
        ["GCONV_", "GLIBC_", "ICU_", "LC_", "LD_", "MALLOC_", "NODE_", "OPENSSL_", "PYTHON", "SSL_"];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || name.starts_with("UV_")
}
