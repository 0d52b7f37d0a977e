//! What daemon, spawner and sandbox say to each other.
//!
//! Both ends are the same binary, so the form carries no version. It is still parsed with care: a sandbox's first process
//! speaks it too, and a message that cannot be read must never bring the spawner down.

mod text;

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use text::{Malformed, Reader, Writer};

use crate::error::{Fault, Step};
use crate::spec::{Companions, Outside, Spec};
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

/// From the daemon to the spawner. One is sent first: [`ToSpawner::Start`].
#[derive(Debug)]
pub enum ToSpawner {
    Start(Start),
    /// Comes with the write end of the output pipe, and where there are companions, of theirs.
    Launch {
        request: u64,
        spec: Box<Spec>,
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
        /// The device's descriptor follows on the pidfd.
        has_device: bool,
        /// By which it is frozen.
        freeze: Option<PathBuf>,
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

/// From the spawner to a sandbox's first process.
#[derive(Debug)]
pub enum ToInit {
    /// Users are mapped, go on.
    Go,
    Enter(Box<Enter>),
    /// To one whose program waits: what it is to become. Comes with the detached mounts of code and layers as far as given.
    Adopt(Box<Enter>),
}

/// Everything a prepared sandbox has to know to become one function's.
///
/// Comes with descriptors: the output pipe, then at the namespace levels the detached mounts of code, layers and runtime as far as given.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Enter {
    pub program: OsString,
    pub args: Vec<OsString>,
    /// `NAME=value`.
    pub env: Vec<OsString>,
    pub working_dir: OsString,
    pub has_code: bool,
    pub has_layers: bool,
    pub has_runtime: bool,
    pub memory_bytes: u64,
    pub tmp_bytes: u64,
    pub processes_max: u32,
    pub open_files_max: u32,
    /// At the levels without a mount namespace: what may be read and executed.
    pub readable: Vec<PathBuf>,
    /// At the levels without a mount namespace: the private directory.
    pub private_directory: PathBuf,
    /// At the levels without a network namespace: the one port that may be called.
    pub runtime_api_port: u16,
    /// Whether the sandbox watches its own memory because no control group does.
    pub watch_memory: bool,
    /// Whether the program is to wait for its function.
    pub is_parked: bool,
    pub companions: Vec<OsString>,
    pub companions_env_without: Vec<OsString>,
    pub connectors: u32,
}

/// From a sandbox's first process to the spawner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FromInit {
    /// Comes with the listener.
    Prepared {
        port: u16,
    },
    Failed(Fault),
    /// The program has been executed, or its companions; one that is to wait for its function does. Comes with the connectors.
    Started,
    /// The program that waited has taken its function.
    Adopted,
    /// The wait status of one of several programs: 0 is the program, the first companion is 1.
    ProgramEnded {
        program: u32,
        status: i32,
    },
    /// One of several programs could not be executed.
    ProgramFailed {
        program: u32,
        fault: Fault,
    },
    /// The program's wait status. Everything else in the sandbox ends with it.
    Ended {
        status: i32,
        out_of_memory: bool,
        peak_bytes: u64,
    },
}

impl ToSpawner {
    pub fn encode(&self) -> Vec<u8> {
        match self {
            ToSpawner::Start(start) => {
                let writer = Writer::new(0).byte(start.mode as u8).u32(start.spares);
                write_outside(writer, start.outside.as_ref())
                    .bytes(start.state_directory.as_os_str().as_bytes())
                    .bytes(start.group.as_bytes())
                    .done()
            }
            ToSpawner::Launch { request, spec } => ToSpawner::launch(*request, spec),
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
    pub fn launch(request: u64, spec: &Spec) -> Vec<u8> {
        write_spec(Writer::new(1).u64(request), spec).done()
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
                state_directory: read_path(&mut reader)?,
                group: reader.string()?,
            }),
            1 => ToSpawner::Launch { request: reader.u64()?, spec: Box::new(read_spec(&mut reader)?) },
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

fn write_spec(writer: Writer, spec: &Spec) -> Writer {
    let optional =
        |path: &Option<PathBuf>| path.iter().map(|path| path.as_os_str().as_bytes().to_vec()).collect();
    let texts = |texts: &[String]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    let lists: [Vec<Vec<u8>>; 7] = [
        texts(&spec.args),
        spec.env
            .iter()
            .flat_map(|(name, value)| [name, value])
            .map(|text| text.as_bytes().to_vec())
            .collect(),
        optional(&spec.layers),
        optional(&spec.runtime),
        spec.host_read_only.iter().map(|path| path.as_os_str().as_bytes().to_vec()).collect(),
        texts(&spec.companions.programs),
        texts(&spec.companions.env_without),
    ];
    let writer = writer
        .bytes(spec.program.as_bytes())
        .bytes(spec.working_dir.as_bytes())
        .bytes(spec.code.as_os_str().as_bytes())
        .u64(spec.memory_bytes)
        .u64(spec.tmp_bytes)
        .u32(spec.processes_max)
        .u32(spec.open_files_max)
        .u32(spec.connectors)
        .u64(spec.cpu_share.unwrap_or(0.0).to_bits());
    lists.iter().fold(writer, |writer, list| writer.list(list.iter().map(Vec::as_slice)))
}

fn read_spec(reader: &mut Reader<'_>) -> Result<Spec, Malformed> {
    let program = reader.string()?;
    let working_dir = reader.string()?;
    let code = read_path(reader)?;
    let memory_bytes = reader.u64()?;
    let tmp_bytes = reader.u64()?;
    let processes_max = reader.u32()?;
    let open_files_max = reader.u32()?;
    let connectors = reader.u32()?;
    let share = f64::from_bits(reader.u64()?);
    let args = reader.list(Reader::string)?;
    let mut env = Vec::new();
    let mut words = reader.list(Reader::string)?.into_iter();
    while let Some(name) = words.next() {
        env.push((name, words.next().ok_or(Malformed)?));
    }
    Ok(Spec {
        program,
        args,
        env,
        working_dir,
        code,
        layers: reader.list(read_path)?.pop(),
        runtime: reader.list(read_path)?.pop(),
        host_read_only: reader.list(read_path)?,
        companions: Companions {
            programs: reader.list(Reader::string)?,
            env_without: reader.list(Reader::string)?,
        },
        connectors,
        memory_bytes,
        tmp_bytes,
        processes_max,
        open_files_max,
        cpu_share: (share > 0.0).then_some(share),
    })
}

impl FromSpawner {
    pub fn encode(&self) -> Vec<u8> {
        match self {
            FromSpawner::Ready { cgroups, missing, has_outside } => {
                let words =
                    missing.iter().flat_map(|missing| [missing.what.as_bytes(), missing.why.as_bytes()]);
                Writer::new(0).byte(*cgroups as u8).list(words).byte(u8::from(*has_outside)).done()
            }
            FromSpawner::Unable(fault) => write_fault(Writer::new(1), *fault).done(),
            FromSpawner::Launched { request, sandbox, pid, port, memory, has_device, freeze } => {
                let files = memory.iter().map(|files| files.peak.as_os_str().as_bytes());
                let numbers =
                    Writer::new(2).u64(*request).u64(*sandbox).u32(*pid).u32(u32::from(*port)).list(files);
                let freeze = freeze.iter().map(|file| file.as_os_str().as_bytes());
                numbers.byte(u8::from(*has_device)).list(freeze).done()
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
                has_device: reader.byte()? != 0,
                freeze: reader.list(read_path)?.pop(),
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
    Ok(FromSpawner::Ready { cgroups, missing, has_outside: reader.byte()? != 0 })
}

impl ToInit {
    pub fn encode(&self) -> Vec<u8> {
        match self {
            ToInit::Go => Writer::new(0).done(),
            ToInit::Enter(enter) => write_enter(Writer::new(1), enter).done(),
            ToInit::Adopt(enter) => write_enter(Writer::new(2), enter).done(),
        }
    }

    pub fn decode(bytes: &[u8]) -> Result<ToInit, Malformed> {
        let mut reader = Reader::new(bytes);
        let message = match reader.byte()? {
            0 => ToInit::Go,
            1 => ToInit::Enter(Box::new(read_enter(&mut reader)?)),
            2 => ToInit::Adopt(Box::new(read_enter(&mut reader)?)),
            _ => return Err(Malformed),
        };
        reader.end(message)
    }
}

fn write_enter(writer: Writer, enter: &Enter) -> Writer {
    writer
        .bytes(enter.program.as_bytes())
        .bytes(enter.working_dir.as_bytes())
        .bytes(enter.private_directory.as_os_str().as_bytes())
        .list(enter.args.iter().map(|text| text.as_bytes()))
        .list(enter.env.iter().map(|text| text.as_bytes()))
        .list(enter.readable.iter().map(|path| path.as_os_str().as_bytes()))
        .list(enter.companions.iter().map(|text| text.as_bytes()))
        .list(enter.companions_env_without.iter().map(|text| text.as_bytes()))
        .byte(u8::from(enter.has_code))
        .byte(u8::from(enter.has_layers))
        .byte(u8::from(enter.has_runtime))
        .byte(u8::from(enter.watch_memory))
        .byte(u8::from(enter.is_parked))
        .u64(enter.memory_bytes)
        .u64(enter.tmp_bytes)
        .u32(enter.processes_max)
        .u32(enter.open_files_max)
        .u32(u32::from(enter.runtime_api_port))
        .u32(enter.connectors)
}

fn read_enter(reader: &mut Reader<'_>) -> Result<Enter, Malformed> {
    Ok(Enter {
        program: read_os(reader)?,
        working_dir: read_os(reader)?,
        private_directory: read_path(reader)?,
        args: reader.list(read_os)?,
        env: reader.list(read_os)?,
        readable: reader.list(read_path)?,
        companions: reader.list(read_os)?,
        companions_env_without: reader.list(read_os)?,
        has_code: reader.byte()? != 0,
        has_layers: reader.byte()? != 0,
        has_runtime: reader.byte()? != 0,
        watch_memory: reader.byte()? != 0,
        is_parked: reader.byte()? != 0,
        memory_bytes: reader.u64()?,
        tmp_bytes: reader.u64()?,
        processes_max: reader.u32()?,
        open_files_max: reader.u32()?,
        runtime_api_port: u16::try_from(reader.u32()?).map_err(|_| Malformed)?,
        connectors: reader.u32()?,
    })
}

impl FromInit {
    pub fn encode(&self) -> Vec<u8> {
        match self {
            FromInit::Prepared { port } => Writer::new(0).u32(u32::from(*port)).done(),
            FromInit::Failed(fault) => write_fault(Writer::new(1), *fault).done(),
            FromInit::Started => Writer::new(2).done(),
            FromInit::Adopted => Writer::new(6).done(),
            FromInit::Ended { status, out_of_memory, peak_bytes } => {
                Writer::new(3).optional(Some(*status)).byte(u8::from(*out_of_memory)).u64(*peak_bytes).done()
            }
            FromInit::ProgramEnded { program, status } => {
                Writer::new(4).u32(*program).optional(Some(*status)).done()
            }
            FromInit::ProgramFailed { program, fault } => {
                write_fault(Writer::new(5).u32(*program), *fault).done()
            }
        }
    }

    pub fn decode(bytes: &[u8]) -> Result<FromInit, Malformed> {
        let mut reader = Reader::new(bytes);
        let message = match reader.byte()? {
            0 => FromInit::Prepared { port: u16::try_from(reader.u32()?).map_err(|_| Malformed)? },
            1 => FromInit::Failed(read_fault(&mut reader)?),
            2 => FromInit::Started,
            3 => FromInit::Ended {
                status: reader.optional()?.ok_or(Malformed)?,
                out_of_memory: reader.byte()? != 0,
                peak_bytes: reader.u64()?,
            },
            4 => FromInit::ProgramEnded {
                program: reader.u32()?,
                status: reader.optional()?.ok_or(Malformed)?,
            },
            5 => FromInit::ProgramFailed { program: reader.u32()?, fault: read_fault(&mut reader)? },
            6 => FromInit::Adopted,
            _ => return Err(Malformed),
        };
        reader.end(message)
    }
}

fn write_outside(writer: Writer, outside: Option<&Outside>) -> Writer {
    let writer = writer.byte(u8::from(outside.is_some()));
    outside.into_iter().fold(writer, |writer, outside| {
        writer
            .u32(outside.address.to_bits())
            .u32(outside.router.to_bits())
            .byte(outside.prefix_bits)
            .u32(u32::from(outside.packet_bytes_max))
    })
}

fn read_outside(reader: &mut Reader<'_>) -> Result<Option<Outside>, Malformed> {
    if reader.byte()? == 0 {
        return Ok(None);
    }
    Ok(Some(Outside {
        address: Ipv4Addr::from_bits(reader.u32()?),
        router: Ipv4Addr::from_bits(reader.u32()?),
        prefix_bits: reader.byte()?,
        packet_bytes_max: u16::try_from(reader.u32()?).map_err(|_| Malformed)?,
    }))
}

fn write_exit(writer: Writer, exit: Exit) -> Writer {
    writer.optional(exit.code).optional(exit.signal).byte(u8::from(exit.out_of_memory))
}

fn read_exit(reader: &mut Reader<'_>) -> Result<Exit, Malformed> {
    let (code, signal) = (reader.optional()?, reader.optional()?);
    Ok(Exit { code, signal, out_of_memory: reader.byte()? != 0 })
}

fn write_fault(writer: Writer, fault: Fault) -> Writer {
    writer.byte(fault.step as u8).optional(Some(fault.errno))
}

fn read_fault(reader: &mut Reader<'_>) -> Result<Fault, Malformed> {
    let step = Step::from_byte(reader.byte()?).ok_or(Malformed)?;
    Ok(Fault::new(step, reader.optional()?.ok_or(Malformed)?))
}

fn read_os(reader: &mut Reader<'_>) -> Result<OsString, Malformed> {
    Ok(OsString::from_vec(reader.bytes()?.to_vec()))
}

fn read_path(reader: &mut Reader<'_>) -> Result<PathBuf, Malformed> {
    Ok(PathBuf::from(read_os(reader)?))
}

#[cfg(test)]
mod tests;
