//! SQL, and nothing else.

pub(crate) mod chains;
pub(crate) mod days;
pub(crate) mod rows;
pub(crate) mod verification;
