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

/// What namespaces give, where they are missing.
pub(crate) const NAMESPACES: &str = "namespaces: own processes, network and /tmp";
/// What Landlock gives, where it is missing too.
pub(crate) const OUT_OF_SIGHT: &str = "files and network of the host out of sight";

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

impl Report {
    /// Why there are no control groups, where there are none.
    pub fn why_no_cgroups(&self) -> Option<&str> {
        self.why(crate::cgroup::ALL)
    }

    /// Why this host doesn't give the level `wanted`, which is a stronger one.
    pub(crate) fn why_not(&self, wanted: Level) -> &str {
        let reason = match wanted {
            Level::NamespacesRoot if self.level == Level::NamespacesUser => Some("that takes root"),
            Level::NamespacesRoot | Level::NamespacesUser => self.why(NAMESPACES),
            Level::Landlock | Level::Process => self.why(OUT_OF_SIGHT),
        };
        reason.unwrap_or("it may not be had")
    }

    fn why(&self, what: &str) -> Option<&str> {
        self.missing.iter().find(|missing| missing.what == what).map(|missing| missing.why.as_str())
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn who_asks_for_more_than_there_is_learns_why_there_is_no_more() {
        let missing = [
            (NAMESPACES, "user namespaces are off"),
            (OUT_OF_SIGHT, "no Landlock"),
            ("memory limit", "none"),
        ]
        .map(|(what, why)| Missing { what: what.to_owned(), why: why.to_owned() })
        .to_vec();
        for (level, wanted, expected) in [
            (Level::Process, Level::Landlock, "no Landlock"),
            (Level::Process, Level::NamespacesUser, "user namespaces are off"),
            (Level::Landlock, Level::NamespacesRoot, "user namespaces are off"),
            (Level::NamespacesUser, Level::NamespacesRoot, "that takes root"),
        ] {
            let found = Report {
                level,
                user_namespace: false,
                cgroups: CgroupVersion::None,
                has_outside: false,
                has_cpu_shares: false,
                missing: missing.clone(),
            };
            let said = Error::TooWeak { wanted, found: Box::new(found) }.to_string();
            let words = format!(
                "at least isolation level {wanted} is asked for, and this host allows {level}: {expected}"
            );
            assert_eq!(said, words);
        }
    }
}
