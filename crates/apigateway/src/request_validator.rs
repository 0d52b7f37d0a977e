//! Request validators: what of a request is checked, and how patches change it.

use pitbird_records::RequestValidator;

use crate::Error;
use crate::patch::{Op, Patch};

/// Validators of one API. Source: no published quota; it bounds what a deployment freezes.
pub const VALIDATORS_MAX: usize = 300;

/// Applies one patch operation.
pub fn apply(validator: &mut RequestValidator, patch: &Patch<'_>) -> Result<(), Error> {
    match (patch.op, patch.path) {
        (Op::Replace, "/name") => {
            validator.name = Some(patch.text().ok_or(Error::RequestValidatorName)?.to_owned());
        }
        (Op::Replace, "/validateRequestBody") => validator.validate_request_body = patch.switch(),
        (Op::Replace, "/validateRequestParameters") => {
            validator.validate_request_parameters = patch.switch();
        }
        _ => return Err(patch.not_one_of("/name, /validateRequestParameters, /validateRequestBody")),
    }
    Ok(())
}
