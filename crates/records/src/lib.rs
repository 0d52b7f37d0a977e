//! What we keep durably, as plain data.
