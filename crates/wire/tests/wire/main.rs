//! The wire as a whole: models, protocols, hostile bytes.

mod models;
mod sample;
mod vectors;
