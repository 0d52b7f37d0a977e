//! AWS as a function sees it: the credentials of its role, and an endpoint that it can reach.

use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::{Request, Response};
use pitbird_records::FunctionVersion;

/// What is answered a little later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What AWS answers, whole or piece by piece. An error is its breaking off.
pub type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// Temporary credentials of a role.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: String,
}

/// Shows neither secret nor token: what is shown may end in a log.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// What stands behind the functions' AWS.
pub trait Aws: Send + Sync + 'static {
    /// Credentials of a version's execution role for a new environment. They must be good for longer than
    /// [`Limits::lifetime`](crate::Limits::lifetime). `None` where there are none to be had.
    fn credentials<'a>(&'a self, version: &'a FunctionVersion) -> Later<'a, Option<Credentials>>;

    /// Answers a request that a function made to its Runtime API's address and that isn't the Runtime API's. Everything in it is
    /// the function's word: who it is only its signature can say.
    fn answer(&self, request: Request<Incoming>) -> Later<'_, Response<Body>>;
}
