//! `If-Match` and `If-None-Match` (RFC 9110, section 13).

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, header, request::Parts},
};
use service_kit::{
    Problem,
    problem::{Fault, FieldError, codes},
};
use utoipa::IntoParams;

use crate::usecase::Precondition;

/// What `If-Match` demands. Comparison is strong: a weak tag matches nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IfMatch(pub(crate) Precondition);

/// What `If-None-Match` excludes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IfNoneMatch(Option<Tags>);

/// `If-Match`, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "stands for its parameter")]
pub(super) struct IfMatchHeader {
    /// Entity tags of the versions that may be changed. Without it the last write wins.
    #[param(
        rename = "If-Match",
        nullable = false,
        pattern = r#"^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$"#,
        example = "\"7\""
    )]
    if_match: Option<String>,
}

/// `If-None-Match`, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "stands for its parameter")]
pub(super) struct IfNoneMatchHeader {
    /// Entity tags of what the caller has already.
    #[param(
        rename = "If-None-Match",
        nullable = false,
        pattern = r#"^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$"#,
        example = "\"7\""
    )]
    if_none_match: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    Any,
    These(Vec<Tag>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Tag {
    is_weak: bool,
    opaque: String,
}

impl Tag {
    /// The version that our tag stands for; `None` when it is no tag of ours.
    fn version(&self) -> Option<i64> {
        self.opaque
            .parse()
            .ok()
            .filter(|version: &i64| version.to_string() == self.opaque)
    }
}

impl IfNoneMatch {
    /// Whether the caller has this version already.
    pub(crate) fn has(&self, version: i64) -> bool {
        match &self.0 {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::These(tags)) => tags.iter().any(|tag| tag.version() == Some(version)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(match read(&parts.headers, &header::IF_MATCH)? {
            // Whoever has no such task gets 404 anyway.
            None | Some(Tags::Any) => Precondition::None,
            Some(Tags::These(tags)) => {
                let strong = tags.iter().filter(|tag| !tag.is_weak);
                Precondition::OneOf(strong.filter_map(Tag::version).collect())
            }
        }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(&parts.headers, &header::IF_NONE_MATCH).map(Self)
    }
}

fn read(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, Problem> {
    let mut tags = Vec::new();
    for value in headers.get_all(name) {
        let parsed = value.to_str().ok().and_then(parse);
        match parsed.ok_or_else(|| malformed(name))? {
            Tags::Any => return Ok(Some(Tags::Any)),
            Tags::These(more) => tags.extend(more),
        }
    }
    Ok((!tags.is_empty()).then_some(Tags::These(tags)))
}

/// Reads `*`, or a list of entity tags. A tag may hold commas.
fn parse(value: &str) -> Option<Tags> {
    let mut rest = value.trim();
    if rest == "*" {
        return Some(Tags::Any);
    }
    let mut tags = Vec::new();
    loop {
        let (is_weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
        tags.push(Tag {
            is_weak,
            opaque: opaque.to_owned(),
        });
        let after = after.trim_start();
        if after.is_empty() {
            return Some(Tags::These(tags));
        }
        rest = after.strip_prefix(',')?.trim_start();
    }
}

fn malformed(name: &HeaderName) -> Problem {
    let message = "must be `*` or a list of entity tags, such as `\"7\"`";
    Problem::new(&codes::INVALID_HEADER)
        .detail(format!("The header `{name}` {message}."))
        .at(FieldError::header(name.as_str(), Fault::InvalidFormat, message))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        let pair = |value: &&'static str| (header::IF_MATCH, HeaderValue::from_static(value));
        values.iter().map(pair).collect()
    }

    fn versions(values: &[&'static str]) -> Option<Vec<Option<i64>>> {
        match read(&headers(values), &header::IF_MATCH).unwrap() {
            Some(Tags::These(tags)) => Some(tags.iter().map(Tag::version).collect()),
            Some(Tags::Any) | None => None,
        }
    }

    #[test]
    fn lists_of_tags_are_read() {
        assert_eq!(versions(&[]), None);
        assert_eq!(versions(&["*"]), None);
        assert_eq!(versions(&[r#""7""#]), Some(vec![Some(7)]));
        assert_eq!(
            versions(&[r#""7" , W/"8""#, r#""9""#]),
            Some(vec![Some(7), Some(8), Some(9)])
        );
        assert_eq!(versions(&[r#""a,b", "07", "+7", """#]), Some(vec![None; 4]));
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for value in ["7", "", "\"7", "7\"", "\"7\" \"8\"", "\"7\",", "w/\"7\"", "*, \"7\""] {
            let refused = read(&headers(&[value]), &header::IF_MATCH);
            assert_eq!(refused.map_err(|it| it.code().name), Err("invalid_header"), "{value}");
        }
    }
}
