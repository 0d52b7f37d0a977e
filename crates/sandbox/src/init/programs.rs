//! The programs that a first process starts: companions, where there are any, then the program when it is told to.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;

use rustix::fs::Mode;
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, Signal};

use super::{Setup, c_string, c_strings, confine, tell};
use crate::error::{At, Fault, Step};
use crate::kernel;
use crate::message::{Enter, FromInit};
use crate::spec::IDENTITY_DESCRIPTOR;

/// Where companions find themselves.
const COMPANIONS_DIRECTORY: &str = "/";

/// What runs in a sandbox, as its first process knows it.
#[derive(Default)]
pub struct Programs {
    /// The program; `None` before it is started and after it has ended.
    program: Option<Pid>,
    companions: Vec<Option<Pid>>,
    /// Companions that could not be executed, until that is told.
    failed: Vec<FromInit>,
    /// What a program that waits for its order will write to.
    output: Option<OwnedFd>,
    status: Option<i32>,
}

impl Programs {
    /// Starts the program, or where there are companions, those.
    pub fn start(
        setup: &Setup<'_>,
        request: &Enter,
        output: OwnedFd,
        companions_output: Option<OwnedFd>,
    ) -> Result<Programs, Fault> {
        let mut programs = Programs::default();
        let Some(companions_output) = companions_output else {
            programs.program = Some(execute(setup, request, &the_program(request), output.as_fd(), None)?);
            return Ok(programs);
        };
        programs.output = Some(output);
        let env = environment_without(request);
        for (index, program) in request.companions.iter().enumerate() {
            let directory = OsStr::new(COMPANIONS_DIRECTORY);
            let companion = Executable { program, args: &[], env: &env, working_dir: directory };
            match execute(setup, request, &companion, companions_output.as_fd(), None) {
                Ok(pid) => programs.companions.push(Some(pid)),
                Err(fault) => {
                    programs.companions.push(None);
                    programs.failed.push(FromInit::ProgramFailed { program: number(index + 1), fault });
                }
            }
        }
        Ok(programs)
    }

    /// A program that runs already, without companions.
    pub fn only(program: Pid) -> Programs {
        Programs { program: Some(program), ..Programs::default() }
    }

    /// Says which companions could not be executed, to who knows already that this sandbox runs.
    pub fn tell_failed(&mut self, control: BorrowedFd<'_>) {
        self.failed.drain(..).for_each(|failed| tell(control, failed, &[]));
    }

    /// Starts the program that waits, or tells the one that runs to end.
    pub fn start_or_terminate(&mut self, setup: &Setup<'_>, request: &Enter) {
        let Some(output) = self.output.take() else { return self.signal(Signal::TERM) };
        match execute(setup, request, &the_program(request), output.as_fd(), None) {
            Ok(pid) => self.program = Some(pid),
            Err(fault) => tell(setup.control, FromInit::ProgramFailed { program: 0, fault }, &[]),
        }
    }

    /// Signals the program, if it runs.
    pub fn signal(&self, signal: Signal) {
        if let Some(program) = self.program {
            let _ = rustix::process::kill_process(program, signal);
        }
    }

    /// A child has ended. If others may outlive it, it is told which.
    pub fn note(&mut self, control: BorrowedFd<'_>, pid: Pid, status: i32) {
        let has_companions = !self.companions.is_empty();
        let ended = if self.program == Some(pid) {
            (self.program, self.status) = (None, Some(status));
            Some(0)
        } else {
            let place = self.companions.iter().position(|companion| *companion == Some(pid));
            place.map(|place| {
                self.companions[place] = None;
                place + 1
            })
        };
        if let Some(program) = ended.filter(|_| has_companions) {
            tell(control, FromInit::ProgramEnded { program: number(program), status }, &[]);
        }
    }

    /// Whether all have ended, and then how the program did; `None` in it if it could not be executed.
    pub fn end(&self) -> Option<Option<i32>> {
        let mut all = std::iter::once(&self.program).chain(&self.companions);
        (self.output.is_none() && all.all(Option::is_none)).then_some(self.status)
    }

    /// The processes of those that run.
    pub fn running(&self) -> impl Iterator<Item = Pid> {
        self.program.into_iter().chain(self.companions.iter().flatten().copied())
    }
}

struct Executable<'a> {
    program: &'a OsStr,
    args: &'a [OsString],
    env: &'a [OsString],
    working_dir: &'a OsStr,
}

fn the_program(request: &Enter) -> Executable<'_> {
    let Enter { program, args, env, working_dir, .. } = request;
    Executable { program, args, env, working_dir }
}

fn environment_without(request: &Enter) -> Vec<OsString> {
    let is_left_out = |variable: &OsString| {
        let name = variable.as_bytes().split(|byte| *byte == b'=').next();
        request.companions_env_without.iter().any(|left_out| name == Some(left_out.as_bytes()))
    };
    request.env.iter().filter(|variable| !is_left_out(variable)).cloned().collect()
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// Starts a program that waits for its function: it is given the end of the socket by which it will be told.
pub fn start_waiting(
    setup: &Setup<'_>,
    request: &Enter,
    output: BorrowedFd<'_>,
    told_by: BorrowedFd<'_>,
) -> Result<Pid, Fault> {
    execute(setup, request, &the_program(request), output, Some(told_by))
}

/// Forks a program's process and waits until it has been executed, or has said why not.
fn execute(
    setup: &Setup<'_>,
    request: &Enter,
    executable: &Executable<'_>,
    output: BorrowedFd<'_>,
    told_by: Option<BorrowedFd<'_>>,
) -> Result<Pid, Fault> {
    let program = c_string(executable.program)?;
    let mut arguments = vec![program.clone()];
    arguments.extend(c_strings(executable.args)?);
    let environment = c_strings(executable.env)?;

    let (failure, failed) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).at(Step::Fork)?;
    let become_program = || {
        let fault = match become_guest(setup, request, executable, output, &failed, told_by) {
            Err(fault) => fault,
            Ok(()) => Fault::new(Step::Program, errno(&kernel::execute(&program, &arguments, &environment))),
        };
        let mut words = [0; 8];
        words[0] = fault.step as u8;
        words[4..].copy_from_slice(&fault.errno.to_le_bytes());
        let _ = rustix::io::write(&failed, &words);
    };
    // Of one that waits the working directory is this process's own, which leads it to the code once that is mounted: not every
    // interpreter can go there by itself.
    let pid = match told_by {
        Some(_) => {
            let shared = u64::from(libc::CLONE_FS.cast_unsigned());
            let child = || {
                become_program();
                kernel::exit_now(127)
            };
            kernel::clone_process(shared, None, child).at(Step::Fork)?.pid
        }
        None => match kernel::fork().at(Step::Fork)? {
            Some(pid) => pid,
            None => {
                become_program();
                kernel::exit_now(127)
            }
        },
    };
    drop(failed);
    let mut words = [0; 8];
    match rustix::io::retry_on_intr(|| rustix::io::read(&failure, &mut words)).at(Step::Fork)? {
        0 => Ok(pid),
        _ => {
            let [step, _, _, _, errno @ ..] = words;
            let step = Step::from_byte(step).unwrap_or(Step::Program);
            Err(Fault::new(step, i32::from_le_bytes(errno)))
        }
    }
}

/// What a program's process does before it becomes the program.
fn become_guest(
    setup: &Setup<'_>,
    request: &Enter,
    executable: &Executable<'_>,
    output: BorrowedFd<'_>,
    failed: &OwnedFd,
    told_by: Option<BorrowedFd<'_>>,
) -> Result<(), Fault> {
    kernel::place(output, 1).at(Step::Streams)?;
    kernel::place(output, 2).at(Step::Streams)?;
    if let Some(told_by) = told_by {
        kernel::place(told_by, IDENTITY_DESCRIPTOR).at(Step::Streams)?;
    }
    let kept = [Some(failed.as_raw_fd()), told_by.map(|_| IDENTITY_DESCRIPTOR)];
    kernel::close_inherited(3, &kept.into_iter().flatten().collect::<Vec<_>>()).at(Step::Streams)?;
    rustix::process::setsid().at(Step::Streams)?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    kernel::reset_signals();
    // Of one that waits the first process keeps its privileges until the function comes.
    if !setup.mode.has_namespaces() || told_by.is_some() {
        confine::give_up_privileges(setup.identity)?;
        confine::landlock(setup.mode, request)?;
        confine::filter(setup.filter)?;
    }
    rustix::process::chdir(executable.working_dir).at(Step::WorkingDirectory)
}

fn errno(error: &std::io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}
