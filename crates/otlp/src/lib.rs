//! Hands traces, metrics and logs on to a collector in OpenTelemetry's protocol: OTLP 1.x, protobuf over HTTP.
//!
//! ```text
//! trace::Spans ───────── batch ─ encode ─┐
//! telemetry's watch ─ Totals ─ encode ───┼─ outbox (bounded) ─ deliver: send, wait, send again ─→ /v1/{traces,metrics,logs}
//! telemetry's export tap ─ batch ─ encode┘
//! ```
//!
//! Each signal has a task that gathers and one that delivers, and nothing that they do is on a request's way. A collector that is
//! away is asked again, less and less often; what meanwhile finds no room is dropped, counted and told ([`Losses`]). Which answers
//! are worth another attempt, and when, is arithmetic (`retry`); so are settings ([`Config::read`]), the distribution of samples
//! (`histogram`) and what a log line says of itself (`logs`).
//!
//! Metrics are cumulative: that is OpenTelemetry's own default, the only kind that Prometheus takes, and an export that is lost is
//! made good by the next. It knows no AWS service, no store and no gateway. gRPC and OTLP's JSON are refused by name.
//!
//! Start at [`Exporter`].

mod client;
mod config;
mod deliver;
mod exporter;
mod histogram;
mod logs;
mod losses;
mod message;
mod metrics;
mod resource;
mod retry;
mod traces;

pub use config::{Config, ConfigError, Signal};
pub use exporter::Exporter;
pub use losses::Losses;
