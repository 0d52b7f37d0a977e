//! The data plane's immutable view of the world, compiled from records.
