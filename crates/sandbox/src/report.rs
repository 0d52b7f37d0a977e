//! What this host allows: the isolation level, how limits are enforced, and what is missing, with the reason.

use std::fmt;

/// How strongly sandboxes are isolated, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Level {
    /// A plain process with resource limits and a system-call filter. It sees the host's files.
    Process,
    /// Landlock rules, a system-call filter and resource limits; the host's pids and network namespace are shared.
    Landlock,
    /// All namespaces, made without privileges through a user namespace.
    NamespacesUser,
    /// All namespaces, made by root; the guest has a host uid of its own.
    NamespacesRoot,
}

impl Level {
    /// The name used in configuration, in `doctor` and in the start line.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Process => "process",
            Level::Landlock => "landlock",
            Level::NamespacesUser => "namespaces user",
            Level::NamespacesRoot => "namespaces root",
        }
    }

    /// The level of this name, if there is one.
    pub fn parse(text: &str) -> Option<Level> {
        [Level::Process, Level::Landlock, Level::NamespacesUser, Level::NamespacesRoot]
            .into_iter()
            .find(|level| level.as_str() == text)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which control groups enforce memory, process and CPU limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CgroupVersion {
    None,
    V1,
    V2,
}

impl CgroupVersion {
    pub fn as_str(self) -> &'static str {
        match self {
            CgroupVersion::None => "none",
            CgroupVersion::V1 => "v1",
            CgroupVersion::V2 => "v2",
        }
    }
}

impl fmt::Display for CgroupVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A promise that this host cannot keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What is not given, as a phrase: `memory limit`.
    pub what: String,
    /// Why, and where known what would help.
    pub why: String,
}

/// What this host gives to sandboxes. Found once, when the launcher starts, by really making a sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub level: Level,
    /// Whether each sandbox also has a user namespace of its own.
    pub user_namespace: bool,
    pub cgroups: CgroupVersion,
    /// Whether sandboxes have the way out of their networks that the launcher was asked for.
    pub has_outside: bool,
    /// Whether sandboxes can be held to a share of the CPU, where the launcher was asked for that.
    pub has_cpu_shares: bool,
    /// Everything that a sandbox at the strongest level would have and here has not.
    pub missing: Vec<Missing>,
}

/// One line: `namespaces root, cgroups v1` and what is missing.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, cgroups {}", self.level, self.cgroups)?;
        for (index, missing) in self.missing.iter().enumerate() {
            let lead = if index == 0 { "; missing: " } else { "; " };
            write!(f, "{lead}{} ({})", missing.what, missing.why)?;
        }
        Ok(())
    }
}
