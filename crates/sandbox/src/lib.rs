//! Starts one isolated process and makes sure it ends; the only crate with unsafe.
