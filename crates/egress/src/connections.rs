//! Each connection of the sandbox's, and the host's that answers it.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use smoltcp::iface::{SocketHandle, SocketSet};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use tokio::net::TcpStream;

use crate::allowance::{Place, Share};
use crate::names::Questions;
use crate::policy::{Policy, is_names};

/// Connections of one sandbox at the same time.
const CONNECTIONS_MAX: usize = 256;
/// What is held for a connection in either direction, bytes.
const BUFFER_BYTES: usize = 64 * 1024;
/// How long the other side may take to answer; all name servers together.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

type Connecting = Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>;

/// The sandbox's end, and where it wants to go.
type Ends = (SocketAddrV4, SocketAddrV4);

#[derive(Default)]
pub struct Connections(HashMap<Ends, Connection>);

struct Connection {
    handle: SocketHandle,
    outside: Outside,
    /// What was asked of a name server, if it is one.
    questions: Option<Questions>,
    _place: Place,
}

enum Outside {
    Connecting(Connecting),
    Open { stream: TcpStream, has_said_all: bool, has_heard_all: bool },
    Over,
}

impl Connections {
    /// The sandbox wants to open a connection: a socket that takes it is there afterwards, unless it mayn't; the stack refuses
    /// what no socket takes.
    pub fn open(&mut self, ends: Ends, policy: &Policy, share: &Share, sockets: &mut SocketSet<'_>) {
        if self.0.contains_key(&ends) || self.0.len() >= CONNECTIONS_MAX {
            return;
        }
        let destinations = policy.destinations(ends.1);
        if destinations.is_empty() {
            return;
        }
        let Some(_place) = share.take() else { return };
        let buffer = || SocketBuffer::new(vec![0; BUFFER_BYTES]);
        let mut socket = Socket::new(buffer(), buffer());
        // It isn't told that it is connected before it is.
        socket.pause_synack(true);
        socket.set_nagle_enabled(false);
        if socket.listen((*ends.1.ip(), ends.1.port())).is_ok() {
            let handle = sockets.add(socket);
            let outside = Outside::Connecting(Box::pin(connect(destinations)));
            let questions = is_names(ends.1).then(Questions::default);
            self.0.insert(ends, Connection { handle, outside, questions, _place });
        }
    }

    /// Do any wait for the host's?
    pub fn are_opening(&self) -> bool {
        self.0.values().any(|connection| matches!(connection.outside, Outside::Connecting(_)))
    }

    /// Moves what can be moved; `true` if anything was. The rest wakes when it can go on.
    pub fn pump(&mut self, sockets: &mut SocketSet<'_>, context: &mut Context<'_>) -> bool {
        let mut has_moved = false;
        self.0.retain(|_, connection| {
            let socket = sockets.get_mut::<Socket<'_>>(connection.handle);
            if !is_over(socket) {
                has_moved |= connection.pump(socket, context);
            }
            let is_over = is_over(socket);
            if is_over {
                sockets.remove(connection.handle);
            }
            !is_over
        });
        has_moved
    }
}

/// Is nobody there any more? One that was broken off keeps its other end until that has been told. One that the sandbox gave up
/// before it was open listens again, and would take the next connection to the same destination for its own; the same goes for one
/// whose first segment the stack didn't take.
fn is_over(socket: &Socket<'_>) -> bool {
    matches!(socket.state(), State::Closed | State::Listen) && socket.remote_endpoint().is_none()
}

/// To the first that answers, with its share of the time.
async fn connect(destinations: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let share = CONNECT_TIMEOUT / destinations.len().max(1) as u32;
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for destination in destinations {
        match tokio::time::timeout(share, TcpStream::connect(destination)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => failed = error,
            Err(elapsed) => failed = elapsed.into(),
        }
    }
    Err(failed)
}

impl Connection {
    fn pump(&mut self, socket: &mut Socket<'_>, context: &mut Context<'_>) -> bool {
        match &mut self.outside {
            Outside::Connecting(connecting) => {
                let Poll::Ready(connected) = connecting.as_mut().poll(context) else { return false };
                match connected {
                    Ok(stream) => {
                        socket.pause_synack(false);
                        self.outside = Outside::Open { stream, has_said_all: false, has_heard_all: false };
                    }
                    Err(_) => self.break_off(socket),
                }
                true
            }
            Outside::Open { stream, has_said_all, has_heard_all } => {
                let moved = say(socket, stream, &mut self.questions, has_said_all, context)
                    .and_then(|said| Ok(said | hear(socket, stream, has_heard_all, context)?));
                moved.unwrap_or_else(|_| {
                    self.break_off(socket);
                    true
                })
            }
            Outside::Over => false,
        }
    }

    fn break_off(&mut self, socket: &mut Socket<'_>) {
        socket.abort();
        self.outside = Outside::Over;
    }
}

/// From the sandbox to the outside.
fn say(
    socket: &mut Socket<'_>,
    stream: &TcpStream,
    questions: &mut Option<Questions>,
    has_said_all: &mut bool,
    context: &mut Context<'_>,
) -> io::Result<bool> {
    let mut has_moved = false;
    while socket.can_recv() {
        let Poll::Ready(ready) = stream.poll_write_ready(context) else { return Ok(has_moved) };
        ready?;
        let written = socket.recv(|bytes| {
            if questions.is_some_and(|mut ahead| !ahead.read(bytes)) {
                return (0, Err(io::ErrorKind::PermissionDenied.into()));
            }
            match stream.try_write(bytes) {
                Ok(written) => {
                    let _may = questions.as_mut().map(|questions| questions.read(&bytes[..written]));
                    (written, Ok(written))
                }
                Err(error) => (0, Err(error)),
            }
        });
        match written {
            Ok(Ok(_)) => has_moved = true,
            Ok(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(Err(error)) => return Err(error),
            Err(_) => break,
        }
    }
    let is_closing =
        matches!(socket.state(), State::CloseWait | State::LastAck | State::Closing | State::TimeWait);
    if is_closing && !*has_said_all && socket.recv_queue() == 0 {
        *has_said_all = true;
        rustix::net::shutdown(stream, rustix::net::Shutdown::Write)?;
    }
    Ok(has_moved)
}

/// From the outside to the sandbox.
fn hear(
    socket: &mut Socket<'_>,
    stream: &TcpStream,
    has_heard_all: &mut bool,
    context: &mut Context<'_>,
) -> io::Result<bool> {
    let mut has_moved = false;
    while !*has_heard_all && socket.can_send() {
        let Poll::Ready(ready) = stream.poll_read_ready(context) else { return Ok(has_moved) };
        ready?;
        let read = socket.send(|room| match stream.try_read(room) {
            Ok(read) => (read, Ok(read)),
            Err(error) => (0, Err(error)),
        });
        match read {
            Ok(Ok(0)) => {
                *has_heard_all = true;
                socket.close();
                has_moved = true;
            }
            Ok(Ok(_)) => has_moved = true,
            Ok(Err(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(Err(error)) => return Err(error),
            Err(_) => break,
        }
    }
    Ok(has_moved)
}
