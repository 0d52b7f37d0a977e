//! Verifies, and for clients makes, a Signature Version 4.
