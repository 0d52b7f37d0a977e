//! OpenAPI documents with API Gateway's extensions: to records and back.
//!
//! [`read`] makes of a document's bytes, JSON or YAML, a [`Document`]: what it says of an API, whichever kind of API is
//! built from it; [`read::http_api`] passes over what only methods of REST APIs have. [`rest`] lays that over a REST API's
//! records; an HTTP API's service puts it through its own settings. [`export`] makes a document of a REST API's records,
//! [`export_http`] of an HTTP API's. [`text`] is the trees' way from and to texts.
//!
//! Nothing here checks what a setting may be (the services do that as if it were set by a call of its own), knows a store
//! or makes an identifier. Documents are hostile: their length, depth and aliases are bounded, references that lead in
//! a circle lead nowhere.

pub mod document;
mod error;
pub mod export;
pub mod export_http;
pub mod read;
pub mod rest;
pub mod schema;
pub mod text;

pub use document::Document;
pub use error::Error;
