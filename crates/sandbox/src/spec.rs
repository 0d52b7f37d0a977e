//! What a sandbox is to run, and within which limits.

use std::net::Ipv4Addr;
use std::path::{Component, Path, PathBuf};

use crate::Error;

/// Where the guest finds the function's code.
pub const CODE: &str = "/var/task";
/// Where the guest finds its layers.
pub const LAYERS: &str = "/opt";
/// Where the guest finds the runtime's own files.
pub const RUNTIME: &str = "/var/runtime";
/// The Runtime API's port on the loopback of a sandbox with a network of its own; the one that AWS uses.
pub const RUNTIME_API_PORT: u16 = 9001;
/// The guest's only writable directory.
pub const TMP: &str = "/tmp";

/// Of a parked program's environment: the number of the stream socket by which it is told whose it is; see
/// [`crate::Launcher::park`].
pub const IDENTITY_VARIABLE: &str = "_PITBIRD_IDENTITY";
/// That number. Out of the way of those that the program opens, so that they are the same as without it; and below 64, up to
/// which the kernel needs no larger table.
pub const IDENTITY_DESCRIPTOR: i32 = 63;
/// A parked program that is started with this variable, and others that stand for nothing, has its function's variables in their place
/// once it is told of them: where the C library, child processes and `/proc` look for them.
pub const ROOM_VARIABLE: &str = "_PITBIRD_ROOM";

/// The longest program, arguments, environment and paths together, in bytes, with 8 for each. AWS allows 4 KiB of environment.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// The most host paths that one sandbox may see.
pub const HOST_PATHS_MAX: usize = 64;
/// The most companions that one program may have.
pub const COMPANIONS_MAX: usize = 10;
/// The most sockets of a sandbox's network that the daemon may have, so that they travel in one message.
pub const CONNECTORS_MAX: u32 = 12;

/// One program to run in a sandbox of its own.
///
/// Paths named `PathBuf` are the host's. What the guest sees is fixed: `/var/task` (code, read-only), `/opt` (layers),
/// `/var/runtime` (the runtime's files), `/tmp` (private, limited), a minimal `/dev`, `/proc` of its own pid namespace and the
/// `host_read_only` paths at the place they have on the host. Nothing else of the host is visible.
///
/// The guest runs as a user of its own, so code must be readable by others (directories 0755, files 0644 or 0755).
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Absolute path as the guest sees it.
    pub program: String,
    /// The arguments after the program's own name.
    pub args: Vec<String>,
    /// The whole environment. `AWS_LAMBDA_RUNTIME_API` is added by the launcher, which alone knows it.
    pub env: Vec<(String, String)>,
    /// Absolute path as the guest sees it.
    pub working_dir: String,
    /// Directory on the host.
    pub code: PathBuf,
    /// Directory on the host.
    pub layers: Option<PathBuf>,
    /// Directory on the host.
    pub runtime: Option<PathBuf>,
    /// Files and directories of the host that the program needs, as `/usr` or an interpreter's prefix; see
    /// [`system_read_only`].
    pub host_read_only: Vec<PathBuf>,
    /// Memory of the whole sandbox, in bytes; what is written to `/tmp` counts. Beyond it everything is killed.
    pub memory_bytes: u64,
    /// Size of `/tmp` in bytes. Beyond it writes fail with "no space left on device".
    pub tmp_bytes: u64,
    /// Processes and threads together.
    pub processes_max: u32,
    /// File descriptors per process.
    pub open_files_max: u32,
    pub companions: Companions,
    /// Sockets with which the daemon may connect to what listens inside, at most [`CONNECTORS_MAX`]; none are made where sandboxes
    /// have no network of their own.
    pub connectors: u32,
}

/// A way out of sandboxes' networks: a device, and what is sent into it comes to the daemon. See [`Sandbox::take_device`](crate::Sandbox::take_device).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// Each sandbox's own address; no sandbox sees another's network.
    pub address: Ipv4Addr,
    /// Of the network of both.
    pub prefix_bits: u8,
    /// Where everything goes that isn't for the sandbox itself, and who is asked for names.
    pub router: Ipv4Addr,
    /// Longest packet, bytes.
    pub packet_bytes_max: u16,
}

/// Programs that run beside the program, started before it, held by the same limits. The sandbox lives until all have
/// ended, and the program, too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Companions {
    /// Absolute paths as the guest sees them, at most [`COMPANIONS_MAX`]. They get no arguments and begin in `/`. Where there are any,
    /// the program isn't started before [`Sandbox::start_program`](crate::Sandbox::start_program).
    pub programs: Vec<String>,
    /// Names of the variables that they, other than the program, are not given.
    pub env_without: Vec<String>,
}

impl Spec {
    /// What of it doesn't depend on the function, for [`crate::Launcher::park`]: a program with these arguments that starts
    /// with the environment `env`, in `/` unless that is changed. Functions for which this is equal can have each other's parked programs.
    pub fn without_function(&self, env: Vec<(String, String)>) -> Spec {
        Spec {
            env,
            working_dir: "/".to_owned(),
            code: PathBuf::from("/"),
            layers: None,
            memory_bytes: u64::MAX,
            tmp_bytes: u64::MAX,
            ..self.clone()
        }
    }

    /// Refuses by name what no sandbox could give.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.check_text()?;
        self.check_limits()?;
        for path in [Some(&self.code), self.layers.as_ref(), self.runtime.as_ref()].into_iter().flatten() {
            require(path.is_absolute(), || format!("path {} must be absolute", path.display()))?;
        }
        self.check_host_paths()
    }

    fn check_text(&self) -> Result<(), Error> {
        require(self.program.starts_with('/'), || {
            format!("program {:?} must be an absolute path", self.program)
        })?;
        require(self.working_dir.starts_with('/'), || {
            format!("working directory {:?} must be an absolute path", self.working_dir)
        })?;
        for (name, _) in &self.env {
            require(!name.is_empty() && !name.contains('='), || {
                format!("environment variable name {name:?} is not usable")
            })?;
        }
        let Companions { programs, env_without } = &self.companions;
        for program in programs {
            require(program.starts_with('/'), || format!("companion {program:?} must be an absolute path"))?;
        }
        let env = self.env.iter().flat_map(|(name, value)| [name, value]);
        let companions = programs.iter().chain(env_without);
        let texts = || {
            let own = [&self.program, &self.working_dir].into_iter().chain(&self.args);
            own.chain(env.clone()).chain(companions.clone())
        };
        require(!texts().any(|text| text.contains('\0')), || {
            "program, arguments and environment must not contain NUL".to_owned()
        })?;
        let own = [Some(&self.code), self.layers.as_ref(), self.runtime.as_ref()].into_iter().flatten();
        let paths = own.chain(&self.host_read_only).map(|path| path.as_os_str().len());
        let bytes: usize = texts().map(String::len).chain(paths).map(|length| length + 8).sum();
        require(bytes <= TEXT_BYTES_MAX, || {
            format!("program, arguments, environment and paths are longer than {TEXT_BYTES_MAX} bytes")
        })
    }

    fn check_limits(&self) -> Result<(), Error> {
        require(self.memory_bytes >= 1 << 20, || "memory must be at least 1 MiB".to_owned())?;
        require(self.tmp_bytes >= 1 << 12, || "/tmp must be at least 4 KiB".to_owned())?;
        require(self.processes_max >= 1, || "at least one process must be allowed".to_owned())?;
        require(self.open_files_max >= 8, || "at least 8 open files must be allowed".to_owned())?;
        require(self.companions.programs.len() <= COMPANIONS_MAX, || {
            format!("more than {COMPANIONS_MAX} companions")
        })?;
        require(self.connectors <= CONNECTORS_MAX, || format!("more than {CONNECTORS_MAX} connectors"))
    }

    fn check_host_paths(&self) -> Result<(), Error> {
        require(self.host_read_only.len() <= HOST_PATHS_MAX, || {
            format!("more than {HOST_PATHS_MAX} host paths")
        })?;
        for path in &self.host_read_only {
            let plain = path.is_absolute()
                && path.components().count() > 1
                && !path.components().any(|part| matches!(part, Component::ParentDir));
            require(plain && !collides(path, self.layers.is_some()), || {
                format!("host path {} cannot be shown to a sandbox", path.display())
            })?;
        }
        Ok(())
    }
}

/// Whether a host path would hide, or be hidden by, one of the sandbox's own places.
fn collides(path: &Path, has_layers: bool) -> bool {
    let own = ["/dev", "/proc", "/sys", "/tmp", "/var/task", "/var/runtime"].into_iter();
    let own = own.chain(has_layers.then_some(LAYERS));
    own.map(Path::new).any(|place| path.starts_with(place) || place.starts_with(path))
}

fn require(holds: bool, words: impl FnOnce() -> String) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::Spec(words())) }
}

/// The host's paths that a dynamically linked program, an interpreter or a TLS client needs: those of `/usr`, `/lib`, `/bin`,
/// the loader's cache and the certificates that exist here.
pub fn system_read_only() -> Vec<PathBuf> {
    // Not `/etc/ssl` as a whole: it has the host's private keys beside the certificates.
    const PATHS: [&str; 15] = [
        "/usr",
        "/lib",
        "/lib32",
        "/lib64",
        "/bin",
        "/sbin",
        "/etc/alternatives",
        "/etc/ca-certificates",
        "/etc/ld.so.cache",
        "/etc/localtime",
        "/etc/pki/ca-trust",
        "/etc/pki/tls/certs",
        "/etc/ssl/certs",
        "/etc/ssl/openssl.cnf",
        "/etc/crypto-policies",
    ];
    PATHS.iter().map(PathBuf::from).filter(|path| path.exists()).collect()
}
