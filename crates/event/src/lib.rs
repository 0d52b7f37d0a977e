//! Turns an HTTP exchange into a Lambda proxy event and the function's answer back into HTTP.
//!
//! [`Exchange::write_event`] writes the event of a REST API (payload format 1.0) as JSON straight into one buffer, from borrowed
//! parts, [`HttpExchange::write_event`] that of an HTTP API or a function URL (2.0),
//! [`HttpExchange::write_event_1`] that of an HTTP API whose integration wants 1.0. [`reply`], [`http_reply`], [`stream_prelude`] and [`rest_stream_prelude`] read what the
//! function gave back and make an [`Answer`], or say why it is [`Malformed`]; the gateway answers that with an error of its own.
//! The rest are the small texts that an exchange carries: [`request_time`], [`extended_request_id`].
//!
//! Nothing here knows sockets, clocks, randomness or status texts. Shapes follow AWS's developer guide, "Lambda proxy
//! integrations in API Gateway", and what public tests recorded from the service.

mod exchange;
mod field;
mod http_event;
mod http_event_1;
mod http_reply;
mod json;
mod media;
mod reply;
mod stamp;

pub use exchange::{ApiCaller, Authorizer, Context, Exchange, token_event};
pub use http_event::{AuthorizerQuestion, HttpAuthorizer, HttpContext, HttpExchange, Signer};
pub use http_reply::{PRELUDE_END, http_reply, http_reply_1, rest_stream_prelude, stream_prelude};
pub use media::MediaTypes;
pub use reply::{Answer, Header, Malformed, reply};
pub use stamp::{extended_request_id, request_time};
