//! mansio
fn main() {}
