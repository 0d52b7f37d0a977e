//! Dashboards: what may be put, and finding them.
//!
//! Nobody draws a dashboard here: the body is checked as CloudWatch does and given back as it came.

mod body;
mod metrics;
mod shape;
mod widget;

use pitbird_wire::Value;
use serde::Serialize;

pub use body::check;

use crate::Error;

/// A name's length. Source: PutDashboard.
const NAME_CHARACTERS_MAX: usize = 255;

/// Something that is wrong with a body, or that is passed over in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A JSON pointer: `/widgets/0/properties`.
    #[serde(rename = "dataPath")]
    pub path: String,
    pub message: String,
}

impl Problem {
    /// As a DashboardValidationMessage.
    pub fn into_value(self) -> Value {
        Value::Map(vec![("DataPath".into(), self.path.into()), ("Message".into(), self.message.into())])
    }
}

/// Checks a dashboard's name.
pub fn check_name(name: &str) -> Result<(), Error> {
    let is_fit = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let fits = (1..=NAME_CHARACTERS_MAX).contains(&name.len()) && name.bytes().all(is_fit);
    if fits { Ok(()) } else { Err(Error::DashboardName) }
}
