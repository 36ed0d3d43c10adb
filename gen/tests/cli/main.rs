//! The `gen` command as people and CI run it: exit codes, what it says, what it leaves behind.

mod bad_input;
mod checking;
mod checkout;
mod interruption;
mod output;
mod writing;
