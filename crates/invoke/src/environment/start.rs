//! The start of an environment's process, and how it fails.

use std::time::Instant;

use super::State;
use super::ms;
use crate::clock;
use crate::extensions::EXTENSIONS_MAX;
use crate::fault::{Ending, Fault, Status};
use crate::lines::Line;
use crate::runtime::NoEntryPoint;

/// One start.
#[derive(Debug)]
pub(super) struct Start {
    pub began: Instant,
    pub deadline: Instant,
    /// It runs inside an invocation, after one that failed before it.
    pub is_retry: bool,
    pub fault: Option<StartFault>,
}

/// Why a process never asked for an invocation.
#[derive(Debug, Clone)]
pub(super) enum StartFault {
    NoEntryPoint(NoEntryPoint),
    Unstartable {
        program: String,
        why: String,
    },
    /// Its runtime said why.
    Reported(Fault),
    Exit(Ending),
    Timeout,
    /// An extension ended, or said that it can't start, or couldn't be started.
    Extension {
        error_type: &'static str,
        why: String,
    },
    TooManyExtensions,
}

impl StartFault {
    /// A second start would fail just the same.
    pub fn is_certain(&self) -> bool {
        matches!(
            self,
            StartFault::NoEntryPoint(_) | StartFault::Unstartable { .. } | StartFault::TooManyExtensions
        )
    }

    /// As the caller of an invocation sees it.
    pub fn fault(&self, request_id: &str, timeout_s: u32) -> Fault {
        match self {
            StartFault::NoEntryPoint(NoEntryPoint::JavaClient) => Fault::no_java_client(request_id),
            StartFault::NoEntryPoint(NoEntryPoint::Bootstrap) => {
                Fault::no_bootstrap(request_id, &["/var/task/bootstrap", "/opt/bootstrap"])
            }
            StartFault::Unstartable { program, why } => Fault::unstartable(request_id, program, why),
            // Of an invocation REPORT says nothing more when its function reports an error; of a start it does.
            StartFault::Reported(fault) => Fault { status: self.status(), ..fault.clone() },
            StartFault::Exit(ending) => Fault::exit(request_id, *ending),
            StartFault::Timeout => Fault::timeout(request_id, timeout_s),
            StartFault::Extension { error_type, why } => Fault::extension(error_type, request_id, why),
            StartFault::TooManyExtensions => {
                let why = format!("more than {EXTENSIONS_MAX} extensions in /opt/extensions");
                Fault::extension("Extension.LaunchError", request_id, &why)
            }
        }
    }

    fn status(&self) -> Status {
        let error_type = match self {
            StartFault::Timeout => return Status::Timeout,
            StartFault::NoEntryPoint(_) | StartFault::Unstartable { .. } => "Runtime.InvalidEntrypoint",
            StartFault::Reported(fault) => &fault.error_type,
            StartFault::Exit(Ending { out_of_memory: true, .. }) => "Runtime.OutOfMemory",
            StartFault::Exit(_) => "Runtime.ExitError",
            StartFault::Extension { error_type, .. } => error_type,
            StartFault::TooManyExtensions => "Extension.LaunchError",
        };
        Status::Error { error_type: error_type.to_owned() }
    }
}

impl State {
    /// `INIT_REPORT`.
    pub(super) fn report_start(&mut self, is_retry: bool, fault: &StartFault) {
        let init_ms = ms(self.start.began.elapsed());
        let (now_ms, is_provisioned) = (clock::now_ms(), self.is_provisioned);
        self.output.catch_up(now_ms);
        self.say_extensions();
        let status = fault.status();
        self.output.relay(now_ms, &Line::InitRuntimeDone { is_retry, is_provisioned, status: &status });
        let report = Line::InitReport { init_ms, is_retry, is_provisioned, status };
        self.output.say(now_ms, &report);
    }
}
