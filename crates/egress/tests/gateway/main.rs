//! A guest with a stack of its own at the one end, servers of this host at the other. Everything here is an address of this
//! host, which no policy lets be reached, so the guest asks for its name server, and finds a server of the test.

#![allow(clippy::unwrap_used, reason = "a test's own helpers may fail loudly")]

mod guest;
mod hostile;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, UdpSocket};
use std::thread::JoinHandle;

use guest::{Guest, PATIENCE, Segment, datagram, question, questions};
use pitbird_egress::{Allowance, ROUTER};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::{Socket, State};

/// Sends everything back once all of it has come.
fn echo(connections: usize) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (listener.local_addr().unwrap(), echo_from(listener, connections))
}

fn echo_from(listener: TcpListener, connections: usize) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            stream.write_all(&all).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
        }
    })
}

#[test]
fn what_is_said_is_heard_both_ways_to_the_end() {
    let (address, server) = echo(2);
    let mut guest = Guest::new(&[address]);
    let long: Vec<u8> = (0..3_000_000u32).map(|at| (at % 251) as u8).collect();
    for said in [questions(&long), questions(b"short")] {
        assert!(guest.exchange(&said) == said);
    }
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
    let question = question(b"who?");
    // A whole zone isn't handed out.
    let zone = [&question[..14], &[252, 0, 1]].concat();
    guest.send(&[b"who?", &zone[..], &question].map(|payload| datagram(ROUTER, 53, payload)));
    let mut buffer = [0; 64];
    let (length, from) = server.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], question);
    server.send_to(b"you", from).unwrap();
    let (from, answer) = guest.until(|_, wire| wire.datagrams.pop_front());
    assert_eq!((from, answer.as_slice()), (ROUTER, &b"you"[..]));
}

#[test]
fn a_zone_is_not_handed_out_over_a_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut guest = Guest::new(&[listener.local_addr().unwrap()]);
    let server = std::thread::spawn(move || {
        let mut all = Vec::new();
        listener.accept().unwrap().0.read_to_end(&mut all).unwrap();
        all
    });
    let may = questions(b".");
    let zone = [&[0, 17], &may[2..16], &[252, 0, 1]].concat();
    let heard = guest.exchange(&[&may[..], &zone].concat());
    assert_eq!(heard, b"");
    let all = server.join().unwrap();
    assert!(all.len() < may.len() + 17, "{all:?}");
}

#[test]
fn where_the_first_name_server_refuses_the_next_is_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let refusing = listener.local_addr().unwrap();
    drop(listener);
    let (address, server) = echo(1);
    let said = questions(b"hello");
    assert_eq!(Guest::new(&[refusing, address]).exchange(&said), said);
    server.join().unwrap();
}

#[test]
fn a_connection_that_was_given_up_is_no_way_for_the_next() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut guest = Guest::new(&[listener.local_addr().unwrap()]);
    give_up(&mut guest, &listener, 30_000);
    let server = echo_from(listener, 1);
    let said = questions(b"hello");
    assert_eq!(guest.exchange(&said), said);
    server.join().unwrap();
}

#[test]
fn connections_that_were_given_up_leave_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut guest = Guest::new(&[listener.local_addr().unwrap()]);
    for port in 30_000..30_300 {
        give_up(&mut guest, &listener, port);
    }
    // As many as there may be find room.
    let server = std::thread::spawn(move || listener.incoming().take(256).collect::<Vec<_>>());
    let handles: Vec<SocketHandle> = (0..256).map(|_| guest.connect((ROUTER, 53))).collect();
    guest.until(|sockets, _| {
        let mut states = handles.iter().map(|handle| sockets.get::<Socket<'_>>(*handle).state());
        states.all(|state| state == State::Established).then_some(())
    });
    server.join().unwrap();
}

/// The guest's stack doesn't know of a connection, and breaks off when it is told that it is open. The server hears its end.
fn give_up(guest: &mut Guest, listener: &TcpListener, port: u16) {
    guest.send(&[Segment { port, flags: Segment::SYN, window: 1000, ..Segment::default() }.to_packet()]);
    listener.set_nonblocking(true).unwrap();
    let mut stream = guest.until(|_, _| listener.accept().ok()).0;
    listener.set_nonblocking(false).unwrap();
    stream.set_nonblocking(true).unwrap();
    assert_eq!(guest.until(|_, _| stream.read(&mut [0; 8]).ok()), 0, "nothing was said");
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

/// Opens so many connections; how many may be.
fn opened(guest: &mut Guest, count: usize) -> usize {
    let handles: Vec<SocketHandle> = (0..count).map(|_| guest.connect((ROUTER, 53))).collect();
    guest.until(|sockets, _| {
        let states = || handles.iter().map(|handle| sockets.get::<Socket<'_>>(*handle).state());
        let open = states().filter(|state| *state == State::Established).count();
        let refused = states().filter(|state| *state == State::Closed).count();
        (open + refused == count).then_some(open)
    })
}

#[test]
fn all_guests_together_have_so_many_sockets_and_none_has_them_all() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let names = [listener.local_addr().unwrap()];
    let allowance = Allowance::new(6);
    let mut guests: Vec<Guest> = (0..4).map(|_| Guest::with(&names, &allowance)).collect();
    assert_eq!(opened(&mut guests[0], 8), 3);
    assert_eq!(opened(&mut guests[1], 8), 2);
    assert_eq!(opened(&mut guests[2], 8), 1);
    assert_eq!(opened(&mut guests[3], 8), 0);
    // Whose sandbox ends leaves its place to others.
    drop(guests.remove(0));
    let mut last = guests.pop().unwrap();
    last.until(|_, _| allowance.share().take());
    assert_eq!(opened(&mut last, 1), 1);
}

#[test]
fn a_datagram_for_which_there_is_no_socket_is_answered_as_prohibited() {
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(PATIENCE)).unwrap();
    let names = [server.local_addr().unwrap()];
    let allowance = Allowance::new(1);
    let mut guest = Guest::with(&names, &allowance);
    let taken = allowance.share().take().unwrap();
    let question = question(b"who?");
    guest.send(&[datagram(ROUTER, 53, &question)]);
    assert_eq!(guest.until(|_, wire| wire.prohibited.pop()), 53);
    drop(taken);
    guest.send(&[datagram(ROUTER, 53, &question)]);
    let (length, _) = server.recv_from(&mut [0; 64]).unwrap();
    assert_eq!(length, question.len());
}
