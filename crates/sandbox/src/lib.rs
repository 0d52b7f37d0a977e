//! Starts one isolated process and makes sure it ends; the only crate with `unsafe`.
//!
//! [`Launcher::start`] starts a small process, the spawner, which finds out by trial how strongly this host can isolate
//! ([`Report`]). [`Launcher::launch`] asks it for a [`Sandbox`]: a program with its own user, processes, files and network, which
//! sees its code, a private `/tmp` and little else, and talks to the outside through one listener and one output pipe.
//! [`Launcher::park`] starts a program before its function is known. When a `Sandbox` is dropped, everything in it is killed; when the daemon or the spawner dies, for whatever reason, so is
//! everything they started.
//!
//! ```text
//! daemon ── socket ── spawner ── socket ── first process (pid 1 inside) ── the program and what it starts
//! ```
//!
//! It never speaks the Runtime API, knows no function, runtime or invocation, and never forks the daemon. Linux only.
//!
//! Start at [`Spec`] for what can be asked, `init` for what a sandbox does to itself, `spawner` for how they are kept.

mod cgroup;
mod channel;
mod claim;
mod error;
mod init;
mod kernel;
mod launcher;
mod message;
mod mounts;
mod processes;
mod report;
mod runaway;
mod sandbox;
mod seccomp;
mod spawner;
mod spec;

pub use error::{Error, Step};
pub use kernel::{default_signals, ignore_signals};
pub use launcher::{Config, Launcher, Parked, SpawnerCommand};
pub use report::{CgroupVersion, Level, Missing, Report};
pub use runaway::{serve_this_thread_first, wake_this_thread_soon};
pub use sandbox::{Connector, Exit, ProgramEnd, Sandbox, Tmp};
pub use spawner::{ARGUMENT as SPAWNER_ARGUMENT, spawner_if_asked, spawner_main};
pub use spec::{
    CODE, COMPANIONS_MAX, CONNECTORS_MAX, Companions, HOST_PATHS_MAX, IDENTITY_DESCRIPTOR, IDENTITY_VARIABLE,
    LAYERS, Outside, ROOM_VARIABLE, RUNTIME, RUNTIME_API_PORT, Spec, TEXT_BYTES_MAX, TMP, system_read_only,
};

/// Makes every binary that this crate is linked into its own spawner, before its `main` runs. For tests, whose `main` is not
/// theirs to change; the product calls [`spawner_main`] itself.
#[cfg(feature = "test-spawner")]
#[used]
// SAFETY: the section holds pointers to functions that the C library calls with the program's arguments before main;
// this is one, and what it calls needs nothing that main would set up.
#[unsafe(link_section = ".init_array")]
static BECOME_SPAWNER: extern "C" fn() = {
    extern "C" fn become_spawner() {
        spawner_if_asked();
    }
    become_spawner
};
