//! A sandbox's way to the outside world: what it sends into a device of its network goes out over sockets of the host.
//!
//! ```text
//! function ── TUN device in the sandbox's network ── serve ── sockets of the host ── the world
//! ```
//!
//! [`serve`] is the other end of the device: a small TCP stack (smoltcp) that answers for every address, opens a connection
//! of the host's for each of the function's, and copies between the two; datagrams are passed on one by one. The function never
//! touches a network of the host's, and nothing of the host's routes or filters changes; no privilege is needed but the device.
//! Where it may go says a [`Policy`]: never to an address of this host, whatever else. How many sockets all sandboxes together have bounds
//! an [`Allowance`].
//!
//! It knows no sandbox, no function and no configuration. IPv4 only; of ICMP nothing is passed on.
//!
//! Start at [`serve`], then [`Policy`].

mod allowance;
mod connections;
mod datagrams;
mod gateway;
mod names;
mod policy;
mod queue;

use std::net::Ipv4Addr;

pub use allowance::{Allowance, Share};
pub use gateway::serve;
pub use policy::{Policy, Reach};

/// The sandbox's own address; of the block for links that lead nowhere else. Source: RFC 7335.
pub const GUEST: Ipv4Addr = Ipv4Addr::new(192, 0, 0, 2);
/// Its router and its name server.
pub const ROUTER: Ipv4Addr = Ipv4Addr::new(192, 0, 0, 1);
/// Bits of the network's part of both.
pub const PREFIX_BITS: u8 = 29;
/// Longest packet through the device, bytes.
pub const PACKET_BYTES_MAX: u16 = 65_520;
