//! What a service is: operations by name, who calls them, what can go wrong, and the registry that finds them.
//!
//! A service knows no HTTP and no protocol: [`Service::call`] takes a [`Value`](pitbird_wire::Value) and gives one, or one and
//! [`Events`]. An
//! operation is one file with an input, an output and one async function; [`Builder::operation`] hangs it in. Members
//! that a caller sends and the operation's input doesn't have are refused by name, unless the file lists them as
//! harmless.
//!
//! Start at [`Call`] and [`Fault`], then [`Builder`].

mod call;
mod fault;
mod permission;
#[cfg(any(test, feature = "members"))]
mod probe;
mod registry;
#[cfg(any(test, feature = "members"))]
mod untold;

pub use call::{Call, Caller};
pub use fault::{Fault, Told};
pub use permission::Permission;
#[cfg(any(test, feature = "members"))]
pub use probe::{Kind, Member, members};
pub use registry::{Answer, Builder, Event, Events, Harmless, Service};
#[cfg(any(test, feature = "members"))]
pub use untold::untold;
