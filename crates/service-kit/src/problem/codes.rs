//! Every code that a problem may have: what programs branch on. A code is never given another meaning.

use axum::http::StatusCode;

/// What kind of problem it is.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// Name in the member `code`, and the end of `type`.
    pub name: &'static str,
    /// Status of the response.
    pub status: StatusCode,
    /// The member `title`: the same words for each problem with this code.
    pub title: &'static str,
    /// What it means; the member `detail` where the problem has none of its own.
    pub help: &'static str,
}

macro_rules! codes {
    ($($constant:ident = $name:literal, $status:ident, $title:literal, $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $constant: Code = Code {
                name: $name,
                status: StatusCode::$status,
                title: $title,
                help: $help,
            };
        )*

        /// Every code, by status.
        pub const ALL: &[Code] = &[$($constant),*];
    };
}

codes! {
    MALFORMED_BODY = "malformed_body", BAD_REQUEST, "The body is not well-formed",
        "The body is not JSON in UTF-8, repeats a key, nests too deep or contains the character U+0000; `detail` says where.";
    INVALID_PARAMETER = "invalid_parameter", BAD_REQUEST, "A parameter is not valid",
        "A parameter of the query is unknown, repeated or has a value that it cannot take; `errors` names each.";
    INVALID_PATH = "invalid_path", BAD_REQUEST, "The path is not well-formed",
        "The path is not UTF-8 once percent-decoded.";
    INVALID_HEADER = "invalid_header", BAD_REQUEST, "A header is not valid",
        "A header that the request may carry does not have its form; `errors` names it.";
    INVALID_CREDENTIALS = "invalid_credentials", UNAUTHORIZED, "The credentials are wrong",
        "No account has this name and password.";
    TOKEN_MISSING = "token_missing", UNAUTHORIZED, "A token is needed",
        "The request has no header `Authorization: Bearer …`.";
    TOKEN_MALFORMED = "token_malformed", UNAUTHORIZED, "The token is not well-formed",
        "The token is not a signed JSON Web Token with the claims that are needed, or names an algorithm that is not accepted.";
    TOKEN_SIGNATURE = "token_signature", UNAUTHORIZED, "The token's signature is not valid",
        "The token is not signed with a key of its issuer.";
    TOKEN_EXPIRED = "token_expired", UNAUTHORIZED, "The token is not valid now",
        "The token is no longer valid, or not yet; get a new one.";
    TOKEN_AUDIENCE = "token_audience", UNAUTHORIZED, "The token is for somebody else",
        "The token was issued for another audience.";
    TOKEN_ISSUER = "token_issuer", UNAUTHORIZED, "The token's issuer is not trusted",
        "The token comes from an issuer that is not accepted here.";
    INSUFFICIENT_SCOPE = "insufficient_scope", FORBIDDEN, "The token does not allow this",
        "The token is valid, but lacks the scope that the header `WWW-Authenticate` names.";
    ORIGIN_REFUSED = "origin_refused", FORBIDDEN, "Pages of this origin are not let in",
        "The request was made by a page that is not of the application: its header `Origin` names another address.";
    NOT_FOUND = "not_found", NOT_FOUND, "Not found",
        "Nothing with this id exists for the caller; what belongs to others is not found either.";
    ROUTE_NOT_FOUND = "route_not_found", NOT_FOUND, "No such route",
        "Nothing is served at this path.";
    METHOD_NOT_ALLOWED = "method_not_allowed", METHOD_NOT_ALLOWED, "The method is not possible here",
        "The path is served, but not with this method; the header `Allow` lists those that are.";
    REQUEST_TIMEOUT = "request_timeout", REQUEST_TIMEOUT, "The body came too slowly",
        "The body did not arrive within the time allowed.";
    CONFLICT = "conflict", CONFLICT, "The state does not allow this",
        "What was asked does not fit the present state; `detail` says how.";
    IDEMPOTENCY_KEY_IN_USE = "idempotency_key_in_use", CONFLICT, "The first request is not finished",
        "A request with this idempotency key is being answered; try again.";
    VERSION_MISMATCH = "version_mismatch", PRECONDITION_FAILED, "It was changed in the meantime",
        "The version in `If-Match` is not the current one; `current` holds the current representation.";
    BODY_TOO_LARGE = "body_too_large", PAYLOAD_TOO_LARGE, "The body is too large",
        "The body has more bytes than the route takes.";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body is of an unsupported type",
        "The body is not declared as `application/json`, in UTF-8 and without content coding.";
    INVALID_BODY = "invalid_body", UNPROCESSABLE_ENTITY, "The body is not valid",
        "The body is well-formed JSON, but a field is unknown, missing, or has a value that it cannot take; `errors` lists each.";
    IDEMPOTENCY_KEY_REUSED = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The idempotency key was used for another request",
        "This idempotency key was sent before with another request; take a new one.";
    UPGRADE_REQUIRED = "upgrade_required", UPGRADE_REQUIRED, "A websocket is needed",
        "The route speaks the websocket protocol, version 13, and nothing else.";
    RATE_LIMITED = "rate_limited", TOO_MANY_REQUESTS, "Too many requests",
        "The caller sends more requests than allowed; wait as long as `Retry-After` says.";
    INTERNAL = "internal", INTERNAL_SERVER_ERROR, "Something failed inside the service",
        "The failure is the service's own and was logged; `trace_id` finds it.";
    OVERLOADED = "overloaded", SERVICE_UNAVAILABLE, "The service has too much to do",
        "As many requests as possible are being answered; nothing was done; try again.";
    UNAVAILABLE = "unavailable", SERVICE_UNAVAILABLE, "Something that the request needs is away",
        "The database or another dependency cannot be reached; try again.";
    DEADLINE_EXCEEDED = "deadline_exceeded", SERVICE_UNAVAILABLE, "The answer took too long",
        "The request was given up; whether it had an effect is unknown, so repeat it with the same idempotency key.";
}
