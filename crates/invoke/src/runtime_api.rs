//! The Runtime API, version 2018-06-01, as one environment's process sees it.

mod event;
mod forward;
mod held;
pub mod machine;
mod serve;
mod usual;

use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;

pub use event::{Event, trace_of};
pub use serve::{accepted, json, not_here, refuse, serve};

/// What a call is answered with.
pub type Reply = Response<Full<Bytes>>;
