//! The system-call filter: an allow list as data, made into a short program for the kernel.
//!
//! Installing a filter costs time with its length, for the kernel tries it for every call number. So the allowed numbers
//! are joined to ranges and found by halving: some 130 instructions instead of 700, and at most a dozen are run for a call.

mod allowed;
mod program;

use libc::sock_filter;

pub use allowed::{ALLOWED, CHECKED, PRETENDED};

/// Which sockets the guest may make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// The guest has a network of its own: TCP, UDP and unix sockets.
    Private,
    /// The guest shares the host's network, and landlock guards streams only: no datagrams.
    Shared,
}

/// The filter for a guest.
pub fn filter(network: Network) -> Vec<sock_filter> {
    program::compile(ALLOWED, PRETENDED, CHECKED, network)
}

#[cfg(test)]
mod tests;
