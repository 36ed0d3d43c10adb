//! Turns a completed recurring task into its next instance.
