//! Project tools.

fn main() {}
