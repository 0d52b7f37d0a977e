//! The other end of a sandbox's device.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::SocketAddrV4;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use smoltcp::iface::{Config, Interface, SocketSet};
use smoltcp::time::Instant;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr, IpProtocol, Ipv4Packet, TcpPacket, UdpPacket};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::time::Sleep;

use crate::allowance::Share;
use crate::connections::Connections;
use crate::datagrams::{self, Datagrams};
use crate::policy::Policy;
use crate::queue::Queue;
use crate::{PACKET_BYTES_MAX, PREFIX_BITS, ROUTER};

/// Packets that are taken from a device before others have their turn.
const ROUNDS: usize = 32;
/// When nothing is due, the clock is looked at after so long all the same.
const TICK: Duration = Duration::from_secs(10);
/// The stack holds an answer to be due always that waits for a connection of the host's. While there are any it is asked this
/// often, which is as often as it would acknowledge.
const OPENING_TICK: Duration = Duration::from_millis(10);

/// Answers for the outside world at the far end of a device that carries one IPv4 packet a read and a write, such as a TUN device
/// without packet information. A connection for which the share has no place is refused, a datagram answered as unreachable. Returns when the device is gone; when it is dropped all connections break off.
///
/// # Errors
/// The device can't be read or written.
pub async fn serve(device: OwnedFd, policy: Policy, share: Share) -> io::Result<()> {
    rustix::io::ioctl_fionbio(&device, true)?;
    // It is read and written as pipes are, whatever it is.
    let outgoing = Sender::from_owned_fd_unchecked(device.try_clone()?)?;
    let incoming = Receiver::from_owned_fd_unchecked(device)?;
    let mut gateway = Gateway::new(incoming, outgoing, policy, share);
    poll_fn(|context| gateway.poll(context)).await
}

struct Gateway {
    incoming: Receiver,
    outgoing: Sender,
    policy: Policy,
    share: Share,
    queue: Queue,
    interface: Interface,
    sockets: SocketSet<'static>,
    connections: Connections,
    datagrams: Datagrams,
    began: std::time::Instant,
    timer: Pin<Box<Sleep>>,
    packet: Box<[u8]>,
}

impl Gateway {
    fn new(incoming: Receiver, outgoing: Sender, policy: Policy, share: Share) -> Gateway {
        let mut queue = Queue::default();
        let mut interface = Interface::new(Config::new(HardwareAddress::Ip), &mut queue, Instant::ZERO);
        // It answers for every address, as if all of them were behind it.
        interface.set_any_ip(true);
        interface.update_ip_addrs(|addresses| {
            let own = IpCidr::new(IpAddress::Ipv4(ROUTER), PREFIX_BITS);
            addresses.push(own).expect("there is room for one address");
        });
        interface.routes_mut().add_default_ipv4_route(ROUTER).expect("there is room for one route");
        Gateway {
            incoming,
            outgoing,
            policy,
            share,
            queue,
            interface,
            sockets: SocketSet::new(Vec::new()),
            connections: Connections::default(),
            datagrams: Datagrams::default(),
            began: std::time::Instant::now(),
            timer: Box::pin(tokio::time::sleep(TICK)),
            packet: vec![0; usize::from(PACKET_BYTES_MAX)].into(),
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        for _ in 0..ROUNDS {
            let mut has_moved = match self.read(context) {
                Poll::Ready(Ok(true)) => true,
                Poll::Ready(Ok(false)) => return Poll::Ready(Ok(())),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => false,
            };
            has_moved |= self.connections.pump(&mut self.sockets, context);
            has_moved |= self.datagrams.take(&mut self.queue, std::time::Instant::now(), context);
            let now = self.now();
            self.interface.poll(now, &mut self.queue, &mut self.sockets);
            has_moved |= self.write(context)?;
            if !has_moved {
                let due = self.due(now);
                self.timer.as_mut().reset(tokio::time::Instant::now() + due);
                if self.timer.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// When the clock is to be looked at again.
    fn due(&mut self, now: Instant) -> Duration {
        let due = self.interface.poll_delay(now, &self.sockets).map_or(TICK, Into::into);
        let is_held = due < OPENING_TICK && self.connections.are_opening();
        if is_held { OPENING_TICK } else { due.min(TICK) }
    }

    fn now(&self) -> Instant {
        Instant::from_micros(self.began.elapsed().as_micros() as i64)
    }

    /// Takes one packet, if there is room for what may answer it. `false` when the device is gone.
    fn read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if !self.queue.has_room() {
            return Poll::Pending;
        }
        loop {
            ready!(self.incoming.poll_read_ready(context))?;
            match self.incoming.try_read(&mut self.packet) {
                Ok(0) => return Poll::Ready(Ok(false)),
                Ok(length) => {
                    self.take(length);
                    return Poll::Ready(Ok(true));
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                // The network that it was part of is gone.
                Err(error) if error.raw_os_error() == Some(BAD_DEVICE) => return Poll::Ready(Ok(false)),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Looks at a packet: connections are the stack's, datagrams are passed on, the rest is dropped.
    fn take(&mut self, length: usize) {
        let Some(packet) = self.packet.get(..length) else { return };
        let Ok(outer) = Ipv4Packet::new_checked(packet) else { return };
        if outer.version() != 4 || outer.more_frags() || outer.frag_offset() != 0 {
            return;
        }
        let ends =
            |from, to| (SocketAddrV4::new(outer.src_addr(), from), SocketAddrV4::new(outer.dst_addr(), to));
        match outer.next_header() {
            IpProtocol::Tcp => {
                let Ok(inner) = TcpPacket::new_checked(outer.payload()) else { return };
                if inner.syn() && !inner.ack() {
                    let ends = ends(inner.src_port(), inner.dst_port());
                    self.connections.open(ends, &self.policy, &self.share, &mut self.sockets);
                }
                self.queue.incoming = Some(packet.to_vec());
                let now = self.now();
                self.interface.poll_ingress_single(now, &mut self.queue, &mut self.sockets);
            }
            IpProtocol::Udp => {
                let Ok(inner) = UdpPacket::new_checked(outer.payload()) else { return };
                let (from, to) = ends(inner.src_port(), inner.dst_port());
                let now = std::time::Instant::now();
                let rules = (&self.policy, &self.share);
                if !self.datagrams.send(from, to, inner.payload(), rules, now) {
                    self.queue.outgoing.extend(datagrams::nowhere(&outer));
                }
            }
            _ => {}
        }
    }

    /// Hands packets to the sandbox; `true` if any went.
    fn write(&mut self, context: &mut Context<'_>) -> io::Result<bool> {
        let mut has_moved = false;
        while let Some(packet) = self.queue.outgoing.front() {
            let Poll::Ready(ready) = self.outgoing.poll_write_ready(context) else { break };
            ready?;
            match self.outgoing.try_write(packet) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // One that the device doesn't take is lost, and missed, and sent again.
                _ => {
                    self.queue.outgoing.pop_front();
                    has_moved = true;
                }
            }
        }
        Ok(has_moved)
    }
}

/// `EBADFD`: the device's network is no more.
const BAD_DEVICE: i32 = 77;

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::os::unix::net::UnixDatagram;

    use smoltcp::phy::ChecksumCapabilities;
    use smoltcp::wire::{Ipv4Repr, TcpControl, TcpRepr, TcpSeqNumber};

    use super::*;
    use crate::{Allowance, GUEST, Reach};

    /// The first segment of a connection to the name server.
    fn opening() -> Vec<u8> {
        let segment = TcpRepr {
            src_port: 40_000,
            dst_port: 53,
            control: TcpControl::Syn,
            seq_number: TcpSeqNumber(0),
            ack_number: None,
            window_len: 1000,
            window_scale: None,
            max_seg_size: Some(1400),
            sack_permitted: false,
            sack_ranges: [None; 3],
            timestamp: None,
            payload: &[],
        };
        let header = Ipv4Repr {
            src_addr: GUEST,
            dst_addr: ROUTER,
            next_header: IpProtocol::Tcp,
            payload_len: segment.buffer_len(),
            hop_limit: 64,
        };
        let mut packet = vec![0; header.buffer_len() + segment.buffer_len()];
        let mut outer = Ipv4Packet::new_unchecked(&mut packet);
        header.emit(&mut outer, &ChecksumCapabilities::default());
        let mut inner = TcpPacket::new_unchecked(outer.payload_mut());
        let (from, to) = (IpAddress::Ipv4(GUEST), IpAddress::Ipv4(ROUTER));
        segment.emit(&mut inner, &from, &to, &ChecksumCapabilities::default());
        packet
    }

    /// A server that answers nobody any more, and those that it has.
    fn busy() -> (TcpListener, Vec<TcpStream>, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it is bound");
        rustix::net::listen(&listener, 0).expect("it listens");
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(100)).ok();
        let taken = std::iter::from_fn(connect).collect();
        (listener, taken, address)
    }

    #[tokio::test]
    async fn a_connection_that_waits_lets_the_processor_rest() {
        let (_listener, _taken, address) = busy();
        let (near, far) = UnixDatagram::pair().expect("a pair");
        let policy = Policy { reach: Reach::Public, name_servers: [address].into() };
        far.set_nonblocking(true).expect("it can");
        let far = OwnedFd::from(far);
        let outgoing =
            Sender::from_owned_fd_unchecked(far.try_clone().expect("a descriptor")).expect("a sender");
        let incoming = Receiver::from_owned_fd_unchecked(far).expect("a receiver");
        let share = Allowance::new(1).share();
        let mut gateway = Gateway::new(incoming, outgoing, policy, share);
        near.send(&opening()).expect("it is sent");
        let mut polls = 0;
        let served = poll_fn(|context| {
            polls += 1;
            gateway.poll(context)
        });
        let time = Duration::from_millis(500);
        assert!(tokio::time::timeout(time, served).await.is_err(), "the device is there still");
        assert!(gateway.connections.are_opening());
        // Some more for what happened meanwhile.
        let most = time.as_millis() / OPENING_TICK.as_millis() + 20;
        assert!(polls <= most, "{polls} in {time:?}");
    }
}
