use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::*;
use crate::error::Step;
use crate::spec::Companions;

fn spec() -> Spec {
    Spec {
        program: "/var/task/bootstrap".to_owned(),
        args: vec![String::new(), "ü".to_owned()],
        env: vec![("A".to_owned(), "1=2".to_owned()), ("B".to_owned(), String::new())],
        working_dir: "/var/task".to_owned(),
        code: "/data/code".into(),
        layers: Some("/data/layers".into()),
        runtime: None,
        host_read_only: vec!["/usr".into(), OsString::from_vec(b"/not-utf8-\xFF".to_vec()).into()],
        memory_bytes: u64::MAX,
        tmp_bytes: 1 << 12,
        processes_max: u32::MAX,
        open_files_max: 8,
        companions: Companions {
            programs: vec!["/opt/extensions/a".to_owned()],
            env_without: vec!["B".to_owned()],
        },
        connectors: 2,
    }
}

fn to_spawner() -> Vec<ToSpawner> {
    let start = Start {
        mode: Mode::User,
        spares: 3,
        outside: Some(crate::spec::Outside {
            address: [192, 0, 0, 2].into(),
            router: [192, 0, 0, 1].into(),
            prefix_bits: 29,
            packet_bytes_max: 65_520,
        }),
        cpu_shares: true,
        state_directory: "/state".into(),
        group: "pitbird-1-a".to_owned(),
    };
    vec![
        ToSpawner::Start(start),
        ToSpawner::Launch { request: 7, spec: Box::new(spec()), tmp_of: Some(3) },
        ToSpawner::Launch {
            request: 8,
            spec: Box::new(Spec { layers: None, runtime: Some("/r".into()), ..spec() }),
            tmp_of: None,
        },
        ToSpawner::Park { request: 9, spec: Box::new(spec()) },
        ToSpawner::Adopt { request: 10, sandbox: 11, spec: Box::new(spec()) },
        ToSpawner::Prepare { host_paths: vec!["/usr".into()] },
        ToSpawner::Abandon { request: u64::MAX },
        ToSpawner::Shutdown,
    ]
}

fn from_spawner() -> Vec<FromSpawner> {
    let fault = Fault::new(Step::Pivot, libc::EPERM);
    let missing = vec![Missing { what: "memory limit".to_owned(), why: String::new() }];
    let files = MemoryFiles { peak: "/sys/fs/cgroup/memory.peak".into() };
    vec![
        FromSpawner::Ready { cgroups: CgroupVersion::V2, missing, has_outside: true, has_cpu_shares: false },
        FromSpawner::Unable(fault),
        FromSpawner::Launched {
            request: 1,
            sandbox: 2,
            pid: 3,
            port: 9001,
            memory: Some(files),
            has: (true, None),
            freeze: Some("/sys/fs/cgroup/x/cgroup.freeze".into()),
            share: Some("/sys/fs/cgroup/x/cpu.max".into()),
        },
        FromSpawner::Launched {
            request: 1,
            sandbox: 2,
            pid: 3,
            port: u16::MAX,
            memory: None,
            has: (false, Some(4)),
            freeze: Some("/sys/fs/cgroup/x/cgroup.freeze".into()),
            share: None,
        },
        FromSpawner::Adopted { request: 1 },
        FromSpawner::Failed { request: 1, fault },
        FromSpawner::Exited {
            sandbox: 1,
            exit: Exit { code: Some(0), signal: None, out_of_memory: false },
            peak_bytes: 5,
        },
        FromSpawner::Exited { sandbox: 1, exit: Exit::KILLED, peak_bytes: u64::MAX },
        FromSpawner::ProgramEnded { sandbox: 1, program: 0, exit: Exit::KILLED },
        FromSpawner::ProgramFailed { sandbox: 1, program: 10, fault },
    ]
}

fn to_init() -> Vec<ToInit> {
    let enter = Enter {
        program: "/p".into(),
        args: vec!["a".into()],
        env: vec!["A=b".into()],
        working_dir: "/".into(),
        has_layers: true,
        memory_bytes: 1,
        readable: vec!["/usr".into()],
        runtime_api_port: 9001,
        watch_memory: true,
        is_parked: true,
        companions: vec!["/opt/extensions/a".into(), "".into()],
        companions_env_without: vec!["A".into()],
        connectors: 3,
        ..Enter::default()
    };
    vec![ToInit::Go, ToInit::Enter(Box::new(enter.clone())), ToInit::Adopt(Box::new(enter))]
}

fn from_init() -> Vec<FromInit> {
    vec![
        FromInit::Prepared { port: 9001 },
        FromInit::Failed(Fault::new(Step::Exchange, -1)),
        FromInit::Started,
        FromInit::Adopted,
        FromInit::ProgramEnded { program: 1, status: 256 },
        FromInit::ProgramFailed { program: 2, fault: Fault::new(Step::Program, libc::ENOEXEC) },
        FromInit::Ended { status: 9, out_of_memory: true, peak_bytes: 1 << 40 },
    ]
}

#[test]
fn what_is_said_is_heard() {
    for message in to_spawner() {
        let heard = ToSpawner::decode(&message.encode()).unwrap();
        assert_eq!(format!("{heard:?}"), format!("{message:?}"));
    }
    for message in from_spawner() {
        let heard = FromSpawner::decode(&message.encode()).unwrap();
        assert_eq!(format!("{heard:?}"), format!("{message:?}"));
    }
    for message in to_init() {
        let heard = ToInit::decode(&message.encode()).unwrap();
        assert_eq!(format!("{heard:?}"), format!("{message:?}"));
    }
    for message in from_init() {
        assert_eq!(FromInit::decode(&message.encode()), Ok(message));
    }
}

#[test]
fn mutilated_messages_are_refused_or_read_but_never_panic() {
    let mut all: Vec<Vec<u8>> = to_spawner().iter().map(ToSpawner::encode).collect();
    all.extend(from_spawner().iter().map(FromSpawner::encode));
    all.extend(to_init().iter().map(ToInit::encode));
    all.extend(from_init().iter().map(FromInit::encode));
    let read = |bytes: &[u8]| {
        let _ = (
            ToSpawner::decode(bytes),
            FromSpawner::decode(bytes),
            ToInit::decode(bytes),
            FromInit::decode(bytes),
        );
    };
    for bytes in all {
        for length in 0..bytes.len() {
            read(&bytes[..length]);
        }
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7F, 0x80, 0xFF] {
                let mut changed = bytes.clone();
                changed[at] = value;
                read(&changed);
            }
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(FromInit::decode(&longer).is_err());
    }
}

#[test]
fn every_step_survives_the_journey() {
    for byte in 0..=u8::MAX {
        if let Some(step) = Step::from_byte(byte) {
            assert_eq!(step as u8, byte);
        }
    }
    assert!(Step::from_byte(Step::Exchange as u8).is_some());
}

#[test]
fn the_longest_allowed_specification_fits_a_message() {
    use crate::channel::MESSAGE_BYTES_MAX;
    use crate::spec::{HOST_PATHS_MAX, TEXT_BYTES_MAX};
    let mut longest = Spec {
        args: vec![String::new(); TEXT_BYTES_MAX / 16],
        env: Vec::new(),
        host_read_only: vec!["/p".into(); HOST_PATHS_MAX],
        ..spec()
    };
    while longest.check().is_ok() {
        longest.args.push("x".repeat(100));
    }
    longest.args.pop();
    assert!(longest.check().is_ok());
    assert!(ToSpawner::launch(1, &longest, None).len() <= MESSAGE_BYTES_MAX);
    longest.host_read_only = vec![format!("/{}", "p".repeat(4000)).into(); HOST_PATHS_MAX];
    assert!(longest.check().is_err());
}
