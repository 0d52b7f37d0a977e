//! A dashboard's body, checked.

use serde_json::Value as Json;

use super::shape::{Findings, Place};
use super::{Problem, widget};
use crate::Error;

/// Problems that are told one by one; the others are counted.
const TOLD_MAX: usize = 100;

/// Checks a body; answers what of it will be passed over.
///
/// Source: CloudWatch, dashboard body structure and syntax; recorded answers of the service for the words.
pub fn check(body: &str) -> Result<Vec<Problem>, Error> {
    let root: Json = serde_json::from_str(body).map_err(|_| Error::NoDashboardBody)?;
    if !root.is_object() {
        return Err(Error::NoDashboardBody);
    }
    let mut findings = Findings::default();
    widget::check_root(&root, &Place::root(), &mut findings);
    let Findings { mut errors, mut warnings } = findings;
    if errors.is_empty() {
        warnings.truncate(TOLD_MAX);
        return Ok(warnings);
    }
    let count = errors.len();
    errors.truncate(TOLD_MAX);
    let told = serde_json::to_string_pretty(&errors).unwrap_or_default();
    Err(Error::DashboardBody { count, told, problems: errors })
}

#[cfg(test)]
mod tests;
