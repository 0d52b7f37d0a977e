//! The daemon's handle to its spawner.

mod link;
mod parked;
mod verdict;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::pipe::PipeFlags;
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Fault, Step};
use crate::message::{Mode, Start, ToSpawner};
use crate::report::{Level, Report};
use crate::spec::{Outside, Spec};
use crate::{Sandbox, Tmp, cgroup};

use link::{Failure, Link, Opening, Outputs};
pub use parked::Parked;

/// How long a sandbox may take to be ready.
const READY_MAX: Duration = Duration::from_secs(30);

/// How to start the spawner: the daemon's own binary, which calls [`crate::spawner_main`] when its first argument is
/// [`crate::SPAWNER_ARGUMENT`].
#[derive(Clone, Debug)]
pub struct SpawnerCommand {
    pub program: PathBuf,
    pub args: Vec<OsString>,
}

impl SpawnerCommand {
    /// This very binary, also when its file has been replaced meanwhile.
    pub fn own_binary() -> SpawnerCommand {
        SpawnerCommand {
            program: PathBuf::from("/proc/self/exe"),
            args: vec![OsString::from(crate::SPAWNER_ARGUMENT)],
        }
    }
}

/// How a launcher is to work.
#[derive(Clone, Debug)]
pub struct Config {
    pub spawner: SpawnerCommand,
    /// Refuse to start below this level.
    pub minimum_level: Level,
    /// Use no stronger level than this, even where the host has it.
    pub strongest_level: Level,
    /// Give each sandbox a user namespace where the host has them.
    pub user_namespaces: bool,
    /// Prepared sandboxes kept ready for each set of host paths in use; about 0.5 MB of memory each.
    pub spares: u32,
    /// Sandboxes that may run at the same time.
    pub sandboxes_max: u32,
    /// A way out of sandboxes' networks; [`Report::has_outside`](crate::Report::has_outside) says whether it can be had.
    pub outside: Option<Outside>,
    /// Make groups by which sandboxes can be held to a share of the CPU ([`Sandbox::hold_to_cpu_share`]);
    /// [`Report::has_cpu_shares`](crate::Report::has_cpu_shares) says whether they can.
    pub cpu_shares: bool,
    /// Where private directories go at the levels without a mount namespace. Made if absent; must belong to the daemon's
    /// user, and under root let others pass (0711), for guests have users of their own.
    pub state_directory: PathBuf,
}

impl Config {
    /// Whatever the host allows, two spares, a thousand sandboxes.
    pub fn new(spawner: SpawnerCommand) -> Config {
        Config {
            spawner,
            minimum_level: Level::Process,
            strongest_level: Level::NamespacesRoot,
            user_namespaces: true,
            spares: 2,
            sandboxes_max: 1000,
            outside: None,
            cpu_shares: false,
            state_directory: std::env::temp_dir()
                .join(format!("pitbird-sandbox-{}", rustix::process::geteuid().as_raw())),
        }
    }
}

/// Handle to the spawner process. Clones share it; when the last one is dropped, or the daemon ends in whatever way, the spawner kills
/// all sandboxes and ends too.
#[derive(Clone, Debug)]
pub struct Launcher {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    mode: Mode,
    report: Report,
    /// The spawner at work. `None` after a shutdown.
    link: Mutex<Option<Link>>,
    places: Arc<Semaphore>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(link) = self.link.get_mut() {
            link.hang_up();
        }
    }
}

impl Launcher {
    /// Starts the spawner at the strongest level that the host allows, found by trial.
    ///
    /// # Errors
    /// When no process can be started, or the host gives less than the configuration's minimum.
    pub async fn start(config: Config) -> Result<Launcher, Error> {
        let mut refusals = Vec::new();
        for mode in candidates(&config) {
            match Link::open(&config, mode).await? {
                Opening::Ready { link, cgroups, missing, has_outside, has_cpu_shares } => {
                    let report = verdict::report(mode, cgroups, missing, &refusals);
                    let report = Report { has_outside, has_cpu_shares, ..report };
                    if report.level < config.minimum_level {
                        link.shut_down().await;
                        return Err(Error::TooWeak { wanted: config.minimum_level, found: Box::new(report) });
                    }
                    let places = Arc::new(Semaphore::new(config.sandboxes_max as usize));
                    let link = Mutex::new(Some(link));
                    return Ok(Launcher { shared: Arc::new(Shared { config, mode, report, link, places }) });
                }
                Opening::Unable(fault) => refusals.push((mode, fault)),
            }
        }
        let cause =
            refusals.last().map_or_else(|| "no level is allowed".to_owned(), |(_, fault)| fault.to_string());
        Err(Error::Spawner(io::Error::other(cause)))
    }

    /// What this host gives.
    pub fn report(&self) -> &Report {
        &self.shared.report
    }

    /// Runs a program in a new sandbox. Returns when it has been executed; with companions, when those have been, as far as they
    /// can be, and the program waits for its order.
    ///
    /// If the spawner has died, another is started first.
    ///
    /// # Errors
    /// See [`Error`]. Nothing of the sandbox is left then.
    pub async fn launch(&self, spec: Spec) -> Result<Sandbox, Error> {
        self.launch_with(spec, None).await
    }

    /// As [`Launcher::launch`], with `/tmp` as an earlier sandbox of the same function's has left it. Its size stays what it was, and
    /// what lies in it doesn't count against the new sandbox's memory.
    pub async fn launch_with(&self, spec: Spec, tmp: Option<Tmp>) -> Result<Sandbox, Error> {
        let link = self.link().await?;
        let tmp_of = tmp.as_ref().map(|tmp| tmp.of);
        let message = |request| ToSpawner::launch(request, &spec, tmp_of);
        self.ask(&link, message, &spec, tmp).await
    }

    /// Has a sandbox made and waits for it.
    async fn ask(
        &self,
        link: &Link,
        message: impl FnOnce(u64) -> Vec<u8>,
        spec: &Spec,
        tmp: Option<Tmp>,
    ) -> Result<Sandbox, Error> {
        spec.check()?;
        let place = self.take_place()?;
        let pipe = || {
            rustix::pipe::pipe_with(PipeFlags::CLOEXEC)
                .map_err(|errno| Error::Step { step: Step::Streams, source: errno.into() })
        };
        let (output, input) = pipe()?;
        let (mut outputs, mut inputs) = (Outputs { program: output, companions: None }, vec![input]);
        if !spec.companions.programs.is_empty() {
            let (output, input) = pipe()?;
            outputs.companions = Some(output);
            inputs.push(input);
        }
        inputs.extend(tmp.map(|tmp| tmp.hold));
        let made = link.launch(message, inputs, outputs, place, READY_MAX).await;
        made.map_err(|failure| failure.explain(READY_MAX, spec))
    }

    /// Says that sandboxes with these host paths will be wanted, so that spares are ready for the first. Returns at once; with
    /// no spares configured, or at the levels without namespaces, it does nothing.
    pub async fn prepare(&self, host_read_only: &[PathBuf]) {
        if let Ok(link) = self.link().await {
            link.prepare(host_read_only).await;
        }
    }

    fn take_place(&self) -> Result<OwnedSemaphorePermit, Error> {
        let places = self.shared.places.clone();
        places.try_acquire_owned().map_err(|_| Error::TooMany { limit: self.shared.config.sandboxes_max })
    }

    /// The spawner at work, a new one if it has died.
    async fn link(&self) -> Result<Link, Error> {
        let mut slot = self.shared.link.lock().await;
        let link = slot.as_ref().ok_or(Error::ShutDown)?;
        if !link.has_ended() {
            return Ok(link.clone());
        }
        tracing::warn!("the spawner process ended and is started again");
        match Link::open(&self.shared.config, self.shared.mode).await? {
            Opening::Ready { link, .. } => {
                *slot = Some(link.clone());
                Ok(link)
            }
            Opening::Unable(fault) => Err(Error::Step { step: fault.step, source: fault.source() }),
        }
    }

    /// Kills all sandboxes and ends the spawner. Returns when nothing is left. Later launches fail.
    pub async fn shutdown(self) {
        let link = self.shared.link.lock().await.take();
        if let Some(link) = link {
            link.shut_down().await;
        }
    }
}

impl Failure {
    fn explain(self, time: Duration, spec: &Spec) -> Error {
        match self {
            Failure::SpawnerEnded => Error::SpawnerEnded,
            Failure::Deadline => Error::Deadline { seconds: time.as_secs() },
            Failure::Fault(fault) => explain(fault, spec),
        }
    }
}

/// The error for a step that failed, with what it failed on where that can be told.
fn explain(fault: Fault, spec: &Spec) -> Error {
    let source = fault.source();
    match fault.step {
        Step::Program => Error::Program { program: spec.program.clone(), source },
        Step::WorkingDirectory => Error::WorkingDirectory { directory: spec.working_dir.clone(), source },
        Step::Root => match spec.host_read_only.iter().find(|path| !path.exists()) {
            Some(path) => Error::Spec(format!("host path {} does not exist", path.display())),
            None => Error::Step { step: fault.step, source },
        },
        step => Error::Step { step, source },
    }
}

/// Ways to try, strongest first.
fn candidates(config: &Config) -> Vec<Mode> {
    let is_root = rustix::process::geteuid().is_root();
    Mode::ALL
        .into_iter()
        .filter(|mode| match mode {
            Mode::RootMapped | Mode::Root => is_root,
            // A root that may not make namespaces as root may not make them through a user namespace either, and its guests would be the host's root.
            Mode::User => !is_root,
            Mode::Landlock | Mode::Process => true,
        })
        .filter(|mode| config.user_namespaces || !mode.maps_users())
        .filter(|mode| verdict::level(*mode) <= config.strongest_level)
        .collect()
}

/// A name for this launcher's control groups that no other has.
fn group_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    format!("{}{}-{:x}{count:x}", cgroup::PREFIX, std::process::id(), now.as_nanos())
}

fn start_message(config: &Config, mode: Mode) -> Start {
    Start {
        mode,
        spares: config.spares,
        outside: config.outside.clone(),
        cpu_shares: config.cpu_shares,
        state_directory: config.state_directory.clone(),
        group: group_name(),
    }
}
