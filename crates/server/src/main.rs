//! The composition root: reads configuration, builds the parts, stops them in order.

fn main() {}
