//! Between the spawner and a sandbox's first process.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::fields::{read_fault, read_os, read_path, write_fault};
use super::text::{Malformed, Reader, Writer};
use crate::error::Fault;

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
    /// `/tmp` is given, too: an earlier sandbox's.
    pub has_tmp: bool,
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
        .byte(u8::from(enter.has_tmp))
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
        has_tmp: reader.byte()? != 0,
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
