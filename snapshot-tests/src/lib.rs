//! Fixtures and what they compile to; judges over everything that is committed.
