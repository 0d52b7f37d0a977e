//! The words everybody shares: account, region, ARN, function reference, qualifier, percent, weight, month, ids, limits.
//!
//! Text becomes one of these types at the door and is trusted afterwards. Nothing here touches a clock, a random
//! source or a file: identifiers are made from entropy that the caller brings.
//!
//! Start at [`Scope`] (who and where), [`FunctionRef`] (what Lambda callers write) and [`Qualifier`].

pub mod arn;
pub mod domain;
mod function;
mod id;
pub mod limits;
mod month;
mod scope;
mod share;

pub use function::{Error as FunctionError, FunctionName, FunctionRef, Qualifier, VersionId};
pub use id::{api_id, resource_id, short_id, uuid};
pub use month::Month;
pub use scope::{Account, Region, Scope};
pub use share::{Percent, ShareError, Weight};
