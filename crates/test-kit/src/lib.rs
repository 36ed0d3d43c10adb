//! For tests only: real engines, waiting for a state, tokens.
