//! A guest: a stack of its own, and packets that no stack would send.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pitbird_egress::{Allowance, GUEST, PACKET_BYTES_MAX, Policy, ROUTER, Reach, serve};
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{self, ChecksumCapabilities, DeviceCapabilities, Medium};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::time::Instant as Now;
use smoltcp::wire::{
    HardwareAddress, Icmpv4DstUnreachable, Icmpv4Message, Icmpv4Packet, IpAddress, IpCidr, IpProtocol,
    Ipv4Packet, Ipv4Repr, TcpPacket, UdpPacket, UdpRepr,
};

pub const PATIENCE: Duration = Duration::from_secs(20);

/// The guest's end of the device.
pub struct Wire {
    pub socket: UnixDatagram,
    /// Datagrams that came back, with who sent them.
    pub datagrams: VecDeque<(Ipv4Addr, Vec<u8>)>,
    /// The ports to which datagrams were answered with "communication administratively prohibited".
    pub prohibited: Vec<u16>,
}

pub struct Packet(Vec<u8>);
pub struct Send<'a>(&'a UnixDatagram);

impl phy::Device for Wire {
    type RxToken<'a> = Packet;
    type TxToken<'a> = Send<'a>;

    fn receive(&mut self, _: Now) -> Option<(Packet, Send<'_>)> {
        let mut buffer = vec![0; usize::from(PACKET_BYTES_MAX)];
        let length = self.socket.recv(&mut buffer).ok()?;
        buffer.truncate(length);
        if let Ok(packet) = Ipv4Packet::new_checked(&buffer)
            && let Ok(inner) = UdpPacket::new_checked(packet.payload())
            && packet.next_header() == smoltcp::wire::IpProtocol::Udp
        {
            self.datagrams.push_back((packet.src_addr(), inner.payload().to_vec()));
        }
        self.prohibited.extend(prohibited(&buffer));
        Some((Packet(buffer), Send(&self.socket)))
    }

    fn transmit(&mut self, _: Now) -> Option<Send<'_>> {
        Some(Send(&self.socket))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = usize::from(PACKET_BYTES_MAX);
        capabilities
    }
}

impl phy::RxToken for Packet {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

impl phy::TxToken for Send<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, write: F) -> R {
        let mut packet = vec![0; length];
        let written = write(&mut packet);
        // A full pipe loses packets, as a network does.
        let _lost = self.0.send(&packet);
        written
    }
}

pub struct Guest {
    pub wire: Wire,
    interface: Interface,
    sockets: SocketSet<'static>,
    began: Instant,
    port: u16,
    _runtime: tokio::runtime::Runtime,
}

impl Guest {
    pub fn new(names: &[SocketAddr]) -> Guest {
        Guest::with(names, &Allowance::new(1000))
    }

    /// One of several that share what they may have.
    pub fn with(names: &[SocketAddr], allowance: &Arc<Allowance>) -> Guest {
        let (near, far) = UnixDatagram::pair().unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let policy = Policy { reach: Reach::Networks, name_servers: names.into() };
        runtime.spawn(serve(OwnedFd::from(far), policy, allowance.share()));
        near.set_nonblocking(true).unwrap();
        let mut wire = Wire { socket: near, datagrams: VecDeque::new(), prohibited: Vec::new() };
        let mut interface = Interface::new(Config::new(HardwareAddress::Ip), &mut wire, Now::ZERO);
        let own = IpCidr::new(IpAddress::Ipv4(GUEST), 29);
        interface.update_ip_addrs(|addresses| addresses.push(own).unwrap());
        interface.routes_mut().add_default_ipv4_route(ROUTER).unwrap();
        let sockets = SocketSet::new(Vec::new());
        Guest { wire, interface, sockets, began: Instant::now(), port: 40_000, _runtime: runtime }
    }

    pub fn connect(&mut self, to: (Ipv4Addr, u16)) -> SocketHandle {
        let buffer = || SocketBuffer::new(vec![0; 32 * 1024]);
        let mut socket = Socket::new(buffer(), buffer());
        self.port += 1;
        socket.connect(self.interface.context(), to, self.port).unwrap();
        self.sockets.add(socket)
    }

    /// Lets the network go on until something is so.
    pub fn until<T>(&mut self, mut is_so: impl FnMut(&mut SocketSet<'static>, &mut Wire) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            let now = Now::from_micros(self.began.elapsed().as_micros() as i64);
            self.interface.poll(now, &mut self.wire, &mut self.sockets);
            if let Some(it) = is_so(&mut self.sockets, &mut self.wire) {
                return it;
            }
            assert!(Instant::now() < end, "not within {PATIENCE:?}");
            std::thread::yield_now();
        }
    }

    /// Sends packets as they are.
    pub fn send(&mut self, packets: &[Vec<u8>]) {
        for packet in packets {
            self.until(|_, wire| match wire.socket.send(packet) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => None,
                sent => Some(sent.unwrap()),
            });
        }
    }

    pub fn state_after_opening(&mut self, to: (Ipv4Addr, u16)) -> State {
        let handle = self.connect(to);
        self.until(|sockets, _| {
            let state = sockets.get::<Socket<'_>>(handle).state();
            (!matches!(state, State::SynSent)).then_some(state)
        })
    }

    /// Says something, closes its side, and hears everything.
    pub fn exchange(&mut self, said: &[u8]) -> Vec<u8> {
        let handle = self.connect((ROUTER, 53));
        let (mut at, mut heard, mut is_closed) = (0, Vec::new(), false);
        self.until(|sockets, _| {
            let socket = sockets.get_mut::<Socket<'_>>(handle);
            while socket.can_send() && at < said.len() {
                at += socket.send_slice(&said[at..]).unwrap();
            }
            if at == said.len() && !is_closed && socket.may_send() {
                socket.close();
                is_closed = true;
            }
            while socket.can_recv() {
                let read = socket.recv(|bytes| (bytes.len(), bytes.to_vec())).unwrap();
                heard.extend(read);
            }
            matches!(socket.state(), State::TimeWait | State::Closed).then_some(())
        });
        self.sockets.remove(handle);
        heard
    }
}

/// The port of a guest's datagram of which this packet says that it mayn't be sent.
fn prohibited(packet: &[u8]) -> Option<u16> {
    let outer =
        Ipv4Packet::new_checked(packet).ok().filter(|outer| outer.next_header() == IpProtocol::Icmp)?;
    let message = Icmpv4Packet::new_checked(outer.payload()).ok().filter(Icmpv4Packet::verify_checksum)?;
    let is_prohibited = message.msg_type() == Icmpv4Message::DstUnreachable
        && message.msg_code() == Icmpv4DstUnreachable::CommProhibited.into();
    // The header of what was sent, and as much of its content as has the ports.
    let sent = Ipv4Packet::new_unchecked(message.data());
    assert_eq!((sent.src_addr(), sent.next_header()), (GUEST, IpProtocol::Udp));
    let ports = &message.data()[usize::from(sent.header_len())..];
    is_prohibited.then(|| u16::from_be_bytes([ports[2], ports[3]]))
}

/// The question for the root's name servers, with anything after it.
pub fn question(rest: &[u8]) -> Vec<u8> {
    [&[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1], rest].concat()
}

/// Questions as a name server gets them over a connection, which carry anything.
pub fn questions(carried: &[u8]) -> Vec<u8> {
    let messages = carried.chunks(60_000).map(question);
    messages.flat_map(|message| [&(message.len() as u16).to_be_bytes()[..], &message].concat()).collect()
}

/// A datagram of the guest's, as a packet.
pub fn datagram(to: Ipv4Addr, port: u16, payload: &[u8]) -> Vec<u8> {
    let checksums = ChecksumCapabilities::default();
    let mut packet = packet(to, IpProtocol::Udp, 8 + payload.len());
    let mut outer = Ipv4Packet::new_unchecked(&mut packet);
    let ports = UdpRepr { src_port: 5353, dst_port: port };
    let (from, to) = (IpAddress::Ipv4(GUEST), IpAddress::Ipv4(to));
    let mut inner = UdpPacket::new_unchecked(outer.payload_mut());
    ports.emit(&mut inner, &from, &to, payload.len(), |room| room.copy_from_slice(payload), &checksums);
    packet
}

/// A segment of a connection's, with any flags.
#[derive(Debug, Clone, Default)]
pub struct Segment {
    pub port: u16,
    pub flags: u8,
    pub sequence: u32,
    pub acknowledged: u32,
    pub window: u16,
    pub payload: Vec<u8>,
}

impl Segment {
    pub const SYN: u8 = 2;

    /// As a packet to the name server.
    pub fn to_packet(&self) -> Vec<u8> {
        self.to_packet_to(ROUTER)
    }

    /// As a packet to port 53 of an address.
    pub fn to_packet_to(&self, address: Ipv4Addr) -> Vec<u8> {
        let mut packet = packet(address, IpProtocol::Tcp, 20 + self.payload.len());
        let inner = &mut packet[20..];
        inner[..2].copy_from_slice(&self.port.to_be_bytes());
        inner[2..4].copy_from_slice(&53u16.to_be_bytes());
        inner[4..8].copy_from_slice(&self.sequence.to_be_bytes());
        inner[8..12].copy_from_slice(&self.acknowledged.to_be_bytes());
        inner[12..14].copy_from_slice(&[5 << 4, self.flags]);
        inner[14..16].copy_from_slice(&self.window.to_be_bytes());
        inner[20..].copy_from_slice(&self.payload);
        TcpPacket::new_unchecked(inner).fill_checksum(&IpAddress::Ipv4(GUEST), &IpAddress::Ipv4(address));
        packet
    }
}

/// A packet of the guest's without content.
fn packet(to: Ipv4Addr, protocol: IpProtocol, payload_len: usize) -> Vec<u8> {
    let mut packet = vec![0; 20 + payload_len];
    let header =
        Ipv4Repr { src_addr: GUEST, dst_addr: to, next_header: protocol, payload_len, hop_limit: 64 };
    header.emit(&mut Ipv4Packet::new_unchecked(&mut packet), &ChecksumCapabilities::default());
    packet
}
