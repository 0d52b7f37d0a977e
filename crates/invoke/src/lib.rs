//! The only door by which a function version runs.
