//! A guest with a stack of its own at the one end, servers of this host at the other. Everything here is an address of this
//! host, which no policy lets be reached, so the guest asks for its name server, and finds a server of the test.

#![allow(clippy::unwrap_used, reason = "a test's own helpers may fail loudly")]

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use pitbird_egress::{GUEST, PACKET_BYTES_MAX, Policy, ROUTER, Reach, serve};
use proptest::prelude::*;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{self, DeviceCapabilities, Medium};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::time::Instant as Now;
use smoltcp::wire::{HardwareAddress, IpAddress, IpCidr, Ipv4Packet, UdpPacket};

const PATIENCE: Duration = Duration::from_secs(20);

/// The guest's end of the device.
struct Wire {
    socket: UnixDatagram,
    /// Datagrams that came back, with who sent them.
    datagrams: VecDeque<(Ipv4Addr, Vec<u8>)>,
}

struct Packet(Vec<u8>);
struct Send<'a>(&'a UnixDatagram);

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

struct Guest {
    wire: Wire,
    interface: Interface,
    sockets: SocketSet<'static>,
    began: Instant,
    port: u16,
    _runtime: tokio::runtime::Runtime,
}

impl Guest {
    fn new(names: &[SocketAddr]) -> Guest {
        let (near, far) = UnixDatagram::pair().unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let policy = Policy { reach: Reach::Networks, name_servers: names.into() };
        runtime.spawn(serve(OwnedFd::from(far), policy));
        near.set_nonblocking(true).unwrap();
        let mut wire = Wire { socket: near, datagrams: VecDeque::new() };
        let mut interface = Interface::new(Config::new(HardwareAddress::Ip), &mut wire, Now::ZERO);
        let own = IpCidr::new(IpAddress::Ipv4(GUEST), 29);
        interface.update_ip_addrs(|addresses| addresses.push(own).unwrap());
        interface.routes_mut().add_default_ipv4_route(ROUTER).unwrap();
        let sockets = SocketSet::new(Vec::new());
        Guest { wire, interface, sockets, began: Instant::now(), port: 40_000, _runtime: runtime }
    }

    fn connect(&mut self, to: (Ipv4Addr, u16)) -> SocketHandle {
        let buffer = || SocketBuffer::new(vec![0; 32 * 1024]);
        let mut socket = Socket::new(buffer(), buffer());
        self.port += 1;
        socket.connect(self.interface.context(), to, self.port).unwrap();
        self.sockets.add(socket)
    }

    /// Lets the network go on until something is so.
    fn until<T>(&mut self, mut is_so: impl FnMut(&mut SocketSet<'static>, &mut Wire) -> Option<T>) -> T {
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

    fn state_after_opening(&mut self, to: (Ipv4Addr, u16)) -> State {
        let handle = self.connect(to);
        self.until(|sockets, _| {
            let state = sockets.get::<Socket<'_>>(handle).state();
            (!matches!(state, State::SynSent)).then_some(state)
        })
    }

    /// Says something, closes its side, and hears everything.
    fn exchange(&mut self, said: &[u8]) -> Vec<u8> {
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

/// Sends everything back once all of it has come.
fn echo(connections: usize) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            stream.write_all(&all).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
        }
    });
    (address, server)
}

#[test]
fn what_is_said_is_heard_both_ways_to_the_end() {
    let (address, server) = echo(2);
    let mut guest = Guest::new(&[address]);
    let long: Vec<u8> = (0..3_000_000u32).map(|at| (at % 251) as u8).collect();
    assert!(guest.exchange(&long) == long);
    assert_eq!(guest.exchange(b"short"), b"short");
    server.join().unwrap();
}

#[test]
fn where_nobody_listens_a_connection_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(Guest::new(&[address]).state_after_opening((ROUTER, 53)), State::Closed);
}

#[test]
fn this_host_is_out_of_reach() {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut guest = Guest::new(&[]);
    let mut addresses =
        vec![Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 1, 2, 3), Ipv4Addr::new(169, 254, 169, 254), ROUTER];
    // The address that the host goes out from, if it has one.
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    if socket.connect("203.0.113.9:9").is_ok()
        && let SocketAddr::V4(own) = socket.local_addr().unwrap()
    {
        addresses.push(*own.ip());
    }
    for address in addresses {
        assert_eq!(guest.state_after_opening((address, port)), State::Closed, "{address}");
    }
    assert!(listener.accept().is_err(), "nobody has come");
}

#[test]
fn names_are_asked_for_and_answered() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut guest = Guest::new(&[server.local_addr().unwrap()]);
    let question = datagram(ROUTER, 53, b"who?");
    guest.wire.socket.send(&question).unwrap();
    let mut buffer = [0; 64];
    let (length, from) = server.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"who?");
    server.send_to(b"you", from).unwrap();
    let (from, answer) = guest.until(|_, wire| wire.datagrams.pop_front());
    assert_eq!((from, answer.as_slice()), (ROUTER, &b"you"[..]));
}

/// A datagram of the guest's, as a packet.
fn datagram(to: Ipv4Addr, port: u16, payload: &[u8]) -> Vec<u8> {
    use smoltcp::phy::ChecksumCapabilities;
    use smoltcp::wire::{IpProtocol, Ipv4Repr, UdpRepr};
    let checksums = ChecksumCapabilities::default();
    let mut packet = vec![0; 28 + payload.len()];
    let header = Ipv4Repr {
        src_addr: GUEST,
        dst_addr: to,
        next_header: IpProtocol::Udp,
        payload_len: 8 + payload.len(),
        hop_limit: 64,
    };
    let mut outer = Ipv4Packet::new_unchecked(&mut packet);
    header.emit(&mut outer, &checksums);
    let ports = UdpRepr { src_port: 5353, dst_port: port };
    let (from, to) = (IpAddress::Ipv4(GUEST), IpAddress::Ipv4(to));
    let mut inner = UdpPacket::new_unchecked(outer.payload_mut());
    ports.emit(&mut inner, &from, &to, payload.len(), |room| room.copy_from_slice(payload), &checksums);
    packet
}

#[test]
fn many_connections_at_once_are_bounded_not_fatal() {
    // Nobody takes the connections out of the queue, which is long enough for all of them.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut guest = Guest::new(&[listener.local_addr().unwrap()]);
    let handles: Vec<SocketHandle> = (0..400).map(|_| guest.connect((ROUTER, 53))).collect();
    let refused = guest.until(|sockets, _| {
        let states: Vec<State> =
            handles.iter().map(|handle| sockets.get::<Socket<'_>>(*handle).state()).collect();
        let refused = states.iter().filter(|state| **state == State::Closed).count();
        (refused >= 144).then_some(refused)
    });
    assert_eq!(refused, 400 - 256, "the rest is open, or still opens");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn whatever_comes_the_gateway_goes_on(packets in proptest::collection::vec(packet(), 1..64)) {
        let (address, server) = echo(1);
        let mut guest = Guest::new(&[address]);
        for packet in packets {
            let _lost = guest.wire.socket.send(&packet);
        }
        prop_assert_eq!(guest.exchange(b"still here"), b"still here");
        server.join().unwrap();
    }
}

/// Bytes of any kind, and such as look like packets.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    let bytes = proptest::collection::vec(any::<u8>(), 1..200);
    let shaped = (
        any::<[u8; 4]>(),
        prop_oneof![Just(6u8), Just(17), Just(1)],
        proptest::collection::vec(any::<u8>(), 0..80),
    )
        .prop_map(|(to, protocol, payload)| {
            let mut packet = datagram(to.into(), 53, &payload);
            packet[9] = protocol;
            let mut header = Ipv4Packet::new_unchecked(&mut packet);
            header.fill_checksum();
            packet
        });
    prop_oneof![bytes, shaped]
}
