//! What the system says of this process.

use std::time::SystemTime;

use pitbird_cloudwatch::Process;

/// The unit of CPU times in `/proc`, per second: what Linux tells programs on every architecture that we build for. Source: proc(5),
/// `USER_HZ`.
const TICKS_PER_SECOND: f64 = 100.0;

/// Reads `/proc/self`; what can't be read is left out. `began` is when the server started.
pub fn read(began: SystemTime) -> Process {
    let file = |name: &str| std::fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    let (status, limits) = (file("status"), file("limits"));
    let kilobytes = |name: &str| Some(field(&status, name)?.parse::<f64>().ok()? * 1024.0);
    let started = began.duration_since(SystemTime::UNIX_EPOCH).ok();
    let files = std::fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as f64);
    Process {
        version: env!("CARGO_PKG_VERSION"),
        started_s: started.map(|started| started.as_secs_f64()),
        cpu_s: cpu_s(&file("stat")),
        resident_bytes: kilobytes("VmRSS:"),
        virtual_bytes: kilobytes("VmSize:"),
        // One of them was open to count them.
        open_files: files.map(|files| (files - 1.0).max(0.0)),
        files_max: field(&limits, "Max open files").and_then(|most| most.parse().ok()),
        threads: field(&status, "Threads:").and_then(|threads| threads.parse().ok()),
        ..Process::default()
    }
}

/// The first word after a line's name.
fn field<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()
}

/// User and system time: the 14th and 15th field, of which the second one, the program's name, may have spaces.
fn cpu_s(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_used_something() {
        let process = read(SystemTime::now());
        for value in [process.resident_bytes, process.virtual_bytes, process.open_files, process.threads] {
            assert!(value.is_some_and(|value| value >= 1.0), "{process:?}");
        }
        assert!(process.cpu_s.is_some() && process.started_s.is_some(), "{process:?}");
    }

    #[test]
    fn a_programs_name_may_be_anything() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 50 0 0";
        assert_eq!(cpu_s(stat), Some(2.0));
        assert_eq!(cpu_s(""), None);
    }
}
