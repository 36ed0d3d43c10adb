//! Codes of reading and parsing. Rules have theirs in [`crate::check`].

use crate::diagnostic::Code;

/// A key that the schema does not have.
pub const UNKNOWN_KEY: Code = Code(1);
/// A value of another type.
pub const WRONG_TYPE: Code = Code(2);
/// A key that must be there.
pub const MISSING_KEY: Code = Code(3);
/// A word that is not one of the choices.
pub const UNKNOWN_CHOICE: Code = Code(4);
/// A choice that names none, or several.
pub const ONE_CHOICE: Code = Code(5);
/// A value without its unit, or badly written.
pub const MALFORMED: Code = Code(6);
/// A number or length outside its range.
pub const OUT_OF_RANGE: Code = Code(7);
/// Not YAML.
pub const SYNTAX: Code = Code(8);
/// A key written twice.
pub const DUPLICATE_KEY: Code = Code(9);
/// Anchors, aliases, tags, merge keys, several documents, extreme nesting.
pub const NOT_PLAIN: Code = Code(10);
/// The file could not be read.
pub const UNREADABLE: Code = Code(11);
/// The file is not UTF-8 text.
pub const NOT_UTF8: Code = Code(12);
/// The file is larger than any spec.
pub const TOO_LARGE: Code = Code(13);
/// `null` where a value belongs.
pub const NULL: Code = Code(14);
/// A secret's value, where only its name belongs.
pub const SECRET_VALUE: Code = Code(15);
/// The environment's name differs from the file's.
pub const OTHER_NAME: Code = Code(16);
/// The release lock and the spec contradict each other.
pub const LOCK: Code = Code(17);
