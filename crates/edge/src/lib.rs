//! The invoke URLs: admit, choose, integrate, answer, record.
//!
//! One function tells a request's whole way: [`Edge::serve`] through a REST API, [`Edge::serve_http`] through an HTTP API, [`Edge::serve_url`] through a function's URL. It reads one snapshot and keeps it to the end; it never
//! sees the store, a service or AWS's control-plane protocols. Whatever happens, the exchange is recorded: metrics for
//! the stage and its canary, the access log, the execution log.
//!
//! What admits a request, in API Gateway's order, is told in `admit`. Its parts know nothing of REST APIs and serve others as well:
//! [`TokenBucket`] and [`Buckets`], [`AuthorizerCache`], and `snapshot`'s policy documents. [`UsageBook`] counts what API keys
//! use; whoever has the store writes it down.
//!
//! What isn't deployed can be tried out: [`Edge::try_method`], [`Edge::try_authorizer`]. [`Edge::probe`] tries one track of what is.
//!
//! Start at [`Target`] and [`UrlTarget`] (what an invoke URL names), then [`Edge`].

mod access_log;
mod admit;
mod admitted;
mod answer;
mod arrival;
mod authorizer_cache;
mod backend;
mod cache;
mod choose;
mod compression;
mod context;
mod copied;
mod cors;
mod domain;
mod exchanged;
mod execution_log;
mod gateway_answer;
mod gateway_error;
mod http_api;
mod integrate;
mod issuers;
mod journey;
mod large;
mod measure;
mod mirror;
mod names_shown;
mod probe;
mod route_probes;
mod routed;
mod services;
mod story;
mod streamed;
mod target;
mod throttle;
mod timer;
mod trace;
mod trial;
mod url;
mod usage_book;
mod used;

pub use admitted::AuthorizerResult;
pub use arrival::Peer;
pub use authorizer_cache::{AuthorizerCache, ResultKey};
pub use domain::Placed;
pub use gateway_error::{GatewayError, SignatureFault};
pub use journey::Edge;
pub use measure::Counts;
pub use mirror::MIRRORED;
pub use probe::Probe;
pub use services::{Later, ServiceCall, Services, Uncalled};
pub use streamed::{ApiBody, StreamedBody};
pub use target::{Target, UrlTarget};
pub use throttle::{Buckets, TokenBucket};
pub use timer::Timer;
pub use trial::{Judged, Trial, TrialLog, Tried, Untried};
pub use url::{Renewal, Signature, UrlBody, UrlSigner};
pub use usage_book::{QuotaExceeded, UsageBook};
pub use used::{FunctionUse, TrackUse};
