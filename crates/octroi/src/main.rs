//! The binary: configuration, commands, wiring, the feed between the two planes.
fn main() {}
