//! docs/performance.md.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::Figure;

pub fn write(root: &Path, figures: &[Figure]) -> Result<()> {
    let mut page = String::from(
        "# Performance\n\nWritten by `cargo xtask bench` (needs wrk and nginx). Pairs are measured in alternation in one run; medians. Ratios \
         travel between\nmachines, absolute figures don't.\n\n",
    );
    writeln!(page, "Measured on {}.\n", machine())?;
    page.push_str("| what | goal | measured |\n|---|---|---|\n");
    for Figure { what, goal, measured } in figures {
        writeln!(page, "| {what} | {goal} | {measured} |")?;
    }
    page.push_str("\nOther days, machines and binaries: [performance-history.md](performance-history.md).\n");
    std::fs::write(root.join("docs/performance.md"), page)?;
    Ok(())
}

fn machine() -> String {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok();
        output.map_or_else(String::new, |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let congestion = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_congestion_control").unwrap_or_default();
    format!(
        "{cores} cores ({}), Linux {}, TCP with {}, on {}",
        processor.map_or("unknown", |(_, name)| name),
        said("uname", &["-r"]),
        congestion.trim(),
        said("date", &["-u", "+%F"])
    )
}
