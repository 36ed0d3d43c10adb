//! The compiler: a typed environment spec and the catalogue in, a cluster definition out.
