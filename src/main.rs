//! Which role does this process play?

fn main() {}
