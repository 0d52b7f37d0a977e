//! AWS model and protocols: bytes to value and back.
//!
//! A [`Model`] says what operations a service has and how each is written; [`Catalog`] holds all embedded ones and finds
//! what a request means ([`Catalog::identify`]). A [`Call`] then decodes the request into a neutral [`Value`], and writes
//! the answer or a [`Fault`] in the protocol that asked. [`check`] holds a value against the model's constraints, in
//! AWS's words. [`client`] is the other side of the wire: it writes requests and reads answers.
//!
//! No service is mentioned here: what is peculiar to one stands in its model or the patch beside it. Nothing here does
//! input or output, and no bytes whatever make it panic.

mod catalog;
mod check;
pub mod checksum;
pub mod client;
mod codec;
pub mod events;
mod fault;
mod identify;
mod model;
mod protocol;
mod query;
mod rest;
mod server;
mod value;

pub use catalog::{Catalog, Service};
pub use check::{Violation, check, summary};
pub use codec::cbor::read_any as read_cbor;
pub use codec::json::read_document as read_json;
pub use codec::{DecodeError, EncodeError, INFLATED_BYTES_MAX};
pub use fault::{Common, Fault, FaultForm};
pub use identify::Unidentified;
pub use model::{
    Constraints, ErrorTrait, Kind, Location, Member, Metadata, Model, ModelError, Operation, Peculiar,
    Reference, Shape, ShapeId, Structure, TimestampFormat, XmlNamespace,
};
pub use protocol::Protocol;
pub use server::{Call, Decoded};
pub use value::{Blob, FromValueError, Key, ToValueError, Value, from_value, from_value_reporting, to_value};
