//! What messages hold.

use std::ffi::OsString;
use std::net::Ipv4Addr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::text::{Malformed, Reader, Writer};
use crate::Exit;
use crate::error::{Fault, Step};
use crate::spec::{Companions, Outside, Spec};

pub fn write_spec(writer: Writer, spec: &Spec) -> Writer {
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
        .u32(spec.connectors);
    lists.iter().fold(writer, |writer, list| writer.list(list.iter().map(Vec::as_slice)))
}

pub fn read_spec(reader: &mut Reader<'_>) -> Result<Spec, Malformed> {
    let program = reader.string()?;
    let working_dir = reader.string()?;
    let code = read_path(reader)?;
    let memory_bytes = reader.u64()?;
    let tmp_bytes = reader.u64()?;
    let processes_max = reader.u32()?;
    let open_files_max = reader.u32()?;
    let connectors = reader.u32()?;
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
    })
}

pub fn write_outside(writer: Writer, outside: Option<&Outside>) -> Writer {
    let writer = writer.byte(u8::from(outside.is_some()));
    outside.into_iter().fold(writer, |writer, outside| {
        writer
            .u32(outside.address.to_bits())
            .u32(outside.router.to_bits())
            .byte(outside.prefix_bits)
            .u32(u32::from(outside.packet_bytes_max))
    })
}

pub fn read_outside(reader: &mut Reader<'_>) -> Result<Option<Outside>, Malformed> {
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

pub fn write_exit(writer: Writer, exit: Exit) -> Writer {
    writer.optional(exit.code).optional(exit.signal).byte(u8::from(exit.out_of_memory))
}

pub fn read_exit(reader: &mut Reader<'_>) -> Result<Exit, Malformed> {
    let (code, signal) = (reader.optional()?, reader.optional()?);
    Ok(Exit { code, signal, out_of_memory: reader.byte()? != 0 })
}

pub fn write_fault(writer: Writer, fault: Fault) -> Writer {
    writer.byte(fault.step as u8).optional(Some(fault.errno))
}

pub fn read_fault(reader: &mut Reader<'_>) -> Result<Fault, Malformed> {
    let step = Step::from_byte(reader.byte()?).ok_or(Malformed)?;
    Ok(Fault::new(step, reader.optional()?.ok_or(Malformed)?))
}

pub fn read_os(reader: &mut Reader<'_>) -> Result<OsString, Malformed> {
    Ok(OsString::from_vec(reader.bytes()?.to_vec()))
}

pub fn read_path(reader: &mut Reader<'_>) -> Result<PathBuf, Malformed> {
    Ok(PathBuf::from(read_os(reader)?))
}
