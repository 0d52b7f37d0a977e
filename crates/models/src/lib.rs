//! The condensed AWS service models, embedded as data.
