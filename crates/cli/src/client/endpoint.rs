use std::fmt;
use std::str::FromStr;

use http::Uri;
use thiserror::Error;

/// Where a server listens: `http://HOST[:PORT]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    authority: String,
    host: String,
    port: u16,
}

/// Why a text is no endpoint. Each says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndpointError {
    #[error("{0:?} is no endpoint; write http://HOST:PORT")]
    Malformed(String),
    #[error(
        "{0} needs TLS, which this command can't speak yet; write http:// if the server listens without it"
    )]
    Tls(String),
    #[error("{0} has a path; an endpoint is http://HOST:PORT alone")]
    Path(String),
}

impl Endpoint {
    /// Host and port as they were written; goes into `Host`.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// A name or an address, an IPv6 one without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Endpoint, EndpointError> {
        let malformed = || EndpointError::Malformed(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| malformed())?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(EndpointError::Tls(text.to_owned())),
            _ => return Err(malformed()),
        }
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let authority = authority.ok_or_else(malformed)?;
        if uri.path() != "/" || uri.query().is_some() {
            return Err(EndpointError::Path(text.to_owned()));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(malformed());
        }
        Ok(Endpoint {
            authority: authority.as_str().to_owned(),
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(80),
        })
    }
}

impl From<std::net::SocketAddr> for Endpoint {
    fn from(address: std::net::SocketAddr) -> Endpoint {
        Endpoint { authority: address.to_string(), host: address.ip().to_string(), port: address.port() }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read() {
        for (text, host, port) in [
            ("http://127.0.0.1:4566", "127.0.0.1", 4566),
            ("http://localhost:4566/", "localhost", 4566),
            ("http://[::1]:80", "::1", 80),
            ("HTTP://box", "box", 80),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.host(), endpoint.port()), (host, port), "{text}");
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for (text, words) in [
            ("https://lambda.us-east-1.amazonaws.com", "TLS"),
            ("localhost:4566", "write http://"),
            ("ftp://a", "write http://"),
            ("", "write http://"),
            ("http://", "write http://"),
            ("http://me:secret@a", "write http://"),
            ("http://a/b", "path"),
            ("http://a/?b", "path"),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
