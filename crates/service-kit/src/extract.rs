//! What handlers read from a request. Every refusal is a [`Problem`](crate::Problem) that says where the input is wrong.
//!
//! | input | answer |
//! |---|---|
//! | body not declared as JSON in UTF-8, or content-coded | 415 |
//! | body over the limit | 413 |
//! | body too slow | 408 |
//! | body no UTF-8, no JSON, nested deeper than [`MAX_DEPTH`], with U+0000 or a key twice | 400 with the position |
//! | well-formed body with an unknown, missing or impossible field | 422 with its JSON pointer |
//! | parameter of the query unknown, repeated or impossible | 400 with its name |
//! | the same for what people type ([`TypedQuery`]) | none: what is no text is read as U+FFFD |
//! | path segment that cannot be what it stands for, such as an id that is none | 404: nothing can be there |
//! | path that is no UTF-8 | 400 |
//!
//! Types that are read this way say `#[serde(deny_unknown_fields)]`: that alone makes an unknown field a refusal, and
//! the `OpenAPI` document says so too.

mod document;
mod json;
mod mismatch;
mod path;
mod query;

pub use document::MAX_DEPTH;
pub use json::{BODY_TIME, Json, parse_json, read_json};
pub use path::Path;
pub use query::{Query, TypedQuery};
