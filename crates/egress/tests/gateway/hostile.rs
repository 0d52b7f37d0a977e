//! A guest that keeps to no protocol.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use pitbird_egress::PACKET_BYTES_MAX;
use proptest::prelude::*;
use smoltcp::wire::{IpProtocol, Ipv4Packet, TcpPacket};

use crate::echo;
use crate::guest::{Guest, PATIENCE, Segment, datagram, questions};

const FIN: u8 = 1;
const SYN: u8 = Segment::SYN;
const RST: u8 = 4;
const PSH: u8 = 8;
const ACK: u8 = 16;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn whatever_segments_come_connections_open_after_them(
        lives in proptest::collection::vec(life(), 1..24)
    ) {
        let mut guest = Guest::new(&[echo_all()]);
        for (port, life) in (1000..).zip(lives) {
            Connection::begin(port, life.stage, &guest).suffer(&life.odds, &guest);
        }
        let said = questions(b"still here");
        prop_assert_eq!(guest.exchange(&said), said);
    }

    #[test]
    fn whatever_comes_the_gateway_goes_on(packets in proptest::collection::vec(packet(), 1..64)) {
        let (address, server) = echo(1);
        let mut guest = Guest::new(&[address]);
        for packet in packets {
            let _lost = guest.wire.socket.send(&packet);
        }
        let said = questions(b"still here");
        prop_assert_eq!(guest.exchange(&said), said);
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

/// How far a connection goes in an orderly way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Unknown,
    Asked,
    Answered,
    Open,
    Used,
    HalfClosed,
}

/// One connection: an orderly beginning, and what comes then.
#[derive(Debug, Clone)]
struct Life {
    stage: Stage,
    odds: Vec<Odd>,
}

/// A segment, relative to the one that would be right.
#[derive(Debug, Clone)]
struct Odd {
    flags: u8,
    sequence: u32,
    acknowledged: u32,
    window: u16,
    payload: Vec<u8>,
}

fn life() -> impl Strategy<Value = Life> {
    use Stage::{Answered, Asked, HalfClosed, Open, Unknown, Used};
    let stage = proptest::sample::select(vec![Unknown, Asked, Answered, Open, Used, HalfClosed]);
    (stage, proptest::collection::vec(odd(), 1..6)).prop_map(|(stage, odds)| Life { stage, odds })
}

fn odd() -> impl Strategy<Value = Odd> {
    let usual =
        vec![SYN, SYN | FIN, SYN | RST, SYN | ACK, RST, RST | ACK, FIN, FIN | ACK, ACK, ACK | PSH, 0, 0x3f];
    let flags = prop_oneof![3 => proptest::sample::select(usual), 1 => any::<u8>()];
    // Right, just outside on either side, far outside.
    let beside =
        || prop_oneof![4 => Just(0), 1 => Just(1), 1 => Just(u32::MAX), 1 => Just(70_000), 1 => any::<u32>()];
    let window = proptest::sample::select(vec![0, 1, 1000, u16::MAX]);
    let payload =
        prop_oneof![Just(Vec::new()), Just(questions(b"?")), proptest::collection::vec(any::<u8>(), 1..80)];
    (flags, beside(), beside(), window, payload).prop_map(
        |(flags, sequence, acknowledged, window, payload)| Odd {
            flags,
            sequence,
            acknowledged,
            window,
            payload,
        },
    )
}

/// What the guest knows of a connection that its stack doesn't.
struct Connection {
    port: u16,
    sequence: u32,
    acknowledged: u32,
}

impl Connection {
    fn begin(port: u16, stage: Stage, guest: &Guest) -> Connection {
        let mut connection = Connection { port, sequence: 0, acknowledged: 0 };
        if stage >= Stage::Asked {
            connection.send(SYN, &[], guest);
        }
        if stage >= Stage::Answered {
            // If those before had left the gateway without room this wouldn't come.
            while connection.hear(guest, port).is_none() {}
            assert_eq!(connection.sequence, 1, "its opening was acknowledged");
        }
        for (at, flags, payload) in [
            (Stage::Open, ACK, vec![]),
            (Stage::Used, ACK | PSH, questions(b"?")),
            (Stage::HalfClosed, FIN | ACK, vec![]),
        ] {
            if stage >= at {
                connection.send(flags, &payload, guest);
                connection.settle(guest);
            }
        }
        connection
    }

    fn suffer(&mut self, odds: &[Odd], guest: &Guest) {
        for odd in odds {
            self.send_odd(odd, guest);
            self.settle(guest);
        }
    }

    fn send(&self, flags: u8, payload: &[u8], guest: &Guest) {
        let odd = Odd { flags, sequence: 0, acknowledged: 0, window: 1000, payload: payload.to_vec() };
        self.send_odd(&odd, guest);
    }

    fn send_odd(&self, odd: &Odd, guest: &Guest) {
        let segment = Segment {
            port: self.port,
            flags: odd.flags,
            sequence: self.sequence.wrapping_add(odd.sequence),
            acknowledged: self.acknowledged.wrapping_add(odd.acknowledged),
            window: odd.window,
            payload: odd.payload.clone(),
        };
        send(guest, &segment.to_packet());
    }

    /// Waits until everything that was sent has been looked at: a connection to the host is refused, which the gateway says in
    /// its turn.
    fn settle(&mut self, guest: &Guest) {
        let refused = Segment { port: REFUSED, flags: SYN, window: 1000, ..Segment::default() };
        send(guest, &refused.to_packet_to(Ipv4Addr::LOCALHOST));
        while self.hear(guest, REFUSED).is_none() {}
    }

    /// Hears one segment; nothing if it wasn't to that port.
    fn hear(&mut self, guest: &Guest, awaited: u16) -> Option<()> {
        let mut buffer = vec![0; usize::from(PACKET_BYTES_MAX)];
        let length = blocking(guest, |guest| guest.wire.socket.recv(&mut buffer));
        let packet = Ipv4Packet::new_checked(&buffer[..length]).expect("the gateway keeps to the protocol");
        if packet.next_header() != IpProtocol::Tcp {
            return None;
        }
        let segment = TcpPacket::new_checked(packet.payload()).expect("the gateway keeps to the protocol");
        if segment.dst_port() == self.port && !segment.rst() {
            self.acknowledged = (segment.seq_number() + segment.segment_len()).0 as u32;
            self.sequence = segment.ack_number().0 as u32;
        }
        (segment.dst_port() == awaited).then_some(())
    }
}

/// A port whose connections are refused.
const REFUSED: u16 = 999;

/// Past the guest's stack, which would break off what it doesn't know.
fn send(guest: &Guest, packet: &[u8]) {
    blocking(guest, |guest| guest.wire.socket.send(packet));
}

fn blocking<T>(guest: &Guest, does: impl FnOnce(&Guest) -> std::io::Result<T>) -> T {
    guest.wire.socket.set_nonblocking(false).unwrap();
    guest.wire.socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let done = does(guest).expect("the gateway goes on");
    guest.wire.socket.set_nonblocking(true).unwrap();
    done
}

/// Sends everything back to everyone, while the test goes on.
fn echo_all() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut all = Vec::new();
                // Some end without a word.
                let _broken = stream.read_to_end(&mut all).and_then(|_| stream.write_all(&all));
            });
        }
    });
    address
}
