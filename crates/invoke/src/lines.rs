//! The platform's own lines in a function's log, in Lambda's text format.

use std::fmt::{self, Display, Formatter, Write};

use pitbird_names::VersionId;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::fault::Status;

/// `INIT_START`: the first line of every environment.
pub fn init_start(runtime: &str, runtime_arn: &str) -> String {
    format!("INIT_START Runtime Version: {runtime}\tRuntime Version ARN: {runtime_arn}\n")
}

/// `START`, shown straight into the log.
pub struct Start<'a> {
    pub request_id: &'a str,
    pub version: VersionId,
}

impl Display for Start<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "START RequestId: {} Version: {}", self.request_id, self.version)
    }
}

/// `END`.
pub struct End<'a> {
    pub request_id: &'a str,
}

impl Display for End<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "END RequestId: {}", self.request_id)
    }
}

/// What `REPORT` says of one invocation; shown, it is the line.
#[derive(Debug, Clone, PartialEq)]
pub struct Report<'a> {
    pub request_id: &'a str,
    pub duration_ms: f64,
    pub billed_ms: u64,
    pub memory_mib: u32,
    pub memory_peak_mib: u64,
    /// Only of the environment's first invocation.
    pub init_ms: Option<f64>,
    pub status: &'a Status,
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Report { request_id, duration_ms, billed_ms, memory_mib, memory_peak_mib, .. } = self;
        write!(
            f,
            "REPORT RequestId: {request_id}\tDuration: {duration_ms:.2} ms\tBilled Duration: {billed_ms} ms\t\
             Memory Size: {memory_mib} MB\tMax Memory Used: {memory_peak_mib} MB\t"
        )?;
        if let Some(init_ms) = self.init_ms {
            write!(f, "Init Duration: {init_ms:.2} ms\t")?;
        }
        match self.status {
            Status::Ended => {}
            Status::Timeout => f.write_str("Status: timeout")?,
            Status::Error { error_type } => write!(f, "Status: error\tError Type: {error_type}")?,
        }
        f.write_char('\n')
    }
}

/// `INIT_REPORT`: an initialisation that failed. `is_retry` says that it ran again inside an invocation.
pub fn init_report(init_ms: f64, is_retry: bool, status: &Status) -> String {
    let phase = if is_retry { "invoke" } else { "init" };
    let status = match status {
        Status::Ended => "success".to_owned(),
        Status::Timeout => "timeout".to_owned(),
        Status::Error { error_type } => format!("error\tError Type: {error_type}"),
    };
    format!("INIT_REPORT Init Duration: {init_ms:.2} ms\tPhase: {phase}\tStatus: {status}\n")
}

/// What stands in the log when a function's time is over.
pub fn timed_out(at_ms: i64, request_id: &str, timeout_s: u32) -> String {
    format!("{} {request_id} Task timed out after {timeout_s}.00 seconds\n\n", instant(at_ms))
}

/// Says that a function wrote more than is kept.
pub fn dropped(bytes: u64, limit_bytes: u64) -> String {
    format!("LOGS_DROPPED {bytes} bytes: the function wrote more than {limit_bytes} bytes within a second\n")
}

/// The log stream of an environment: `2026/11/23/[$LATEST]0123456789abcdef0123456789abcdef`; with a group of the
/// user's own, the function's name stands before the version.
pub fn stream(at_ms: i64, function: &str, is_own_group: bool, version: VersionId, entropy: u128) -> String {
    let at = moment(at_ms);
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    let name = if is_own_group { function } else { "" };
    format!("{year:04}/{month:02}/{day:02}/{name}[{version}]{entropy:032x}")
}

fn instant(at_ms: i64) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    moment(at_ms).format(form).expect("a time has all of its parts")
}

fn moment(at_ms: i64) -> OffsetDateTime {
    let nanos = i128::from(at_ms) * 1_000_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_has_lambdas_form() {
        let ended = Status::Ended;
        let report = Report {
            request_id: "id",
            duration_ms: 1.234,
            billed_ms: 2,
            memory_mib: 128,
            memory_peak_mib: 36,
            init_ms: Some(90.119),
            status: &ended,
        };
        assert_eq!(
            report.to_string(),
            "REPORT RequestId: id\tDuration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tInit Duration: 90.12 ms\t\n"
        );
        let error = Status::Error { error_type: "Runtime.ExitError".to_owned() };
        let failed = Report { init_ms: None, status: &error, ..report };
        assert!(failed.to_string().ends_with("Used: 36 MB\tStatus: error\tError Type: Runtime.ExitError\n"));
        let timeout = Report { status: &Status::Timeout, ..failed };
        assert!(timeout.to_string().ends_with("Used: 36 MB\tStatus: timeout\n"));
    }

    #[test]
    fn other_lines_have_lambdas_form() {
        assert_eq!(
            Start { request_id: "id", version: VersionId::Latest }.to_string(),
            "START RequestId: id Version: $LATEST\n"
        );
        assert_eq!(
            Start { request_id: "id", version: VersionId::Number(7) }.to_string(),
            "START RequestId: id Version: 7\n"
        );
        assert_eq!(
            timed_out(1_712_595_382_000, "id", 3),
            "2024-04-08T16:56:22.000Z id Task timed out after 3.00 seconds\n\n"
        );
        assert_eq!(
            init_report(9999.79, false, &Status::Timeout),
            "INIT_REPORT Init Duration: 9999.79 ms\tPhase: init\tStatus: timeout\n"
        );
        let error = Status::Error { error_type: "Runtime.ExitError".to_owned() };
        assert_eq!(
            init_report(1.0, true, &error),
            "INIT_REPORT Init Duration: 1.00 ms\tPhase: invoke\tStatus: error\tError Type: Runtime.ExitError\n"
        );
    }

    #[test]
    fn streams_are_named_by_day_version_and_chance() {
        let at = 1_712_595_382_000;
        let hex = "0000000000000000000000000000000f";
        assert_eq!(stream(at, "f", false, VersionId::Latest, 15), format!("2024/04/08/[$LATEST]{hex}"));
        assert_eq!(stream(at, "f", true, VersionId::Number(3), 15), format!("2024/04/08/f[3]{hex}"));
        assert_eq!(stream(i64::MAX, "f", false, VersionId::Latest, 15), format!("1970/01/01/[$LATEST]{hex}"));
    }
}
