//! The only writer of tasks.
