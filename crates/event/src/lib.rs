//! Turns an HTTP exchange into a Lambda proxy event (payload 1.0) and the function's answer back into HTTP.
//!
//! [`Exchange::write_event`] writes the event as JSON straight into one buffer, from borrowed parts. [`reply`] reads what
//! the function gave back and makes an [`Answer`], or says why it is [`Malformed`]; API Gateway answers that with 502.
//! The rest are the small texts that an exchange carries: [`request_time`], [`extended_request_id`], [`trace_id`].
//!
//! Nothing here knows sockets, clocks, randomness or status texts. Shapes follow AWS's developer guide, "Lambda proxy
//! integrations in API Gateway", and what public tests recorded from the service.

mod exchange;
mod field;
mod json;
mod media;
mod reply;
mod stamp;

pub use exchange::{Context, Exchange};
pub use media::MediaTypes;
pub use reply::{Answer, Header, Malformed, reply};
pub use stamp::{extended_request_id, request_time, trace_id};
