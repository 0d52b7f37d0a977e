use std::collections::HashMap;
use std::fs;

/// A process, told from later ones with the same id by the time it began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    pub name: String,
    /// Clock ticks since the machine started.
    began: u64,
    /// Its control groups, as in `/proc/{pid}/cgroup`.
    groups: String,
}

impl Process {
    /// Whether it still runs; one that has ended and waits for its parent to notice doesn't.
    pub fn is_alive(&self) -> bool {
        read(self.pid).is_some_and(|found| found.began == self.began && found.state != 'Z')
    }
}

/// Everything that a process started and that still runs, and what those started.
pub fn descendants(pid: u32) -> Vec<Process> {
    let mut children: HashMap<u32, Vec<(u32, Stat)>> = HashMap::new();
    for (pid, stat) in all() {
        children.entry(stat.parent).or_default().push((pid, stat));
    }
    let (mut found, mut parents) = (Vec::new(), vec![pid]);
    while let Some(parent) = parents.pop() {
        for (pid, stat) in children.remove(&parent).unwrap_or_default() {
            parents.push(pid);
            let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
            found.push(Process { pid, name: stat.name, began: stat.began, groups });
        }
    }
    found
}

/// What still runs of a server's processes: those seen, and any in a sandbox's control group that one of them was in.
pub fn survivors(seen: &[Process]) -> Vec<Process> {
    let mut left: Vec<Process> = seen.iter().filter(|process| process.is_alive()).cloned().collect();
    let launchers: Vec<String> = seen.iter().filter_map(launcher).collect();
    for (pid, stat) in all() {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        let ours = launchers.iter().any(|launcher| groups.contains(launcher.as_str()));
        if ours && stat.state != 'Z' && !left.iter().any(|process| process.pid == pid) {
            left.push(Process { pid, name: stat.name, began: stat.began, groups });
        }
    }
    left
}

/// The part of a control group's path that all sandboxes of one server share: `/pitbird-…/`.
fn launcher(process: &Process) -> Option<String> {
    let (_, name) = process.groups.split_once("/pitbird-")?;
    let name = name.split(['/', '\n']).next()?;
    Some(format!("/pitbird-{name}/"))
}

struct Stat {
    name: String,
    state: char,
    parent: u32,
    began: u64,
}

fn all() -> impl Iterator<Item = (u32, Stat)> {
    let entries = fs::read_dir("/proc").expect("Linux has /proc").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, read(pid)?)))
}

/// `/proc/{pid}/stat` (proc(5)); `None` when there is no such process.
fn read(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name is in parentheses and may contain anything, also parentheses.
    let (head, tail) = text.rsplit_once(") ")?;
    let name = head.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = tail.split(' ').collect();
    let state = fields.first()?.chars().next()?;
    Some(Stat { name, state, parent: fields.get(1)?.parse().ok()?, began: fields.get(19)?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;
    use crate::wait_for;

    #[test]
    fn a_child_is_seen_and_seen_to_end() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let deadline = std::time::Duration::from_secs(20);
        let seen = wait_for("the child", deadline, || {
            let found = descendants(std::process::id());
            found.into_iter().find(|process| process.pid == child.id() && process.name == "cat")
        });
        assert!(seen.is_alive());
        assert_eq!(survivors(std::slice::from_ref(&seen)), std::slice::from_ref(&seen));
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
        assert!(!seen.is_alive());
        assert_eq!(survivors(&[seen]), []);
    }

    #[test]
    fn a_launcher_is_named_by_its_control_group() {
        let process = |groups: &str| Process { pid: 1, name: "x".into(), began: 1, groups: groups.into() };
        let inside = process("4:memory:/user/pitbird-7-abc/12\n3:pids:/user/pitbird-7-abc/12\n");
        assert_eq!(launcher(&inside), Some("/pitbird-7-abc/".to_owned()));
        assert_eq!(launcher(&process("4:memory:/user\n")), None);
    }
}
