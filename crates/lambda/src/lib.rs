//! Lambda: its operations, no HTTP.
