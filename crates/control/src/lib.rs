//! The AWS endpoint: identify, verify, decode, call, encode.
