//! Says whether a JSON Web Token is what an authorizer takes, and what it claims.
//!
//! [`verify`] holds a token against a [`KeySet`] and [`Rules`] as API Gateway's JWT authorizers do: RSA signatures only, a key that
//! the set has by the token's `kid`, the issuer, one of the audiences, and the times. [`Claims`] are what the token then says, in the
//! form in which events and logs have them. Source: API Gateway developer guide, "Control access to HTTP APIs with JWT
//! authorizers".
//!
//! Nothing here fetches keys or reads a clock: who calls brings both.

mod claims;
mod keys;
mod token;
mod vouched;

pub use claims::Claims;
pub use keys::{Algorithm, KEY_SET_BYTES_MAX, KeySet, NoKeySet};
pub use token::{Rejection, Rules, TOKEN_BYTES_MAX, claimed_issuer, verify};
