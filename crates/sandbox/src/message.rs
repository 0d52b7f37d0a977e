//! What daemon, spawner and sandbox say to each other.
//!
//! Both ends are the same binary, so the form carries no version. It is still parsed with care: a sandbox's first process
//! speaks it too, and a message that cannot be read must never bring the spawner down.

mod fields;
mod inside;
mod text;

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use fields::{
    read_exit, read_fault, read_outside, read_path, read_spec, write_exit, write_fault, write_outside,
    write_spec,
};
pub use inside::{Enter, FromInit, ToInit};
use text::{Malformed, Reader, Writer};

use crate::error::Fault;
use crate::spec::{Outside, Spec};
use crate::{CgroupVersion, Exit, Missing};

/// One way of making sandboxes that a host may allow, strongest first. A spawner process serves one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// Root, with a user namespace for each sandbox.
    RootMapped,
    /// Root, where user namespaces are not to be had.
    Root,
    /// Without privileges, through a user namespace.
    User,
    Landlock,
    Process,
}

impl Mode {
    pub const ALL: [Mode; 5] = [Mode::RootMapped, Mode::Root, Mode::User, Mode::Landlock, Mode::Process];

    /// Whether sandboxes have namespaces, and so a root and a network of their own.
    pub fn has_namespaces(self) -> bool {
        matches!(self, Mode::RootMapped | Mode::Root | Mode::User)
    }

    /// Whether each sandbox has a user namespace of its own.
    pub fn maps_users(self) -> bool {
        matches!(self, Mode::RootMapped | Mode::User)
    }
}

/// No sandbox's number.
const NO_TMP: u64 = u64::MAX;

/// From the daemon to the spawner. One is sent first: [`ToSpawner::Start`].
#[derive(Debug)]
pub enum ToSpawner {
    Start(Start),
    /// Comes with the write end of the output pipe, and where there are companions, of theirs; last with a hold of the `/tmp` that it is
    /// to have, if it is to have that of the sandbox `tmp_of`.
    Launch {
        request: u64,
        spec: Box<Spec>,
        tmp_of: Option<u64>,
    },
    /// Comes with the write end of the output pipe. The program is to start and to wait for its function.
    Park {
        request: u64,
        spec: Box<Spec>,
    },
    /// A sandbox that waits for its function is to become this one's.
    Adopt {
        request: u64,
        sandbox: u64,
        spec: Box<Spec>,
    },
    /// Sandboxes with these host paths will be wanted.
    Prepare {
        host_paths: Vec<PathBuf>,
    },
    /// Nobody waits for this launch any more.
    Abandon {
        request: u64,
    },
    /// Kill everything, leave nothing, end.
    Shutdown,
}

/// How a spawner is to work.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    pub mode: Mode,
    /// Prepared sandboxes kept ready for each set of host paths in use.
    pub spares: u32,
    /// A way out of sandboxes' networks.
    pub outside: Option<Outside>,
    /// Sandboxes are to have groups by which they can be held to a share of the CPU.
    pub cpu_shares: bool,
    /// Where private directories go at the levels without a mount namespace.
    pub state_directory: PathBuf,
    /// The name of this launcher's control groups.
    pub group: String,
}

/// From the spawner to the daemon.
#[derive(Debug)]
pub enum FromSpawner {
    /// Sandboxes of the asked mode can be made here.
    Ready {
        cgroups: CgroupVersion,
        missing: Vec<Missing>,
        /// Sandboxes have the way out that was asked for.
        has_outside: bool,
        /// They can be held to a share of the CPU, as was asked for.
        has_cpu_shares: bool,
    },
    /// They cannot. The spawner ends.
    Unable(Fault),
    /// Comes with the listener of the Runtime API, a pidfd of the sandbox's first process, the device of its way out, if it has
    /// one, and the connectors.
    Launched {
        request: u64,
        sandbox: u64,
        pid: u32,
        port: u16,
        memory: Option<MemoryFiles>,
        /// The device's descriptor follows on the pidfd; a hold of `/tmp` comes last, and the number of the
        /// sandbox whose user it belongs to.
        has: (bool, Option<u64>),
        /// By which it is frozen.
        freeze: Option<PathBuf>,
        /// By which it is held to a share of the CPU.
        share: Option<PathBuf>,
    },
    /// A parked program has taken its function.
    Adopted {
        request: u64,
    },
    Failed {
        request: u64,
        fault: Fault,
    },
    Exited {
        sandbox: u64,
        exit: Exit,
        peak_bytes: u64,
    },
    /// One of several programs, counted as in [`FromInit::ProgramEnded`].
    ProgramEnded {
        sandbox: u64,
        program: u32,
        exit: Exit,
    },
    ProgramFailed {
        sandbox: u64,
        program: u32,
        fault: Fault,
    },
}

/// Where a running sandbox's peak memory can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryFiles {
    pub peak: PathBuf,
}

impl ToSpawner {
    pub fn encode(&self) -> Vec<u8> {
        match self {
            ToSpawner::Start(start) => {
                let writer = Writer::new(0).byte(start.mode as u8).u32(start.spares);
                write_outside(writer, start.outside.as_ref())
                    .byte(u8::from(start.cpu_shares))
                    .bytes(start.state_directory.as_os_str().as_bytes())
                    .bytes(start.group.as_bytes())
                    .done()
            }
            ToSpawner::Launch { request, spec, tmp_of } => ToSpawner::launch(*request, spec, *tmp_of),
            ToSpawner::Shutdown => Writer::new(2).done(),
            ToSpawner::Prepare { host_paths } => {
                Writer::new(3).list(host_paths.iter().map(|path| path.as_os_str().as_bytes())).done()
            }
            ToSpawner::Abandon { request } => Writer::new(4).u64(*request).done(),
            ToSpawner::Park { request, spec } => ToSpawner::park(*request, spec),
            ToSpawner::Adopt { request, sandbox, spec } => ToSpawner::adopt(*request, *sandbox, spec),
        }
    }

    /// The bytes of [`ToSpawner::Launch`].
    pub fn launch(request: u64, spec: &Spec, tmp_of: Option<u64>) -> Vec<u8> {
        write_spec(Writer::new(1).u64(request).u64(tmp_of.unwrap_or(NO_TMP)), spec).done()
    }

    /// The bytes of [`ToSpawner::Park`].
    pub fn park(request: u64, spec: &Spec) -> Vec<u8> {
        write_spec(Writer::new(5).u64(request), spec).done()
    }

    /// The bytes of [`ToSpawner::Adopt`].
    pub fn adopt(request: u64, sandbox: u64, spec: &Spec) -> Vec<u8> {
        write_spec(Writer::new(6).u64(request).u64(sandbox), spec).done()
    }

    pub fn decode(bytes: &[u8]) -> Result<ToSpawner, Malformed> {
        let mut reader = Reader::new(bytes);
        let message = match reader.byte()? {
            0 => ToSpawner::Start(Start {
                mode: *Mode::ALL.get(usize::from(reader.byte()?)).ok_or(Malformed)?,
                spares: reader.u32()?,
                outside: read_outside(&mut reader)?,
                cpu_shares: reader.byte()? != 0,
                state_directory: read_path(&mut reader)?,
                group: reader.string()?,
            }),
            1 => {
                let (request, tmp_of) = (reader.u64()?, Some(reader.u64()?).filter(|of| *of != NO_TMP));
                ToSpawner::Launch { request, spec: Box::new(read_spec(&mut reader)?), tmp_of }
            }
            2 => ToSpawner::Shutdown,
            3 => ToSpawner::Prepare { host_paths: reader.list(read_path)? },
            4 => ToSpawner::Abandon { request: reader.u64()? },
            5 => ToSpawner::Park { request: reader.u64()?, spec: Box::new(read_spec(&mut reader)?) },
            6 => ToSpawner::Adopt {
                request: reader.u64()?,
                sandbox: reader.u64()?,
                spec: Box::new(read_spec(&mut reader)?),
            },
            _ => return Err(Malformed),
        };
        reader.end(message)
    }
}

impl FromSpawner {
    pub fn encode(&self) -> Vec<u8> {
        match self {
            FromSpawner::Ready { cgroups, missing, has_outside, has_cpu_shares } => {
                let words =
                    missing.iter().flat_map(|missing| [missing.what.as_bytes(), missing.why.as_bytes()]);
                let said = Writer::new(0).byte(*cgroups as u8).list(words).byte(u8::from(*has_outside));
                said.byte(u8::from(*has_cpu_shares)).done()
            }
            FromSpawner::Unable(fault) => write_fault(Writer::new(1), *fault).done(),
            FromSpawner::Launched { request, sandbox, pid, port, memory, has, freeze, share } => {
                let files = memory.iter().map(|files| files.peak.as_os_str().as_bytes());
                let numbers =
                    Writer::new(2).u64(*request).u64(*sandbox).u32(*pid).u32(u32::from(*port)).list(files);
                let [freeze, share] =
                    [freeze, share].map(|file| file.iter().map(|file| file.as_os_str().as_bytes()));
                numbers.byte(u8::from(has.0)).u64(has.1.unwrap_or(NO_TMP)).list(freeze).list(share).done()
            }
            FromSpawner::Failed { request, fault } => {
                write_fault(Writer::new(3).u64(*request), *fault).done()
            }
            FromSpawner::Exited { sandbox, exit, peak_bytes } => {
                write_exit(Writer::new(4).u64(*sandbox), *exit).u64(*peak_bytes).done()
            }
            FromSpawner::ProgramEnded { sandbox, program, exit } => {
                write_exit(Writer::new(5).u64(*sandbox).u32(*program), *exit).done()
            }
            FromSpawner::ProgramFailed { sandbox, program, fault } => {
                write_fault(Writer::new(6).u64(*sandbox).u32(*program), *fault).done()
            }
            FromSpawner::Adopted { request } => Writer::new(7).u64(*request).done(),
        }
    }

    pub fn decode(bytes: &[u8]) -> Result<FromSpawner, Malformed> {
        let mut reader = Reader::new(bytes);
        let message = match reader.byte()? {
            0 => read_ready(&mut reader)?,
            1 => FromSpawner::Unable(read_fault(&mut reader)?),
            2 => FromSpawner::Launched {
                request: reader.u64()?,
                sandbox: reader.u64()?,
                pid: reader.u32()?,
                port: u16::try_from(reader.u32()?).map_err(|_| Malformed)?,
                memory: reader.list(read_path)?.pop().map(|peak| MemoryFiles { peak }),
                has: (reader.byte()? != 0, Some(reader.u64()?).filter(|of| *of != NO_TMP)),
                freeze: reader.list(read_path)?.pop(),
                share: reader.list(read_path)?.pop(),
            },
            3 => FromSpawner::Failed { request: reader.u64()?, fault: read_fault(&mut reader)? },
            4 => FromSpawner::Exited {
                sandbox: reader.u64()?,
                exit: read_exit(&mut reader)?,
                peak_bytes: reader.u64()?,
            },
            5 => FromSpawner::ProgramEnded {
                sandbox: reader.u64()?,
                program: reader.u32()?,
                exit: read_exit(&mut reader)?,
            },
            6 => FromSpawner::ProgramFailed {
                sandbox: reader.u64()?,
                program: reader.u32()?,
                fault: read_fault(&mut reader)?,
            },
            7 => FromSpawner::Adopted { request: reader.u64()? },
            _ => return Err(Malformed),
        };
        reader.end(message)
    }
}

fn read_ready(reader: &mut Reader<'_>) -> Result<FromSpawner, Malformed> {
    let cgroups = match reader.byte()? {
        0 => CgroupVersion::None,
        1 => CgroupVersion::V1,
        2 => CgroupVersion::V2,
        _ => return Err(Malformed),
    };
    let mut missing = Vec::new();
    let mut words = reader.list(Reader::string)?.into_iter();
    while let Some(what) = words.next() {
        missing.push(Missing { what, why: words.next().ok_or(Malformed)? });
    }
    Ok(FromSpawner::Ready {
        cgroups,
        missing,
        has_outside: reader.byte()? != 0,
        has_cpu_shares: reader.byte()? != 0,
    })
}

#[cfg(test)]
mod tests;
