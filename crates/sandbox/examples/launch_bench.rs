//! How long a sandbox takes: asked for → executed → first byte → gone, in milliseconds.
//!
//! `launch_bench [rounds] [program]`; the program is on the host, statically linked or `/bin/sh` by default, and is expected to
//! print something at once and end.

// What a benchmark prints is its result.
#![allow(clippy::print_stdout)]

use std::io::Read as _;
use std::time::{Duration, Instant};

use pitbird_sandbox::{
    Companions, Config, Launcher, SpawnerCommand, Spec, spawner_if_asked, system_read_only,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    spawner_if_asked();
    let mut arguments = std::env::args().skip(1);
    let rounds = arguments.next().map_or(Ok(200), |text| text.parse())?;
    let program = arguments.next();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(run(rounds, program))
}

async fn run(rounds: usize, program: Option<String>) -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::temp_dir().join(format!("launch-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let mut spec = Spec {
        program: "/bin/sh".to_owned(),
        args: vec!["-c".to_owned(), "echo".to_owned()],
        env: vec![],
        working_dir: "/var/task".to_owned(),
        code: folder.clone(),
        layers: None,
        runtime: None,
        host_read_only: system_read_only(),
        memory_bytes: 128 << 20,
        tmp_bytes: 512 << 20,
        processes_max: 1024,
        open_files_max: 1024,
        companions: Companions::default(),
        connectors: 0,
    };
    if let Some(program) = program {
        std::fs::copy(program, folder.join("bootstrap"))?;
        spec.program = "/var/task/bootstrap".to_owned();
        spec.args.clear();
        spec.host_read_only.clear();
    }
    for (title, spares, pause) in [
        ("with spares", 2, Duration::from_millis(30)),
        ("no spares", 0, Duration::from_millis(30)),
        ("no spares, without a pause", 0, Duration::ZERO),
    ] {
        let mut config = Config::new(SpawnerCommand::own_binary());
        config.spares = spares;
        let launcher = Launcher::start(config).await?;
        measure(title, rounds, pause, &launcher, &spec).await?;
        launcher.shutdown().await;
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

async fn measure(
    title: &str,
    rounds: usize,
    pause: Duration,
    launcher: &Launcher,
    spec: &Spec,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut columns = [const { Vec::new() }; 3];
    for _ in 0..rounds {
        let asked = Instant::now();
        let mut sandbox = launcher.launch(spec.clone()).await?;
        columns[0].push(asked.elapsed());
        let mut output = std::fs::File::from(sandbox.take_output());
        output.read_exact(&mut [0])?;
        columns[1].push(asked.elapsed());
        sandbox.exited().await;
        columns[2].push(asked.elapsed());
        tokio::time::sleep(pause).await;
    }
    println!("{title} ({})", launcher.report());
    for (name, times) in ["executed", "first byte", "gone"].into_iter().zip(&mut columns) {
        times.sort();
        let at = |share: usize| times[(times.len() * share / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
        println!(
            "  {name:<11} p50 {:6.2}  p90 {:6.2}  p99 {:6.2}  min {:6.2}",
            at(50),
            at(90),
            at(99),
            at(0)
        );
    }
    Ok(())
}
