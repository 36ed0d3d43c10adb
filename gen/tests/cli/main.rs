//! The `gen` command as people and CI run it: exit codes, what it says, what it leaves behind.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod checking;
mod checkout;
mod interruption;
mod output;
mod writing;
