//! The socket to one spawner process, and the task that listens to it.

use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};

use super::{Config, start_message};
use crate::channel::{self, MESSAGE_BYTES_MAX, Received};
use crate::error::{Error, Fault, Step};
use crate::message::{FromSpawner, MemoryFiles, Mode, ToSpawner};
use crate::report::{CgroupVersion, Missing};
use crate::sandbox::{Connector, End, Life, Process, ProgramEnd, Sandbox, Tmp, loopback};
use crate::spec::Spec;
use crate::{
    Exit,
    cgroup::{self, Share},
};

/// How long a spawner may take to answer its first message, and to end after its last.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// A spawner process at work. Clones share it.
#[derive(Clone, Debug)]
pub struct Link {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    socket: AsyncFd<OwnedFd>,
    next: AtomicU64,
    pending: Mutex<HashMap<u64, Pending>>,
    /// Parked sandboxes that have been given their function, by the number of the request.
    adopting: Mutex<HashMap<u64, oneshot::Sender<Adopted>>>,
    /// Lives of running sandboxes, by the spawner's number.
    running: Mutex<HashMap<u64, watch::Sender<Life>>>,
    /// Turns true when the spawner has ended and what it left has been removed.
    ended: watch::Receiver<Stage>,
    kill_signal: Signal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Working,
    /// The socket is closed.
    Closed,
    /// The process is gone, and its control groups with it.
    Gone,
}

#[derive(Debug)]
struct Pending {
    answer: oneshot::Sender<Result<Sandbox, Failure>>,
    outputs: Outputs,
    place: OwnedSemaphorePermit,
}

/// The ends from which is read what a sandbox writes.
#[derive(Debug)]
pub struct Outputs {
    pub program: OwnedFd,
    pub companions: Option<OwnedFd>,
}

/// Why a launch failed, before it is known what was to be launched.
#[derive(Debug)]
pub enum Failure {
    Fault(Fault),
    Deadline,
    SpawnerEnded,
}

/// What came of giving a parked program its function: a hold of its `/tmp`.
type Adopted = Result<Option<OwnedFd>, Failure>;

/// What came of starting a spawner.
pub enum Opening {
    Ready {
        link: Link,
        cgroups: CgroupVersion,
        missing: Vec<Missing>,
        has_outside: bool,
        has_cpu_shares: bool,
    },
    Unable(Fault),
}

impl Link {
    /// Starts a spawner process for one mode.
    pub async fn open(config: &Config, mode: Mode) -> Result<Opening, Error> {
        let start = start_message(config, mode);
        let group = start.group.clone();
        let (ours, theirs) = channel::pair().map_err(Error::Spawner)?;
        rustix::io::ioctl_fionbio(&ours, true).map_err(|errno| Error::Spawner(errno.into()))?;
        // SAFETY: an `OwnedFd` names one open descriptor all its life, and the `AsyncFd` owns it.
        let socket = unsafe { AsyncFd::register(ours) }.map_err(|error| Error::Spawner(error.into()))?;
        let child = spawn(config, theirs).map_err(Error::Spawner)?;

        let mut buffer = vec![0; MESSAGE_BYTES_MAX];
        let answer = tokio::time::timeout(ANSWER_MAX, async {
            send(&socket, &ToSpawner::Start(start).encode(), &[]).await?;
            receive(&socket, &mut buffer).await
        });
        let answer = answer.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let said = match answer {
            Ok(Some(received)) => FromSpawner::decode(&buffer[..received.length]).ok(),
            Ok(None) => None,
            Err(error) => {
                drop(socket);
                bury(child, group).await;
                return Err(Error::Spawner(error));
            }
        };
        match said {
            Some(FromSpawner::Ready { cgroups, missing, has_outside, has_cpu_shares }) => {
                let link = Link::serve(socket, mode, child, group, buffer);
                Ok(Opening::Ready { link, cgroups, missing, has_outside, has_cpu_shares })
            }
            Some(FromSpawner::Unable(fault)) => {
                drop(socket);
                bury(child, group).await;
                Ok(Opening::Unable(fault))
            }
            _ => {
                drop(socket);
                bury(child, group).await;
                Err(Error::Spawner(io::Error::other("the program started as spawner does not answer as one")))
            }
        }
    }

    /// Starts the task that listens to the spawner. It owns the process and ends with it.
    fn serve(
        socket: AsyncFd<OwnedFd>,
        mode: Mode,
        child: std::process::Child,
        group: String,
        buffer: Vec<u8>,
    ) -> Link {
        let (stage, ended) = watch::channel(Stage::Working);
        let kill_signal = if mode.has_namespaces() { Signal::KILL } else { Signal::TERM };
        let shared = Arc::new(Shared {
            socket,
            next: AtomicU64::new(1),
            pending: Mutex::default(),
            adopting: Mutex::default(),
            running: Mutex::default(),
            ended,
            kill_signal,
        });
        tokio::spawn(listen(shared.clone(), buffer, child, group, stage));
        Link { shared }
    }

    pub fn has_ended(&self) -> bool {
        *self.shared.ended.borrow() != Stage::Working
    }

    /// Asks for a sandbox by what `message` makes of a request and waits for it. If the caller stops waiting, the sandbox is
    /// killed when it comes.
    pub async fn launch(
        &self,
        message: impl FnOnce(u64) -> Vec<u8>,
        inputs: Vec<OwnedFd>,
        outputs: Outputs,
        place: OwnedSemaphorePermit,
        time: Duration,
    ) -> Result<Sandbox, Failure> {
        let request = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        lock(&self.shared.pending).insert(request, Pending { answer, outputs, place });
        let given: Vec<BorrowedFd<'_>> = inputs.iter().map(AsFd::as_fd).collect();
        let sent = send(&self.shared.socket, &message(request), &given).await;
        drop(inputs);
        if sent.is_err() || self.has_ended() {
            lock(&self.shared.pending).remove(&request);
        }
        match tokio::time::timeout(time, answered).await {
            Ok(answer) => answer.unwrap_or(Err(Failure::SpawnerEnded)),
            Err(_) => {
                let _ = send(&self.shared.socket, &ToSpawner::Abandon { request }.encode(), &[]).await;
                Err(Failure::Deadline)
            }
        }
    }

    /// Gives a parked sandbox its function, and waits until its program has taken it. Whatever the failure, the sandbox is to be
    /// dropped. Answers with a hold of its `/tmp`.
    pub async fn adopt(&self, sandbox: u64, spec: &Spec, time: Duration) -> Result<Option<OwnedFd>, Failure> {
        let request = self.shared.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        lock(&self.shared.adopting).insert(request, answer);
        let sent = send(&self.shared.socket, &ToSpawner::adopt(request, sandbox, spec), &[]).await;
        if sent.is_err() || self.has_ended() {
            lock(&self.shared.adopting).remove(&request);
        }
        match tokio::time::timeout(time, answered).await {
            Ok(answer) => answer.unwrap_or(Err(Failure::SpawnerEnded)),
            Err(_) => {
                lock(&self.shared.adopting).remove(&request);
                Err(Failure::Deadline)
            }
        }
    }

    pub async fn prepare(&self, host_paths: &[PathBuf]) {
        let message = ToSpawner::Prepare { host_paths: host_paths.to_vec() };
        // If the spawner is gone there is nothing to prepare.
        let _ = send(&self.shared.socket, &message.encode(), &[]).await;
    }

    /// Closes the socket, upon which the spawner kills everything and ends.
    pub fn hang_up(&self) {
        let _ = rustix::net::shutdown(self.shared.socket.get_ref(), rustix::net::Shutdown::Both);
    }

    /// Tells the spawner to end and waits until nothing is left of it.
    pub async fn shut_down(&self) {
        let _ = send(&self.shared.socket, &ToSpawner::Shutdown.encode(), &[]).await;
        let mut ended = self.shared.ended.clone();
        let gone = ended.wait_for(|stage| *stage == Stage::Gone);
        if tokio::time::timeout(ANSWER_MAX, gone).await.is_err() {
            tracing::warn!("the spawner process does not end");
        }
    }
}

fn spawn(config: &Config, socket: OwnedFd) -> io::Result<std::process::Child> {
    // Without an environment: what is in the daemon's must not be readable from inside a sandbox.
    Command::new(&config.spawner.program)
        .args(&config.spawner.args)
        .env_clear()
        .stdin(Stdio::from(socket))
        .stdout(Stdio::null())
        .spawn()
}

async fn listen(
    shared: Arc<Shared>,
    mut buffer: Vec<u8>,
    child: std::process::Child,
    group: String,
    stage: watch::Sender<Stage>,
) {
    loop {
        match receive(&shared.socket, &mut buffer).await {
            Ok(Some(received)) => match FromSpawner::decode(&buffer[..received.length]) {
                Ok(message) => shared.hear(message, received.descriptors),
                Err(_) => tracing::error!("unreadable message from the spawner process"),
            },
            Ok(None) => break,
            Err(error) => {
                tracing::error!(%error, "cannot read from the spawner process");
                break;
            }
        }
    }
    let _ = stage.send(Stage::Closed);
    lock(&shared.pending).clear();
    lock(&shared.adopting).clear();
    // The kernel kills the sandboxes with the spawner.
    for (_, life) in lock(&shared.running).drain() {
        life.send_modify(|life| life.end = Some(End { exit: Exit::KILLED, peak_bytes: 0 }));
    }
    bury(child, group).await;
    let _ = stage.send(Stage::Gone);
}

/// Waits for a spawner's end and removes what it could not.
async fn bury(mut child: std::process::Child, group: String) {
    let waited = tokio::task::spawn_blocking(move || {
        // Its socket is closed, so it ends; one that does not answer is killed.
        let ended = wait_until(&mut child, ANSWER_MAX);
        if !ended {
            let _ = child.kill();
            let _ = child.wait();
        }
        cgroup::remove_launcher(&group);
    });
    let _ = waited.await;
}

fn wait_until(child: &mut std::process::Child, time: Duration) -> bool {
    let pid = rustix::process::Pid::from_child(child);
    if let Ok(pidfd) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
        let time = rustix::event::Timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: 0 };
        let mut polled = [rustix::event::PollFd::new(&pidfd, rustix::event::PollFlags::IN)];
        let _ = rustix::io::retry_on_intr(|| rustix::event::poll(&mut polled, Some(&time)));
    }
    matches!(child.try_wait(), Ok(Some(_)))
}

impl Shared {
    fn hear(&self, message: FromSpawner, descriptors: Vec<OwnedFd>) {
        match message {
            FromSpawner::Launched { request, sandbox, pid, port, memory, has, freeze, share } => {
                let Some(pending) = lock(&self.pending).remove(&request) else { return };
                match self.sandbox(
                    pending.outputs,
                    sandbox,
                    (pid, port, has),
                    (memory, freeze, share),
                    descriptors,
                    pending.place,
                ) {
                    // If nobody waits any more, dropping the sandbox kills it.
                    Some(made) => drop(pending.answer.send(Ok(made))),
                    None => {
                        // Its descriptors didn't arrive: this process has no room for more. The spawner hasn't reaped it, so that
                        // the number is still its own.
                        lock(&self.running).remove(&sandbox);
                        if let Some(pid) = Pid::from_raw(pid.cast_signed()) {
                            let _ = rustix::process::kill_process(pid, self.kill_signal);
                        }
                        let fault = Fault::new(Step::Exchange, libc::EMFILE);
                        drop(pending.answer.send(Err(Failure::Fault(fault))));
                    }
                }
            }
            FromSpawner::Adopted { request } => {
                if let Some(answer) = lock(&self.adopting).remove(&request) {
                    let _ = answer.send(Ok(descriptors.into_iter().next()));
                }
            }
            FromSpawner::Failed { request, fault } => {
                if let Some(answer) = lock(&self.adopting).remove(&request) {
                    let _ = answer.send(Err(Failure::Fault(fault)));
                    return;
                }
                if let Some(pending) = lock(&self.pending).remove(&request) {
                    let _ = pending.answer.send(Err(Failure::Fault(fault)));
                }
            }
            FromSpawner::Exited { sandbox, exit, peak_bytes } => {
                if let Some(life) = lock(&self.running).remove(&sandbox) {
                    life.send_modify(|life| life.end = Some(End { exit, peak_bytes }));
                }
            }
            FromSpawner::ProgramEnded { sandbox, program, exit } => {
                self.program_ended(sandbox, ProgramEnd { program: program as usize, how: Ok(exit) });
            }
            FromSpawner::ProgramFailed { sandbox, program, fault } => {
                let how = Err(Arc::new(fault.source()));
                self.program_ended(sandbox, ProgramEnd { program: program as usize, how });
            }
            FromSpawner::Ready { .. } | FromSpawner::Unable(_) => {}
        }
    }

    fn program_ended(&self, sandbox: u64, end: ProgramEnd) {
        if let Some(life) = lock(&self.running).get(&sandbox) {
            life.send_modify(|life| life.programs.push(end));
        }
    }

    fn sandbox(
        &self,
        outputs: Outputs,
        number: u64,
        (pid, port, (has_device, tmp_of)): (u32, u16, (bool, Option<u64>)),
        (memory, freeze, share): (Option<MemoryFiles>, Option<PathBuf>, Option<PathBuf>),
        descriptors: Vec<OwnedFd>,
        place: OwnedSemaphorePermit,
    ) -> Option<Sandbox> {
        let mut descriptors = descriptors;
        let tmp = tmp_of.and_then(|of| Some(Tmp { hold: descriptors.pop()?, of }));
        let mut descriptors = descriptors.into_iter();
        let listener = TcpListener::from(descriptors.next()?);
        let share = share.map(|file| Share::open(&file)).transpose().ok()?;
        let process = Process { pidfd: descriptors.next()?, signal: self.kill_signal, share };
        listener.set_nonblocking(true).ok()?;
        let device = has_device.then(|| descriptors.next()).flatten();
        let connectors = descriptors.map(Connector::new).collect();
        let (sender, life) = watch::channel(Life::default());
        lock(&self.running).insert(number, sender);
        Some(Sandbox {
            number,
            pid,
            runtime_api: loopback(port),
            listener: Some(listener),
            output: Some(outputs.program),
            companions_output: outputs.companions,
            connectors,
            device,
            tmp,
            process,
            // Without it the program's own memory is looked at.
            peak_file: memory.and_then(|memory| std::fs::File::open(memory.peak).ok()),
            group: freeze.as_ref().and_then(|file| file.parent()).map(Path::to_owned),
            freeze_file: freeze.and_then(|file| std::fs::OpenOptions::new().write(true).open(file).ok()),
            life,
            _place: place,
        })
    }
}

async fn send(socket: &AsyncFd<OwnedFd>, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    socket.async_io(Interest::WRITABLE, |socket| channel::send(socket, bytes, descriptors)).await
}

async fn receive(socket: &AsyncFd<OwnedFd>, buffer: &mut [u8]) -> io::Result<Option<Received>> {
    socket.async_io(Interest::READABLE, |socket| channel::receive(socket, buffer)).await
}

/// The maps are consistent after every statement, so a panic elsewhere does not spoil them.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
