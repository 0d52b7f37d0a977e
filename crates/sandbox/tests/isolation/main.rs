//! Every promise of isolation, tried from inside a real sandbox.
//!
//! Each test starts a launcher of its own. Where the host lacks what a promise needs, the test says so and passes.

mod attacks;
mod code;
mod companions;
mod files;
mod life;
mod limits;
mod network;
mod outside;
mod parked;
mod privileges;
mod processes;
mod shares;
mod support;
mod unprivileged;
mod weaker;

/// This binary is its own spawner.
// SAFETY: the section holds functions that the C library calls before main; this one needs nothing that main sets up.
#[used]
#[unsafe(link_section = ".init_array")]
static BECOME_SPAWNER: extern "C" fn() = {
    extern "C" fn become_spawner() {
        pitbird_sandbox::spawner_if_asked();
    }
    become_spawner
};
