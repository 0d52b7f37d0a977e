//! Datagrams, passed on one by one, and the answers to them.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::net::SendFlags;
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    IPV4_HEADER_LEN, Icmpv4DstUnreachable, Icmpv4Packet, Icmpv4Repr, IpAddress, IpProtocol, Ipv4Packet,
    Ipv4Repr, UDP_HEADER_LEN, UdpPacket, UdpRepr,
};
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use crate::PACKET_BYTES_MAX;
use crate::ROUTER;
use crate::allowance::{Place, Share};
use crate::names;
use crate::policy::{Policy, is_names};
use crate::queue::Queue;

/// Pairs of ends that one sandbox's datagrams go between at the same time; of more, the one that was silent longest is
/// forgotten.
const EXCHANGES_MAX: usize = 64;
/// An exchange that was silent for so long is forgotten, when the gateway next looks at the clock.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// What may be reached is asked again for an exchange after so long: this host's addresses change.
const ALLOWED_MAX: Duration = Duration::from_secs(60);

/// A name server that left questions unanswered for so long is followed by the next. Clients ask again after 5 s, mostly.
const NAMES_PATIENCE: Duration = Duration::from_secs(2);

const HEADERS_BYTES: usize = IPV4_HEADER_LEN + UDP_HEADER_LEN;
const HOP_LIMIT: u8 = 64;

#[derive(Default)]
pub struct Datagrams {
    exchanges: HashMap<(SocketAddrV4, SocketAddrV4), Exchange>,
    buffer: Box<[u8]>,
    /// Which of the name servers is asked; they follow each other in a circle.
    server: usize,
    /// Since when it has answered none of the questions.
    unanswered: Option<Instant>,
}

struct Exchange {
    socket: UdpSocket,
    /// Which of the name servers it goes to, if it goes to one.
    server: usize,
    /// When it was seen that it may be.
    allowed: Instant,
    spoke: Instant,
    place: Place,
}

impl Datagrams {
    /// Passes one on; `false` if there is no socket to be had for it. What can't go now is lost, as datagrams may be; so is what mayn't go.
    pub fn send(
        &mut self,
        from: SocketAddrV4,
        to: SocketAddrV4,
        payload: &[u8],
        (policy, share): (&Policy, &Share),
        now: Instant,
    ) -> bool {
        let ends = (from, to);
        if is_names(to) {
            if !names::is_question(payload) {
                return true;
            }
            self.ask(policy.name_servers.len(), now);
            let server = self.server;
            self.exchanges.retain(|held, exchange| *held != ends || exchange.server == server);
        }
        let allowed = self.exchanges.get(&ends).map(|exchange| exchange.allowed);
        if allowed.is_none_or(|allowed| now - allowed >= ALLOWED_MAX) {
            let destinations = policy.destinations(to);
            let Some(destination) = destinations.get(self.server % destinations.len().max(1)) else {
                self.exchanges.remove(&ends);
                return true;
            };
            if !self.allow(ends, *destination, share, now) {
                return false;
            }
        }
        if let Some(exchange) = self.exchanges.get_mut(&ends) {
            exchange.spoke = now;
            // Not by tokio's own call, which waits to be told first that a new socket can be written to.
            let _lost =
                rustix::net::send(&exchange.socket, payload, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
        }
        true
    }

    /// There may be an exchange, whether there was one or not. `false` if there is nothing to make it of.
    fn allow(
        &mut self,
        ends: (SocketAddrV4, SocketAddrV4),
        destination: SocketAddr,
        share: &Share,
        now: Instant,
    ) -> bool {
        if let Some(exchange) = self.exchanges.get_mut(&ends) {
            exchange.allowed = now;
            return true;
        }
        let freed = if self.exchanges.len() >= EXCHANGES_MAX { self.forget_one() } else { None };
        // Of this sandbox's own the one that was silent longest makes place where there is none.
        let Some(place) = freed.or_else(|| share.take()).or_else(|| self.forget_one()) else { return false };
        let Ok(socket) = socket(destination) else { return false };
        let exchange = Exchange { socket, server: self.server, allowed: now, spoke: now, place };
        self.exchanges.insert(ends, exchange);
        true
    }

    /// There is a question. If those before it have found no answer it is for the next of so many servers.
    fn ask(&mut self, servers: usize, now: Instant) {
        if self.unanswered.is_some_and(|since| now - since >= NAMES_PATIENCE) {
            self.server = (self.server + 1) % servers.max(1);
            self.unanswered = None;
        }
        self.unanswered.get_or_insert(now);
    }

    /// Forgets exchanges that are silent, and takes answers as long as there is room for them; `true` if there were any.
    pub fn take(&mut self, queue: &mut Queue, now: Instant, context: &mut Context<'_>) -> bool {
        let mut has_moved = false;
        self.exchanges.retain(|_, exchange| now - exchange.spoke < SILENCE_MAX);
        let Datagrams { exchanges, buffer, server, unanswered } = self;
        if buffer.is_empty() && !exchanges.is_empty() {
            *buffer = vec![0; usize::from(PACKET_BYTES_MAX) - HEADERS_BYTES].into();
        }
        for ((from, to), exchange) in exchanges {
            while queue.has_room() {
                let mut read = ReadBuf::new(buffer);
                match exchange.socket.poll_recv(context, &mut read) {
                    Poll::Ready(Ok(())) => {
                        exchange.spoke = now;
                        if is_names(*to) && exchange.server == *server {
                            *unanswered = None;
                        }
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

    /// Forgets the exchange that was silent longest.
    fn forget_one(&mut self) -> Option<Place> {
        let silent = self.exchanges.iter().min_by_key(|(_, exchange)| exchange.spoke);
        let ends = silent.map(|(ends, _)| *ends)?;
        self.exchanges.remove(&ends).map(|exchange| exchange.place)
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

/// What tells the sandbox that a packet of its, of which this is the beginning, went nowhere: its programs find `EHOSTUNREACH`.
pub fn nowhere(packet: &Ipv4Packet<&[u8]>) -> Option<Vec<u8>> {
    let checksums = ChecksumCapabilities::default();
    let header = Ipv4Repr::parse(packet, &checksums).ok()?;
    let reason = Icmpv4DstUnreachable::CommProhibited;
    let data = packet.payload().get(..UDP_HEADER_LEN)?;
    let message = Icmpv4Repr::DstUnreachable { reason, header, data };
    let (payload_len, hop_limit) = (message.buffer_len(), HOP_LIMIT);
    let (src_addr, dst_addr, next_header) = (ROUTER, packet.src_addr(), IpProtocol::Icmp);
    let outer = Ipv4Repr { src_addr, dst_addr, next_header, payload_len, hop_limit };
    let mut answer = vec![0; IPV4_HEADER_LEN + payload_len];
    let mut written = Ipv4Packet::new_unchecked(&mut answer);
    outer.emit(&mut written, &checksums);
    message.emit(&mut Icmpv4Packet::new_unchecked(written.payload_mut()), &checksums);
    Some(answer)
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

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::net::UdpSocket as Server;
    use std::sync::Arc;

    use super::*;
    use crate::Allowance;
    use crate::{GUEST, ROUTER, Reach};

    const FROM: SocketAddrV4 = SocketAddrV4::new(GUEST, 5353);
    const TO: SocketAddrV4 = SocketAddrV4::new(ROUTER, 53);
    /// For the root's name servers.
    const QUESTION: &[u8] = &[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1];

    fn server() -> Server {
        let server = Server::bind("127.0.0.1:0").expect("a port");
        server.set_read_timeout(Some(Duration::from_secs(20))).expect("it can");
        server
    }

    fn policy(servers: &[&Server]) -> Policy {
        let name_servers: Arc<[SocketAddr]> =
            servers.iter().map(|server| server.local_addr().expect("it is bound")).collect();
        Policy { reach: Reach::Public, name_servers }
    }

    fn share() -> Share {
        Allowance::new(10).share()
    }

    fn heard(server: &Server) -> SocketAddr {
        let mut buffer = [0; 64];
        let (length, from) = server.recv_from(&mut buffer).expect("a question");
        assert_eq!(&buffer[..length], QUESTION);
        from
    }

    #[tokio::test]
    async fn a_server_that_is_silent_is_followed_by_the_next() {
        let (first, second) = (server(), server());
        let policy = policy(&[&first, &second]);
        let (mut datagrams, mut queue, start) = (Datagrams::default(), Queue::default(), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        datagrams.send(FROM, TO, QUESTION, (&policy, &share()), at(0));
        datagrams.send(FROM, TO, QUESTION, (&policy, &share()), at(1999));
        assert_eq!(heard(&first), heard(&first), "once, and once more");
        datagrams.send(FROM, TO, QUESTION, (&policy, &share()), at(2000));
        second.send_to(b"here", heard(&second)).expect("it is sent");
        poll_fn(|context| match datagrams.take(&mut queue, at(2000), context) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
        // The one that answers is asked from now on.
        datagrams.send(FROM, TO, QUESTION, (&policy, &share()), at(10_000));
        let _from = heard(&second);
        datagrams.send(FROM, TO, QUESTION, (&policy, &share()), at(12_000));
        let _from = heard(&first);
    }

    #[tokio::test]
    async fn a_silent_exchange_is_forgotten_without_another() {
        let server = server();
        let (mut datagrams, mut queue, start) = (Datagrams::default(), Queue::default(), Instant::now());
        datagrams.send(FROM, TO, QUESTION, (&policy(&[&server]), &share()), start);
        for (silence, expected) in [(SILENCE_MAX - Duration::from_millis(1), 1), (SILENCE_MAX, 0)] {
            let mut context = Context::from_waker(std::task::Waker::noop());
            datagrams.take(&mut queue, start + silence, &mut context);
            assert_eq!(datagrams.exchanges.len(), expected, "{silence:?}");
        }
    }

    #[tokio::test]
    async fn what_may_no_longer_be_reached_is_not_for_long() {
        let server = server();
        let (mut datagrams, start) = (Datagrams::default(), Instant::now());
        let mut send = |policy: &Policy, age| {
            datagrams.send(FROM, TO, QUESTION, (policy, &share()), start + age);
            datagrams.exchanges.len()
        };
        let (may, may_not) = (policy(&[&server]), policy(&[]));
        assert_eq!(send(&may, Duration::ZERO), 1);
        assert_eq!(send(&may_not, ALLOWED_MAX - Duration::from_millis(1)), 1);
        assert_eq!(send(&may, ALLOWED_MAX), 1);
        assert_eq!(send(&may_not, ALLOWED_MAX * 2 - Duration::from_millis(1)), 1, "it was asked in between");
        assert_eq!(send(&may_not, ALLOWED_MAX * 2), 0);
    }
}
