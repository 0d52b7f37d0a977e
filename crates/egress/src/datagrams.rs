//! Datagrams, passed on one by one, and the answers to them.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::net::SendFlags;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    IPV4_HEADER_LEN, IpAddress, IpProtocol, Ipv4Packet, Ipv4Repr, UDP_HEADER_LEN, UdpPacket, UdpRepr,
};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use crate::PACKET_BYTES_MAX;
use crate::policy::Policy;
use crate::queue::Queue;

/// Pairs of ends that one sandbox's datagrams go between at the same time; of more, the one that was silent longest is
/// forgotten.
const EXCHANGES_MAX: usize = 64;
/// An exchange that was silent for so long is forgotten.
const SILENCE_MAX: Duration = Duration::from_secs(60);

const HEADERS_BYTES: usize = IPV4_HEADER_LEN + UDP_HEADER_LEN;
const HOP_LIMIT: u8 = 64;

#[derive(Default)]
pub struct Datagrams {
    exchanges: HashMap<(SocketAddrV4, SocketAddrV4), Exchange>,
    buffer: Box<[u8]>,
}

struct Exchange {
    socket: UdpSocket,
    spoke: Instant,
}

impl Datagrams {
    /// Passes one on. What can't go now is lost, as datagrams may be.
    pub fn send(&mut self, from: SocketAddrV4, to: SocketAddrV4, payload: &[u8], policy: &Policy) {
        let now = Instant::now();
        if !self.exchanges.contains_key(&(from, to)) {
            let Some(destination) = policy.destination(to) else { return };
            let Ok(socket) = socket(destination) else { return };
            self.forget(now);
            self.exchanges.insert((from, to), Exchange { socket, spoke: now });
        }
        if let Some(exchange) = self.exchanges.get_mut(&(from, to)) {
            exchange.spoke = now;
            // Not by tokio's own call, which waits to be told first that a new socket can be written to.
            let _lost =
                rustix::net::send(&exchange.socket, payload, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
        }
    }

    /// Takes answers as long as there is room for them; `true` if there were any.
    pub fn take(&mut self, queue: &mut Queue, context: &mut Context<'_>) -> bool {
        let mut has_moved = false;
        let Datagrams { exchanges, buffer } = self;
        if buffer.is_empty() && !exchanges.is_empty() {
            *buffer = vec![0; usize::from(PACKET_BYTES_MAX) - HEADERS_BYTES].into();
        }
        for ((from, to), exchange) in exchanges {
            while queue.has_room() {
                let mut read = ReadBuf::new(buffer);
                match exchange.socket.poll_recv(context, &mut read) {
                    Poll::Ready(Ok(())) => {
                        exchange.spoke = Instant::now();
                        queue.outgoing.push_back(packet(*to, *from, read.filled()));
                        has_moved = true;
                    }
                    // Nobody is there; who asks finds out by himself.
                    Poll::Ready(Err(_)) => {}
                    Poll::Pending => break,
                }
            }
        }
        has_moved
    }

    fn forget(&mut self, now: Instant) {
        self.exchanges.retain(|_, exchange| now - exchange.spoke < SILENCE_MAX);
        if self.exchanges.len() >= EXCHANGES_MAX {
            let silent = self.exchanges.iter().min_by_key(|(_, exchange)| exchange.spoke);
            let ends = silent.map(|(ends, _)| *ends);
            ends.and_then(|ends| self.exchanges.remove(&ends));
        }
    }
}

fn socket(destination: SocketAddr) -> io::Result<UdpSocket> {
    let local: SocketAddr = match destination {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = std::net::UdpSocket::bind(local)?;
    socket.connect(destination)?;
    socket.set_nonblocking(true)?;
    UdpSocket::from_std(socket)
}

/// A datagram as a packet.
fn packet(from: SocketAddrV4, to: SocketAddrV4, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; HEADERS_BYTES + payload.len()];
    let checksums = ChecksumCapabilities::default();
    let (src_addr, dst_addr) = (*from.ip(), *to.ip());
    let payload_len = UDP_HEADER_LEN + payload.len();
    let header =
        Ipv4Repr { src_addr, dst_addr, next_header: IpProtocol::Udp, payload_len, hop_limit: HOP_LIMIT };
    let mut outer = Ipv4Packet::new_unchecked(&mut packet);
    header.emit(&mut outer, &checksums);
    let ports = UdpRepr { src_port: from.port(), dst_port: to.port() };
    let (source, target) = (IpAddress::Ipv4(src_addr), IpAddress::Ipv4(dst_addr));
    let mut inner = UdpPacket::new_unchecked(outer.payload_mut());
    ports.emit(&mut inner, &source, &target, payload.len(), |room| room.copy_from_slice(payload), &checksums);
    packet
}
