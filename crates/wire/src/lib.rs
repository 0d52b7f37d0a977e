//! AWS model and protocols: bytes to value and back.
