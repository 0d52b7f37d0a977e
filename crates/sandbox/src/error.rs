//! What can go wrong, in the sandbox's own words.

use std::io;

use crate::{Level, Report};

/// The step of a sandbox's making that failed. Said in errors and in the report, so that a host's refusal can be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// The kernel refused the process or its namespaces.
    Clone,
    /// The user and group map of the new user namespace.
    IdentityMap,
    /// Making or entering the control groups.
    ControlGroup,
    /// Bringing the loopback interface up, or listening on it.
    Network,
    /// The read-only root and what is mounted in it.
    Root,
    /// Leaving the host's root behind.
    Pivot,
    /// `/proc` of the new pid namespace.
    Proc,
    /// The function's code, its layers or the runtime's files.
    Code,
    /// The private `/tmp`.
    Tmp,
    /// User, groups, capabilities, no-new-privileges.
    Privileges,
    /// The landlock rules.
    Landlock,
    /// The system-call filter.
    Seccomp,
    /// Resource limits.
    Limits,
    /// Standard input, output and error.
    Streams,
    /// Starting the second process.
    Fork,
    /// Entering the working directory.
    WorkingDirectory,
    /// Executing the program.
    Program,
    /// The exchange between the processes involved.
    Exchange,
}

impl Step {
    const ALL: [Step; 18] = [
        Step::Clone,
        Step::IdentityMap,
        Step::ControlGroup,
        Step::Network,
        Step::Root,
        Step::Pivot,
        Step::Proc,
        Step::Code,
        Step::Tmp,
        Step::Privileges,
        Step::Landlock,
        Step::Seccomp,
        Step::Limits,
        Step::Streams,
        Step::Fork,
        Step::WorkingDirectory,
        Step::Program,
        Step::Exchange,
    ];

    pub(crate) fn from_byte(byte: u8) -> Option<Step> {
        Step::ALL.get(usize::from(byte)).copied()
    }

    /// What was being done, as a phrase.
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Clone => "making the namespaces",
            Step::IdentityMap => "mapping the user",
            Step::ControlGroup => "entering the control groups",
            Step::Network => "listening on the private loopback",
            Step::Root => "building the read-only root",
            Step::Pivot => "leaving the host's root",
            Step::Proc => "mounting /proc",
            Step::Code => "mounting the code",
            Step::Tmp => "mounting /tmp",
            Step::Privileges => "giving up privileges",
            Step::Landlock => "applying the landlock rules",
            Step::Seccomp => "applying the system-call filter",
            Step::Limits => "setting the limits",
            Step::Streams => "opening the standard streams",
            Step::Fork => "starting the program's process",
            Step::WorkingDirectory => "entering the working directory",
            Step::Program => "executing the program",
            Step::Exchange => "talking between sandbox and spawner",
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A step that failed, with the kernel's reason. Travels between the processes as two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub step: Step,
    pub errno: i32,
}

impl Fault {
    pub fn new(step: Step, errno: i32) -> Fault {
        Fault { step, errno }
    }

    pub fn source(self) -> io::Error {
        io::Error::from_raw_os_error(self.errno)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.step, self.source())
    }
}

/// Names the step of a failing system call: `call().at(Step::Root)?`.
pub(crate) trait At<T> {
    fn at(self, step: Step) -> Result<T, Fault>;
}

impl<T> At<T> for rustix::io::Result<T> {
    fn at(self, step: Step) -> Result<T, Fault> {
        self.map_err(|errno| Fault::new(step, errno.raw_os_error()))
    }
}

impl<T> At<T> for io::Result<T> {
    fn at(self, step: Step) -> Result<T, Fault> {
        self.map_err(|error| Fault::new(step, error.raw_os_error().unwrap_or(libc::EIO)))
    }
}

/// Why a launcher could not start or a sandbox could not be launched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The spawner process could not be started, or does not answer as one.
    #[error("cannot start the spawner process")]
    Spawner(#[source] io::Error),
    /// The host gives less isolation than the configuration asks for.
    #[error("at least isolation level {wanted} is asked for, and this host allows {}: {}", found.level, found.why_not(*wanted))]
    TooWeak { wanted: Level, found: Box<Report> },
    /// The specification asks for something that cannot be given.
    #[error("{0}")]
    Spec(String),
    /// The program does not exist, is not executable, or its interpreter is missing.
    #[error("cannot execute {program}")]
    Program { program: String, source: io::Error },
    /// The working directory does not exist or cannot be entered.
    #[error("cannot enter working directory {directory}")]
    WorkingDirectory { directory: String, source: io::Error },
    /// The kernel refused a step of the sandbox's making.
    #[error("sandbox failed while {step}")]
    Step { step: Step, source: io::Error },
    /// As many sandboxes as the configuration allows are running.
    #[error("{limit} sandboxes are running, no more are allowed")]
    TooMany { limit: u32 },
    /// The sandbox was not ready in time; it has been killed.
    #[error("sandbox was not ready within {seconds} s")]
    Deadline { seconds: u64 },
    /// The spawner process ended while the sandbox was being made. The next launch starts another.
    #[error("the spawner process ended")]
    SpawnerEnded,
    /// The launcher has been shut down.
    #[error("the launcher has been shut down")]
    ShutDown,
}
