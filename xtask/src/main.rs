//! Development commands: `cargo xtask test | tools | bench | tidy`.

fn main() {}
