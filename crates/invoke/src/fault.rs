//! What a function's caller is told when the function, not the call, fails: the bodies that Lambda sends beside
//! `X-Amz-Function-Error: Unhandled`.
//!
//! Texts as real Lambda sends them: `Sandbox.Timedout` since 2025, the others as in AWS's runtime interface emulator.

use bytes::Bytes;
use pitbird_names::limits;
use serde::Serialize;

/// Every function error is `Unhandled` today; `Handled` is history.
pub const UNHANDLED: &str = "Unhandled";

/// A function's failure: what its caller gets, and what `REPORT` and the logs say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `Runtime.ExitError`, `Sandbox.Timedout`, or what the runtime's client named.
    pub error_type: String,
    pub body: Bytes,
    /// How `REPORT` ends; a fault that the function itself reported changes nothing there.
    pub status: Status,
    /// What the environment's log says about it, if the runtime had no chance to say something itself.
    pub words: Option<String>,
}

/// How an invocation went, as `REPORT` says it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Status {
    /// Nothing is said.
    #[default]
    Ended,
    Timeout,
    Error {
        error_type: String,
    },
}

/// How a function's process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ending {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub out_of_memory: bool,
}

impl Ending {
    /// The words that Lambda has for it.
    fn words(self) -> String {
        match self {
            Ending { out_of_memory: true, .. } => "Runtime exited with error: signal: killed".to_owned(),
            Ending { signal: Some(signal), .. } => {
                format!("Runtime exited with error: signal: {}", signal_name(signal))
            }
            Ending { code: Some(code), .. } if code != 0 => {
                format!("Runtime exited with error: exit status {code}")
            }
            _ => "Runtime exited without providing a reason".to_owned(),
        }
    }

    /// The words that Lambda has for it when it is an extension's.
    pub fn extensions_words(self) -> String {
        match self {
            Ending { out_of_memory: true, .. } => "signal: killed".to_owned(),
            Ending { signal: Some(signal), .. } => format!("signal: {}", signal_name(signal)),
            Ending { code: Some(code), .. } if code != 0 => format!("exit status {code}"),
            _ => "exit code 0".to_owned(),
        }
    }
}

impl Fault {
    /// The runtime's process ended while it had an invocation, or before it asked for one.
    pub fn exit(request_id: &str, ending: Ending) -> Fault {
        let mut fault = Fault::platform("Runtime.ExitError", request_id, &ending.words());
        if ending.out_of_memory {
            // The body is that of any killed process; only REPORT tells the two apart.
            fault.status = Status::Error { error_type: "Runtime.OutOfMemory".to_owned() };
        }
        fault
    }

    /// The function's own time limit is over.
    pub fn timeout(request_id: &str, timeout_s: u32) -> Fault {
        let words = format!("Task timed out after {timeout_s}.00 seconds");
        Fault {
            status: Status::Timeout,
            words: None,
            ..Fault::platform("Sandbox.Timedout", request_id, &words)
        }
    }

    /// A custom runtime's code has nothing to start.
    pub fn no_bootstrap(request_id: &str, places: &[&str]) -> Fault {
        let words = format!("Couldn't find valid bootstrap(s): [{}]", places.join(" "));
        Fault::platform("Runtime.InvalidEntrypoint", request_id, &words)
    }

    /// A Java function brings no client that would speak the Runtime API for it. AWS has one of its own there.
    pub fn no_java_client(request_id: &str) -> Fault {
        let words = "Couldn't find the Java runtime interface client \
            (com.amazonaws.services.lambda.runtime.api.client.AWSLambda): put the jars \
            aws-lambda-java-runtime-interface-client, aws-lambda-java-core and aws-lambda-java-serialization into the \
            package's lib/ or a layer's java/lib/, or their classes into the package: \
            [/var/task /var/task/lib/*.jar /opt/java/lib/*.jar]";
        Fault::platform("Runtime.InvalidEntrypoint", request_id, words)
    }

    /// The program is there and cannot be executed; `why` is the kernel's reason.
    pub fn unstartable(request_id: &str, program: &str, why: &str) -> Fault {
        Fault::platform("Runtime.InvalidEntrypoint", request_id, &format!("fork/exec {program}: {why}"))
    }

    /// An extension failed, and the environment with it. `error_type` is `Extension.Crash` and the like.
    pub fn extension(error_type: &str, request_id: &str, why: &str) -> Fault {
        Fault::platform(error_type, request_id, why)
    }

    /// The function answered with more than [`limits::INVOKE_PAYLOAD_BYTES`].
    pub fn response_too_large() -> Fault {
        Fault::too_large(limits::INVOKE_PAYLOAD_BYTES)
    }

    fn too_large(limit: usize) -> Fault {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body {
            error_message: String,
            error_type: &'static str,
        }
        let error_message =
            format!("Response payload size exceeded maximum allowed payload size ({limit} bytes).");
        let error_type = "Function.ResponseSizeTooLarge";
        let body = json(&Body { error_message, error_type });
        let error_type = error_type.to_owned();
        Fault { status: Status::Error { error_type: error_type.clone() }, error_type, body, words: None }
    }

    /// The function streamed more than [`limits::STREAMED_BYTES`].
    pub fn stream_too_large() -> Fault {
        Fault::too_large(limits::STREAMED_BYTES)
    }

    /// The answer broke off after its beginning had gone to the caller, and the runtime lives on.
    pub fn truncated(request_id: &str) -> Fault {
        Fault::platform("Runtime.TruncatedResponse", request_id, "Response was truncated")
    }

    /// What the runtime's client reported: passed through as it came.
    pub fn reported(error_type: Option<&str>, body: Bytes) -> Fault {
        let error_type = error_type.unwrap_or(UNHANDLED).to_owned();
        Fault { error_type, body, status: Status::Ended, words: None }
    }

    fn platform(error_type: &str, request_id: &str, words: &str) -> Fault {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            error_type: &'a str,
            error_message: &'a str,
        }
        let error_message = format!("RequestId: {request_id} Error: {words}");
        let body = json(&Body { error_type, error_message: &error_message });
        let error_type = error_type.to_owned();
        let words = Some(format!("{error_message}\n{error_type}\n"));
        Fault { status: Status::Error { error_type: error_type.clone() }, error_type, body, words }
    }
}

fn json(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).expect("two texts serialise").into()
}

/// Signals by the names that Go, and so AWS, gives them.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "hangup",
        2 => "interrupt",
        3 => "quit",
        4 => "illegal instruction",
        5 => "trace/breakpoint trap",
        6 => "aborted",
        7 => "bus error",
        8 => "floating point exception",
        9 => "killed",
        10 => "user defined signal 1",
        11 => "segmentation fault",
        12 => "user defined signal 2",
        13 => "broken pipe",
        14 => "alarm clock",
        15 => "terminated",
        24 => "CPU time limit exceeded",
        25 => "file size limit exceeded",
        31 => "bad system call",
        other => return format!("signal {other}"),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(fault: &Fault) -> &str {
        std::str::from_utf8(&fault.body).unwrap()
    }

    #[test]
    fn bodies_are_lambdas_own() {
        let code = |code| Ending { code: Some(code), ..Ending::default() };
        let signal = |signal| Ending { signal: Some(signal), ..Ending::default() };
        let exit = |ending| text(&Fault::exit("id", ending)).to_owned();
        let error = |words: &str| {
            format!(r#"{{"errorType":"Runtime.ExitError","errorMessage":"RequestId: id Error: {words}"}}"#)
        };
        assert_eq!(exit(code(127)), error("Runtime exited with error: exit status 127"));
        assert_eq!(exit(code(0)), error("Runtime exited without providing a reason"));
        assert_eq!(exit(signal(9)), error("Runtime exited with error: signal: killed"));
        assert_eq!(exit(signal(11)), error("Runtime exited with error: signal: segmentation fault"));
        assert_eq!(exit(signal(64)), error("Runtime exited with error: signal: signal 64"));
        assert_eq!(
            text(&Fault::timeout("id", 1)),
            r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: id Error: Task timed out after 1.00 seconds"}"#
        );
        assert_eq!(
            text(&Fault::no_bootstrap("id", &["/var/task/bootstrap", "/opt/bootstrap"])),
            r#"{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: id Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"}"#
        );
        assert_eq!(
            text(&Fault::response_too_large()),
            r#"{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}"#
        );
    }

    #[test]
    fn memory_is_told_apart_in_the_report_only() {
        let killed = Ending { signal: Some(9), ..Ending::default() };
        let starved = Ending { out_of_memory: true, ..killed };
        let (killed, starved) = (Fault::exit("id", killed), Fault::exit("id", starved));
        assert_eq!(killed.body, starved.body);
        assert_eq!(killed.status, Status::Error { error_type: "Runtime.ExitError".to_owned() });
        assert_eq!(starved.status, Status::Error { error_type: "Runtime.OutOfMemory".to_owned() });
    }
}
