//! The listening socket: bound here, or handed over by whoever started us (systemd's socket activation, or this server
//! itself before it restarted). Clients that connect while nobody accepts wait in it.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use listenfd::ListenFd;
use rustix::io::FdFlags;
use tokio::net::TcpSocket;

/// Connections that wait to be accepted; the kernel's own bound (`net.core.somaxconn`) may be lower.
const BACKLOG: u32 = 4096;

/// The socket that was handed over, if one was. To be asked before there are threads: it takes the words that announce the
/// socket out of the environment, so that no child takes them for its own.
///
/// # Errors
/// When what was handed over is no listening TCP socket.
pub fn inherited() -> Result<Option<TcpListener>> {
    let mut descriptors = ListenFd::from_env();
    if descriptors.len() == 0 {
        return Ok(None);
    }
    descriptors.take_tcp_listener(0).context("LISTEN_FDS names no listening TCP socket")
}

/// Listens on an address; port 0 takes a free one.
///
/// # Errors
/// When the port is taken or may not be used, with what to do about it.
pub fn bind(address: SocketAddr) -> Result<TcpListener> {
    let bind = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    bind().map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::AddrNotAvailable => {
                "this host has no such address; --listen 127.0.0.1:4566 is the usual one"
            }
            ErrorKind::PermissionDenied => "may this user take that port? port 0 takes a free one",
            _ => "is another server on that port? port 0 takes a free one",
        };
        anyhow!("can't listen on {address}: {error}\nhint: {hint}")
    })
}

/// This server's program and words, as they were when it started: a newer program may stand in its place by now.
pub struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
}

impl Program {
    pub fn own() -> Result<Program> {
        let path = std::env::current_exe().context("this program isn't found")?;
        Ok(Program { path, arguments: std::env::args_os().skip(1).collect() })
    }

    /// Becomes this program anew, under the same process id, with the socket handed over. Comes back only with the reason why not.
    pub fn restart(&self, listener: &TcpListener) -> anyhow::Error {
        if let Err(error) = rustix::io::fcntl_setfd(listener, FdFlags::empty()) {
            return anyhow!("the listening socket can't be handed over: {error}");
        }
        let error = Command::new(&self.path)
            .args(&self.arguments)
            .env("LISTEN_FDS", "1")
            .env("LISTEN_FDS_FIRST_FD", listener.as_raw_fd().to_string())
            .env("LISTEN_PID", std::process::id().to_string())
            .exec();
        anyhow!("{} can't be started: {error}", self.path.display())
    }
}
