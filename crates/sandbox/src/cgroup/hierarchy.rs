//! Where this process stands in the host's control-group hierarchies.

use std::io;
use std::path::{Path, PathBuf};

/// The hierarchies that are mounted, each with the directory of the group that this process is in.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    v1: Vec<(String, PathBuf)>,
    v2: Option<Unified>,
}

/// The v2 hierarchy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unified {
    /// Where it is mounted.
    pub top: PathBuf,
    /// The group that this process is in.
    pub own: PathBuf,
}

/// The group into which a launcher puts the daemon and itself when it was started in a delegated group.
pub const SUPERVISOR: &str = "pitbird-supervisor";

impl Unified {
    /// Directories below which a launcher's directory may be made, best first: the own group if it was delegated (the one above,
    /// if this process was moved out of its way before), the top.
    pub fn candidates(&self) -> Vec<PathBuf> {
        let own = match self.own.parent() {
            Some(above) if self.own.file_name().is_some_and(|name| name == SUPERVISOR) => above,
            _ => &self.own,
        };
        let mut candidates = vec![own.to_owned(), self.top.clone()];
        candidates.dedup();
        candidates
    }
}

impl Layout {
    pub fn read() -> io::Result<Layout> {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo")?;
        let memberships = std::fs::read_to_string("/proc/self/cgroup")?;
        Ok(Layout::parse(&mounts, &memberships))
    }

    /// From the texts of `/proc/self/mountinfo` and `/proc/self/cgroup` (proc(5), cgroups(7)).
    pub fn parse(mounts: &str, memberships: &str) -> Layout {
        let mut layout = Layout { v1: Vec::new(), v2: None };
        for mount in mounts.lines().filter_map(Mount::parse) {
            match mount.kind {
                "cgroup" => {
                    for (controllers, path) in memberships.lines().filter_map(membership) {
                        for controller in controllers.split(',').filter(|name| mount.has_option(name)) {
                            // The first mount is taken; others show the same hierarchy.
                            if layout.v1(controller).is_none() {
                                layout.v1.push((controller.to_owned(), mount.locate(path)));
                            }
                        }
                    }
                }
                "cgroup2" if layout.v2.is_none() => {
                    let own = memberships.lines().filter_map(membership).find(|(names, _)| names.is_empty());
                    let top = PathBuf::from(mount.point);
                    layout.v2 = own.map(|(_, path)| Unified { own: mount.locate(path), top });
                }
                _ => {}
            }
        }
        layout
    }

    /// The directory of the group this process is in, for a v1 controller.
    pub fn v1(&self, controller: &str) -> Option<&Path> {
        self.v1.iter().find(|(name, _)| name == controller).map(|(_, path)| path.as_path())
    }

    pub fn v2(&self) -> Option<&Unified> {
        self.v2.as_ref()
    }

    /// All directories in which a launcher's directory may lie.
    pub fn bases(&self) -> Vec<PathBuf> {
        let mut bases: Vec<PathBuf> = ["memory", "pids", "cpu"]
            .into_iter()
            .filter_map(|name| self.v1(name))
            .map(Path::to_owned)
            .collect();
        if let Some(unified) = &self.v2 {
            bases.extend(unified.candidates());
        }
        bases.sort();
        bases.dedup();
        bases
    }
}

struct Mount<'a> {
    /// The directory within the hierarchy that is mounted.
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Mount<'a>> {
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ').skip(3);
        let (root, point) = (before.next()?, before.next()?);
        let mut after = after.split(' ');
        let kind = after.next()?;
        let options = after.nth(1)?;
        Some(Mount { root, point, kind, options })
    }

    fn has_option(&self, name: &str) -> bool {
        !name.is_empty() && self.options.split(',').any(|option| option == name)
    }

    /// The directory under which a group of this hierarchy is found.
    fn locate(&self, group: &str) -> PathBuf {
        let below = group.strip_prefix(self.root.trim_end_matches('/')).unwrap_or(group);
        Path::new(self.point).join(below.trim_start_matches('/'))
    }
}

/// Controllers and path of a line of `/proc/self/cgroup`.
fn membership(line: &str) -> Option<(&str, &str)> {
    let (_, rest) = line.split_once(':')?;
    rest.split_once(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_hierarchies_are_found() {
        let mounts = "\
30 20 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
31 20 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
32 20 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
33 20 0:29 / /home rw - ext4 /dev/sda1 rw\n";
        let memberships = "4:memory:/jobs/7\n2:cpu,cpuacct:/\n1:name=systemd:/x\n0::/scope\n";
        let layout = Layout::parse(mounts, memberships);
        assert_eq!(layout.v1("memory"), Some(Path::new("/sys/fs/cgroup/memory/jobs/7")));
        assert_eq!(layout.v1("cpu"), Some(Path::new("/sys/fs/cgroup/cpu,cpuacct/")));
        assert_eq!(layout.v1("pids"), None);
        let own = layout.v2().map(|unified| unified.own.clone());
        assert_eq!(own, Some(PathBuf::from("/sys/fs/cgroup/unified/scope")));
    }

    #[test]
    fn a_container_sees_its_own_group_at_the_mount() {
        let mounts = "30 20 0:26 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        let layout = Layout::parse(mounts, "4:memory:/docker/abc/child\n");
        assert_eq!(layout.v1("memory"), Some(Path::new("/sys/fs/cgroup/memory/child")));
    }

    #[test]
    fn nonsense_is_no_hierarchy() {
        let layout = Layout::parse("garbage\n - \n1 2 3 - cgroup2\n", "::::\n\n0\n");
        assert_eq!(layout, Layout { v1: Vec::new(), v2: None });
    }
}
