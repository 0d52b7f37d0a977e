//! A client that does nothing else: no thread, no resolver, no pool that would be measured with what it asks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use anyhow::{Context, Result, ensure};

/// A keep-alive connection of HTTP/1.1.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    pub fn open(address: SocketAddr) -> Result<Connection> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Connection(BufReader::with_capacity(2048, stream)))
    }

    /// One request, with a body of JSON if there is any: the body of the answer, which has to be a 200.
    pub fn ask(&mut self, method: &str, path: &str, body: &str) -> Result<String> {
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n");
        let entity = format!("content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}");
        let request = head + if body.is_empty() { "\r\n" } else { &entity };
        self.0.get_mut().write_all(request.as_bytes())?;
        let (mut line, mut status, mut length) = (String::new(), String::new(), 0_usize);
        while line != "\r\n" {
            line.clear();
            ensure!(self.0.read_line(&mut line)? > 0, "the connection was closed");
            if status.is_empty() {
                status.clone_from(&line);
            } else if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = text.trim().parse()?;
            }
        }
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer)?;
        let answer = String::from_utf8(answer)?;
        ensure!(status.starts_with("HTTP/1.1 200"), "{method} {path}: {status}{answer}");
        Ok(answer)
    }
}

/// Address and path of a plain URL.
pub fn address(url: &str) -> Result<(SocketAddr, &str)> {
    let rest = url.strip_prefix("http://").context("a plain URL")?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Ok((host.parse().with_context(|| format!("an address, not {host:?}"))?, path))
}
